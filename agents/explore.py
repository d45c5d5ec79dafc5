"""How an action is chosen from the K outputs while learning.

Each takes output (B, K), the exploration rate epsilon and uniform draws (B, 1 + K), and gives
actions (B,). The draws come trial by trial from one generator, so a batch explores as its trials
would one by one.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def greedy(output: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """Always the largest output."""
    return output.argmax(1)


def softmax(output: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """Sample action a with probability softmax(output)_a."""
    return (output - (-draws[:, 1:].log()).log()).argmax(1)  # Gumbel noise added: an exact sample


def uniform(output: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """The largest output; with probability epsilon, any action."""
    return torch.where(draws[:, 0] < epsilon, draws[:, 1:].argmax(1), output.argmax(1))


def max_boltzmann(output: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """The largest output; with probability epsilon, a softmax sample (Pozzi et al. 2020, 2.2)."""
    return torch.where(draws[:, 0] < epsilon, softmax(output, epsilon, draws), output.argmax(1))


def tempered(output: Tensor, epsilon: float, draws: Tensor) -> Tensor:
    """A softmax sample at the temperature 1 - max pi, pi = softmax(output): ours.

    A net that knows nothing samples, one that is sure takes its largest output. For outputs that
    are logits of probabilities: values between 0 and 1 leave it a sampler.
    """
    temperature = 1 - output.softmax(1).amax(1, keepdim=True)
    return softmax(output / temperature.clamp(min=1e-3), epsilon, draws)


EXPLORE: dict[str, Callable[[Tensor, float, Tensor], Tensor]] = {
    "greedy": greedy,
    "epsilon": uniform,
    "max_boltzmann": max_boltzmann,
    "softmax": softmax,
    "tempered": tempered,
}
