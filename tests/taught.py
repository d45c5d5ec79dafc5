"""What node perturbation teaches, without its noise: means over sigma points, and small nets.

Noise is replaced by the points +-s sqrt(n) e_i of all n perturbed units together, which have the
Gaussian's moments up to the third: means over noise become sums, and identities exact.
"""

from itertools import product

import torch
from cells import draw, settle
from torch import nn

from agents.credit import learned_feedback
from agents.credit.learned_feedback import LearnedFeedback
from agents.layers import Conv2d, Linear, LocallyConnected2d, weighted

QUADRATIC = ["label_mse", "reward_prediction"]  # quadratic in a linear output: exact at any s


def linear_net(kind, rule=LearnedFeedback()) -> tuple[nn.Sequential, torch.Tensor]:  # noqa: B008
    """A net without any nonlinearity, its feedback at random, and its input."""
    images = torch.randn(12, 2, 5, 4, generator=torch.Generator().manual_seed(1)).double()
    layers = {
        "readout": lambda: [nn.Flatten(), Linear(40, 4), Linear(4, 3)],
        "hidden": lambda: [nn.Flatten(), Linear(40, 4), Linear(4, 5), Linear(5, 4), Linear(4, 3)],
        "conv": lambda: [Conv2d(2, 2, 2), Conv2d(2, 3, 2, stride=2), nn.Flatten(), Linear(6, 3)],
        "local": lambda: [
            Conv2d(2, 2, 2), LocallyConnected2d(2, 3, 2, (4, 3), stride=2), nn.Flatten(),
            Linear(6, 3),
        ],
    }  # fmt: skip
    net = draw(nn.Sequential(*layers[kind]()).double(), 0)
    rule.prepare(net, torch.Generator())
    for seed, layer in enumerate(weighted(net)[1:]):
        layer.feedback.data.normal_(generator=torch.Generator().manual_seed(seed))
    return net, images


class SigmaPoints:
    """Stands in for LearnedFeedback.draw: one unit of one layer is moved, in all trials alike."""

    def __init__(self, size: float):
        self.size = size
        self.point, self.sign, self.units = -1, 0.0, []  # units of the layers drawn for so far

    def __call__(self, rule, activity, generator):
        noise = torch.zeros_like(activity)
        index = self.point - sum(self.units)
        self.units.append(activity[0].numel())
        if 0 <= index < activity[0].numel():
            noise.flatten(1)[:, index] = self.sign * self.size
        return noise

    def all(self, perturb):
        """Make each point's move in turn."""
        perturb()  # only counts the units
        total = sum(self.units)
        self.size *= total**0.5
        for self.point, self.sign in product(range(total), (1.0, -1.0)):
            self.units = []
            perturb()


def fit(rule, net, signal, images, monkeypatch) -> dict:
    """Each layer's e and lambda^ as `learn` has them, averaged over the noise."""
    trial, points, seen = settle(net, signal, images), SigmaPoints(rule.noise), []

    def slope(layer, e, teacher):
        seen.append((layer, e, teacher))
        return torch.zeros_like(layer.feedback)

    rule.assign(net, trial)
    with monkeypatch.context() as patched:
        patched.setattr(type(rule), "draw", lambda *given: points(*given))
        patched.setattr(learned_feedback, "slope", slope)
        points.all(lambda: rule.learn(net, trial))
    layers = weighted(net)[1:]
    seen = seen[len(layers) :]  # without the count
    mean = {layer: sum(t for at, _, t in seen if at is layer) for layer in layers}
    count = len(seen) / len(layers)
    return {layer: (e, mean[layer] / count) for layer, e, _ in seen[: len(layers)]}
