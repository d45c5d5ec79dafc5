"""Node perturbation teaches the feedback the forward weights: exactly, by sigma points.

Noise is replaced by the points +-s sqrt(n) e_i of all n perturbed units together, which have the
Gaussian's moments up to the third: means over noise become sums, and identities exact.
"""

import copy
from itertools import product

import pytest
import torch
from cells import (
    KINDS,
    copy_feedback,
    distance,
    draw,
    gradients,
    make_images,
    make_net,
    prepared,
    settle,
)
from torch import nn

from agents.credit import learned_feedback
from agents.credit.learned_feedback import LearnedFeedback
from agents.layers import Conv2d, Linear, LocallyConnected2d, weighted
from agents.signals import SIGNALS, PolicyGradient

QUADRATIC = ["label_mse", "reward_prediction"]  # quadratic in a linear output: exact at any s


def linear_net(kind) -> tuple[nn.Sequential, torch.Tensor]:
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
    LearnedFeedback().prepare(net, torch.Generator())
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
        patched.setattr(LearnedFeedback, "draw", lambda *given: points(*given))
        patched.setattr(learned_feedback, "slope", slope)
        points.all(lambda: rule.learn(net, trial))
    layers = weighted(net)[1:]
    seen = seen[len(layers) :]  # without the count
    mean = {layer: sum(t for at, _, t in seen if at is layer) for layer in layers}
    count = len(seen) / len(layers)
    return {layer: (e, mean[layer] / count) for layer, e, _ in seen[: len(layers)]}


@pytest.mark.parametrize("noise", [0.01, 1.0])
@pytest.mark.parametrize("signal", QUADRATIC)
@pytest.mark.parametrize("kind", ["readout", "hidden", "conv", "local"])
def test_feedback_that_is_the_weights_has_nothing_to_learn(kind, signal, noise, monkeypatch):
    net, images = linear_net(kind)
    rule = LearnedFeedback(noise=noise)
    for layer, (e, teacher) in fit(rule, net, signal, images, monkeypatch).items():
        assert learned_feedback.slope(layer, e, teacher).norm() > 1e-3  # random feedback has
    copy_feedback(net)
    for layer, (e, teacher) in fit(rule, net, signal, images, monkeypatch).items():
        assert learned_feedback.slope(layer, e, teacher).abs().max() < 1e-10


@pytest.mark.parametrize("signal", QUADRATIC)
def test_least_squares_on_the_perturbations_returns_the_weights(signal, monkeypatch):
    net, images = linear_net("readout")
    ((layer, (e, teacher)),) = fit(LearnedFeedback(), net, signal, images, monkeypatch).items()
    assert distance(torch.linalg.lstsq(e, teacher).solution, layer.weight) < 1e-9
    trial = settle(net, signal, images)
    (error,) = torch.autograd.grad(trial.costs.sum(), trial.output)
    counts = (error.norm(dim=1) / learned_feedback.FLOOR).clamp(max=1)  # alike, above the floor
    assert distance(e.norm(dim=1), counts) < 1e-9


@pytest.mark.parametrize("signal", QUADRATIC)
def test_hidden_least_squares_returns_the_error_that_the_weights_carry(signal, monkeypatch):
    net, images = linear_net("hidden")
    copy_feedback(net)
    for layer, (e, teacher) in fit(LearnedFeedback(), net, signal, images, monkeypatch).items():
        fitted = torch.linalg.pinv(e, rtol=1e-9) @ teacher
        assert distance(e @ fitted, e @ layer.weight) < 1e-9
        assert torch.linalg.matrix_rank(e) <= 3  # the fitted matrix itself is not unique


def test_policy_gradient_returns_the_centred_weights_up_to_the_noise_squared(monkeypatch):
    away = {}
    for noise in (0.01, 0.05):
        net, images = linear_net("readout")
        signal = PolicyGradient()
        signal.mean.fill_(0.4)  # or the unrewarded trials would say nothing
        fitted = fit(LearnedFeedback(noise=noise), net, signal, images, monkeypatch)
        ((layer, (e, teacher)),) = fitted.items()
        centred = layer.weight - layer.weight.mean(0)
        away[noise] = distance(torch.linalg.pinv(e, rtol=1e-9) @ teacher, centred)
    assert away[0.01] < 1e-3
    assert away[0.05] / away[0.01] == pytest.approx(25, rel=0.1)


@pytest.mark.parametrize("signal", ["label", *QUADRATIC])
@pytest.mark.parametrize("kind", KINDS)
def test_a_noiseless_second_pass_costs_what_the_first_did(kind, signal, monkeypatch):
    monkeypatch.setattr(LearnedFeedback, "draw", lambda rule, activity, _: activity * 0)
    net = prepared(kind, "learned_feedback")
    trial = settle(net, signal, make_images())
    state = copy.deepcopy(net.state_dict())
    xi, costs = LearnedFeedback().perturb(net, trial)
    assert distance(costs, trial.costs) < 1e-12  # same dropout mask, same batch-norm statistics
    assert list(xi) == weighted(net)[1:]
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert not any(layer._forward_pre_hooks for layer in weighted(net))


@pytest.mark.parametrize("kind", ["strided", "dropout", "batch_norm"])
def test_without_a_rate_it_is_feedback_alignment_bit_for_bit(kind):
    net = prepared(kind, "feedback_alignment")
    other = make_net(kind)
    rule = LearnedFeedback(rate=0.0)
    rule.prepare(other, torch.Generator())
    other.load_state_dict(net.state_dict())
    settle(net, "label", make_images()).costs.mean().backward()
    trial = settle(other, "label", make_images())
    rule.assign(other, trial)
    rule.learn(other, trial)
    assert all(torch.equal(value, gradients(net)[k]) for k, value in gradients(other).items())
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in other.state_dict().items())


@pytest.mark.parametrize("name", ["label", "reward_prediction", "policy_gradient"])
def test_feedback_finds_the_weights_of_a_frozen_net(name):
    net = draw(nn.Sequential(Linear(8, 10), nn.ReLU(), Linear(10, 6), nn.ReLU(), Linear(6, 4)), 0)
    rule, signal = LearnedFeedback(), SIGNALS[name]()
    rule.prepare(net, torch.Generator())
    assert not any(layer.feedback.any() for layer in weighted(net)[1:])
    for trial in range(400):
        images = torch.rand(32, 8, generator=torch.Generator().manual_seed(trial))
        settled = settle(net, signal, images, seed=trial)
        rule.assign(net, settled)
        rule.learn(net, settled)
    for layer in weighted(net)[1:]:
        weight = layer.weight
        if layer is net[-1] and name != "reward_prediction":
            weight = weight - weight.mean(0)  # errors that sum to zero see no more of it
        assert torch.cosine_similarity(layer.feedback.flatten(), weight.flatten(), 0) > 0.8


def test_noise_of_nothing_is_refused():
    for noise in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="noise is the standard deviation s > 0 of xi"):
            LearnedFeedback(noise=noise)
