"""What node perturbation teaches small nets without any nonlinearity, exactly: by sigma points."""

import torch
from cells import draw, settle
from points import Points, repeated, sigma_points
from torch import nn

from agents.credit import Trial, learned_feedback
from agents.credit.learned_feedback import LearnedFeedback
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.weighted import weighted


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


def at_all_points(rule, net, trial) -> tuple[Trial, Points]:
    """The trial at each sigma point of all perturbed units together, and that noise."""
    units = sum(xi[0].numel() for xi in rule.perturb(net, trial)[0].values())
    points = sigma_points(units, rule.noise).repeat_interleave(len(trial.images), 0)
    return repeated(net, trial, 2 * units), Points(points)


def slope(layer, e, teacher) -> torch.Tensor:
    """The gradient that the layer's feedback has where it hears e."""
    residual = layer.below(e, teacher, layer.feedback) - teacher
    return learned_feedback.slope(layer, e, residual)


def fit(rule, net, signal, images, monkeypatch) -> dict:
    """Each layer's e and lambda^ as `learn` has them, averaged over the noise.

    `learn` has the errors that came down; here they must be what the feedback makes of e.
    """
    trial, points = at_all_points(rule, net, settle(net, signal, images))
    fitted = {}

    def slope(layer, e, residual):
        e, residual = (x.unflatten(0, (-1, len(images))).mean(0) for x in (e, residual))
        fitted[layer] = e, layer.below(e, residual, layer.feedback) - residual
        return torch.zeros_like(layer.feedback)

    rule.assign(net, trial)
    with monkeypatch.context() as patched:
        patched.setattr(learned_feedback, "draw", points)
        patched.setattr(learned_feedback, "slope", slope)
        rule.learn(net, trial)
    return fitted
