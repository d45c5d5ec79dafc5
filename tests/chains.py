"""Small chains of dense layers for the rules of feedback control, with feedback as one likes."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace

import torch
from cells import draw
from torch import Tensor, nn

from agents.credit import Trial
from agents.credit.circuit import Circuit
from agents.credit.control import Controlled, Moment
from agents.layers import Linear
from agents.networks.pixels import Pixels
from agents.weighted import weighted

UNSTABLE = [  # settings of any such rule that are refused, and how
    ({"steps": 0}, "steps is a number of Euler steps, 1 or more, got 0"),
    ({"dt": 0.3}, r"choose 0 < dt <= tau_v, got dt=0.3 and tau_v=0.(2|04)"),
    ({"dt": 0.0}, "choose 0 < dt <= tau_v"),
    ({"dt": float("nan")}, "choose 0 < dt <= tau_v"),
    ({"alpha": -0.1}, r"alpha \(leak\) and k_p \(gain\) are 0 or more, got -0.1"),
    ({"k_p": -1.0}, "k_p .* 0 or more"),
    ({"alpha": float("nan")}, "alpha .* 0 or more"),
]


def make_chain(phi: type[nn.Module] = nn.Tanh, sizes=(4, 6, 5, 3), seed: int = 0) -> nn.Sequential:
    """Layers of these sizes with biases, phi between them, linear outputs, float64."""
    modules = [
        module
        for below, above in zip(sizes, sizes[1:], strict=False)
        for module in (Linear(below, above, bias=True), phi())
    ]
    return draw(nn.Sequential(Pixels(flat=True), *modules[:-1]).double(), seed)


def ready(rule: Controlled, net: nn.Sequential, seed: int = 1) -> nn.Sequential:
    """The same net with random feedback, as the rule draws it where it does not learn."""
    replace(rule, rate=0.0).prepare(net, torch.Generator().manual_seed(seed))
    return net


def put_feedback(net: nn.Module, feedback: Tensor) -> None:
    """Give the layers their rows of Q (N, K)."""
    layers = weighted(net)
    for layer, part in zip(layers, feedback.split([m.fan_out for m in layers]), strict=True):
        layer.feedback.data.copy_(part)


def feedback_of(net: nn.Module) -> Tensor:
    """Q (N, K)."""
    return torch.cat([layer.feedback for layer in weighted(net)])


def inputs(trials: int, size: int = 4, seed: int = 2) -> Tensor:
    """Random inputs as images (B, size, 1, 1)."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(trials, size, 1, 1, generator=generator).double()


@torch.enable_grad()
def circuit_of(net: nn.Module, images: Tensor) -> Circuit:
    """The chain of a net that is ready, after a pass over these images."""
    net(images)
    return Circuit(net)


def jacobian(net: nn.Module, images: Tensor, push: Tensor | None = None) -> Tensor:
    """dr_L/dv of each trial (B, K, N) by autograd, where `push` (B, N) is added to the voltages."""
    circuit = circuit_of(net, images)
    push = images.new_zeros(len(images), circuit.units) if push is None else push

    def output(push):
        return circuit.forward(push).r[-1].sum(0)  # trials are independent of each other

    return torch.autograd.functional.jacobian(output, push).transpose(0, 1)  # type: ignore


@torch.no_grad()
def settled(
    rule: Controlled, net: nn.Module, images: Tensor, error: Callable[[Tensor], Tensor]
) -> Moment:
    """The last moment of the controller's dynamics."""
    (last,) = deque(rule.dynamics(circuit_of(net, images), error), maxlen=1)
    return last


def changes(rule: Controlled, net: nn.Module, trial: Trial) -> list[Tensor]:
    """What the rule makes of a trial: the change of each layer's weights, and of its biases."""
    net(trial.images)  # the rule goes on from the last pass
    rule.assign(net, trial)
    return [p.grad.clone() for layer in weighted(net) for p in (layer.weight, layer.bias)]
