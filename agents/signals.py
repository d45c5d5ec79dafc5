"""What the world tells the output layer.

A signal settles a trial: called with the output (B, K), the chosen actions (B,) and what the world
answered (reward or label, (B,)), it returns the trial's cost as a function of the output alone,
with everything else clamped. The gradient of that cost at the output is the teaching error; the
function itself serves the rules that look at the same trial a second time with noise.
A reward signal never sees a label.
"""

from collections.abc import Callable
from math import inf

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents import whole

Cost = Callable[[Tensor], Tensor]  # output (B, K) -> cost per trial (B,)


def chosen(output: Tensor, action: Tensor) -> Tensor:
    """The chosen unit's output, (B,)."""
    return output.gather(1, action[:, None]).squeeze(1)


def one_hot(label: Tensor, output: Tensor) -> Tensor:
    """1_y of each trial, like the output (B, K); PyTorch's own would look at labels on a CPU."""
    return torch.zeros_like(output).scatter(1, label[:, None], 1)


class Signal(nn.Module):
    """One way of answering an action."""

    learns_from = "reward"  # or "label"
    explore = "greedy"  # how an agent with this signal explores unless its settings say otherwise
    rewards = (-inf, inf)  # the least and the largest that it can learn from
    probabilities = True  # outputs are logits of probabilities; else they are values

    def meaning(self, output: Tensor) -> Tensor:
        """What the output (B, K) stands for: probabilities (softmax), or values as they are."""
        return output.softmax(1) if self.probabilities else output

    def forward(self, output: Tensor, action: Tensor, answer: Tensor) -> Cost:
        """Settle the trials: the cost (B,) as a function of the output."""
        raise NotImplementedError


class CrossEntropy(Signal):
    """Label: -log softmax(output)_y; error pi - 1_y."""

    learns_from = "label"

    def forward(self, output, action, answer):
        return lambda output: F.cross_entropy(output, answer, reduction="none")


class SquaredError(Signal):
    """Label: 0.5 |1_y - output|^2; error output - 1_y."""

    learns_from = "label"
    probabilities = False

    def forward(self, output, action, answer):
        target = one_hot(answer, output)
        return lambda output: 0.5 * (target - output).square().sum(1)


class BinaryCrossEntropy(Signal):
    """Label: a yes or no of each class, sum_k of -log sigmoid(+-output_k); error sigmoid - 1_y.

    The output units of the weight mirror's code (Akrout et al. 2019).
    """

    learns_from = "label"

    def meaning(self, output):
        return output.sigmoid()

    def forward(self, output, action, answer):
        target = one_hot(answer, output)
        return lambda output: F.binary_cross_entropy_with_logits(
            output, target, reduction="none"
        ).sum(1)


class RewardPrediction(Signal):
    """Reward: 0.5 (r - q_a)^2, the chosen unit predicts the reward; error -(r - q_a) 1_a.

    The reward prediction error r - q_a of Q-AGREL and BrainProp (Pozzi et al. 2020, eq. 5).
    """

    explore = "max_boltzmann"
    probabilities = False

    def forward(self, output, action, answer):
        return lambda q: 0.5 * (answer - chosen(q, action)).square()


class PolicyGradient(Signal):
    """Reward: -(r - b) log pi_a, pi = softmax(output); error -(r - b)(1_a - pi).

    REINFORCE (Williams 1992). `baseline` b never depends on the trial's own action:
    "none" (0), "running_mean" (of past rewards) or "leave_one_out" (mean of the batch's others).
    """

    explore = "softmax"
    BASELINES = ("none", "running_mean", "leave_one_out")

    mean: Tensor

    def __init__(self, baseline: str = "running_mean"):
        super().__init__()
        if baseline not in self.BASELINES:
            raise ValueError(f"unknown baseline {baseline!r}: choose one of {self.BASELINES}")
        self.baseline = baseline
        self.register_buffer("mean", torch.zeros(()))

    def forward(self, output, action, answer):
        rewards = answer.view(*self.mean.shape, -1)
        advantage = (rewards - self._baseline(rewards)).flatten()
        return lambda output: -advantage * chosen(output.log_softmax(1), action)

    def _baseline(self, reward: Tensor) -> Tensor:
        """What is subtracted from each reward (..., B); `mean` (...) has an entry for each net."""
        trials = whole.size(reward.movedim(-1, 0))
        if self.baseline == "running_mean":
            before = self.mean.clone()
            mean = whole.mean(reward.mean(-1))
            self.mean += (1 - 0.99**trials) * (mean - self.mean)  # .01 per trial
            return before[..., None]
        if self.baseline == "leave_one_out" and trials > 1:
            return (whole.total(reward.sum(-1, keepdim=True)) - reward) / (trials - 1)
        return torch.zeros_like(reward)


class Agrel(Signal):
    """Reward: only the chosen unit learns, error -(1 - pi_a) / pi_a if rewarded, else +1.

    Roelfsema & van Ooyen (2005) with sampled actions; averaged over actions the error is the
    supervised cross-entropy's, pi - 1_y. pi_a is held above `FLOOR`. A reward r between 0 and 1
    mixes the two cases. The cost is linear in the chosen output: that error is its gradient.
    """

    explore = "softmax"
    rewards = (0, 1)
    FLOOR = 0.02

    def forward(self, output, action, answer):
        probability = chosen(output.detach().softmax(1), action).clamp(min=self.FLOOR)
        error = 1 - answer / probability  # rewarded: -(1 - pi_a) / pi_a
        return lambda output: error * chosen(output, action)


class RewardLikelihood(Signal):
    """Reward: -r log pi_a - (1 - r) log(1 - pi_a): pi_a = softmax(output)_a is its probability.

    A rewarded trial reveals the class, error pi - 1_a; a refused one rules a class out, error
    pi_a / (1 - pi_a) (1_a - pi). The likelihood of what was seen, whoever chose the action: for
    any of them the mean error is zero where pi is the classes' true distribution. In multiclass
    terms cross-entropy with the label where it is known and with its complement where it is not.
    """

    explore = "softmax"
    rewards = (0, 1)

    def forward(self, output, action, answer):
        def cost(output: Tensor) -> Tensor:
            everything = output.logsumexp(1)
            others = output.scatter(1, action[:, None], -torch.inf).logsumexp(1)
            return everything - answer * chosen(output, action) - (1 - answer) * others

        return cost


SIGNALS: dict[str, type[Signal]] = {
    "label": CrossEntropy,
    "label_mse": SquaredError,
    "label_bce": BinaryCrossEntropy,
    "reward_prediction": RewardPrediction,
    "policy_gradient": PolicyGradient,
    "agrel": Agrel,
    "reward_likelihood": RewardLikelihood,
}
