"""Node perturbation teaches the feedback the forward weights: exactly, by sigma points."""

import copy

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
from chains import inputs, make_chain
from points import QUADRATIC
from taught import fit, linear_net, slope
from torch import nn

from agents.credit import RULES, learned_feedback
from agents.credit.learned_feedback import LearnedFeedback
from agents.layers import Linear
from agents.signals import SIGNALS, PolicyGradient
from agents.weighted import weighted


@pytest.mark.parametrize("noise", [0.01, 1.0])
@pytest.mark.parametrize("signal", QUADRATIC)
@pytest.mark.parametrize("kind", ["readout", "hidden", "conv", "local"])
def test_feedback_that_is_the_weights_has_nothing_to_learn(kind, signal, noise, monkeypatch):
    net, images = linear_net(kind)
    rule = LearnedFeedback(noise=noise)
    for layer, (e, teacher) in fit(rule, net, signal, images, monkeypatch).items():
        assert slope(layer, e, teacher).norm() > 1e-3  # random feedback has
    copy_feedback(net)
    for layer, (e, teacher) in fit(rule, net, signal, images, monkeypatch).items():
        assert slope(layer, e, teacher).abs().max() < 1e-10


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
def test_under_curved_units_the_error_is_exact_up_to_the_noise_squared(signal, monkeypatch):
    away = []
    for noise in (0.02, 0.01):
        rule, net, images = LearnedFeedback(noise=noise), make_chain(nn.Tanh), inputs(20)
        settle(net, signal, images).costs.mean().backward()
        exact = net[1].weight.grad.clone()  # two layers of feedback below the output
        rule.prepare(net, torch.Generator())
        for layer in reversed(weighted(net)[1:]):  # the one above has converged
            e, teacher = fit(rule, net, signal, images, monkeypatch)[layer]
            layer.feedback.data = torch.linalg.pinv(e, rtol=1e-9) @ teacher
        net.zero_grad()
        rule.assign(net, settle(net, signal, images))
        away.append(distance(net[1].weight.grad, exact))
    assert away[1] < 1e-3
    assert away[0] / away[1] == pytest.approx(4, rel=0.01)


@pytest.mark.parametrize("signal", ["label", *QUADRATIC])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["learned_feedback", "direct_learned_feedback"])
def test_a_noiseless_second_pass_costs_what_the_first_did(name, kind, signal, monkeypatch):
    rule, net = RULES[name](noise=1.0), prepared(kind, name)
    hooks = [len(layer._forward_pre_hooks) for layer in weighted(net)]
    monkeypatch.setattr(learned_feedback, "draw", lambda like, *_: torch.zeros_like(like))
    trial = settle(net, signal, make_images())
    state = copy.deepcopy(net.state_dict())
    xi, difference = rule.perturb(net, trial)
    assert difference.abs().max() < 1e-12  # same dropout mask, same batch-norm statistics
    assert list(xi) == weighted(net)[1:]
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert [len(layer._forward_pre_hooks) for layer in weighted(net)] == hooks


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
        with pytest.raises(
            ValueError, match="noise is the standard deviation s > 0 of the perturbation"
        ):
            LearnedFeedback(noise=noise)
