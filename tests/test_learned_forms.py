"""The other forms of learned feedback: the direct one, and running least squares."""

from itertools import count

import pytest
import torch
from cells import (
    copy_feedback,
    distance,
    draw,
    gradients,
    make_images,
    make_net,
    prepared,
    settle,
)
from points import QUADRATIC
from taught import at_all_points, fit, linear_net, slope
from torch import Tensor, nn

from agents.credit import RULES, learned_feedback
from agents.credit.base import upper
from agents.credit.direct_learned_feedback import DirectLearnedFeedback
from agents.credit.learned_feedback import LearnedFeedback
from agents.credit.least_squares_feedback import LeastSquaresFeedback
from agents.credit.regression import as_feedback
from agents.layers import Linear
from agents.signals import Signal
from agents.weighted import weighted

FORMS = ["learned_feedback", "direct_learned_feedback", "least_squares_feedback"]


@pytest.mark.parametrize("kind", ["strided", "dropout", "batch_norm", "local", "residual"])
def test_without_a_rate_the_direct_form_is_direct_feedback_alignment_bit_for_bit(kind):
    net = prepared(kind, "direct_feedback_alignment")
    other = make_net(kind)
    fixed, rule = RULES["direct_feedback_alignment"](), DirectLearnedFeedback(rate=0.0)
    rule.prepare(other, torch.Generator())
    assert not any(layer.feedback.any() for layer in upper(other))  # starts at zero
    other.load_state_dict(net.state_dict())
    fixed.assign(net, settle(net, "label", make_images()))
    trial = settle(other, "label", make_images())
    rule.assign(other, trial)
    rule.learn(other, trial)
    assert all(torch.equal(value, gradients(net)[k]) for k, value in gradients(other).items())
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in other.state_dict().items())


@pytest.mark.parametrize("signal", QUADRATIC)
@pytest.mark.parametrize("noise", [0.01, 1.0])
def test_direct_least_squares_returns_the_whole_way_up_of_a_linear_net(noise, signal, monkeypatch):
    rule = DirectLearnedFeedback(noise=noise)
    net, images = linear_net("hidden", rule)
    way = torch.eye(3, dtype=torch.float64)
    fitted = fit(rule, net, signal, images, monkeypatch)
    for layer in reversed(upper(net)):
        e, teacher = fitted[layer]
        way = way @ layer.weight
        assert distance(torch.linalg.lstsq(e, teacher).solution, way) < 1e-9
        layer.feedback.data = way.detach()
        assert slope(layer, e, teacher).abs().max() < 1e-9


def test_the_direct_form_finds_the_best_linear_map_where_the_layerwise_one_is_right(monkeypatch):
    away = {}
    for rule in (LearnedFeedback(noise=1e-6), DirectLearnedFeedback(noise=1e-6)):
        net = nn.Sequential(Linear(6, 8), nn.ReLU(), Linear(8, 7), nn.ReLU(), Linear(7, 3))
        rule.prepare(draw(net.double(), 0), torch.Generator())
        if rule.layerwise:
            copy_feedback(net)  # the layer above has converged
        images = torch.rand(40, 6, generator=torch.Generator().manual_seed(0)).double()
        e, teacher = fit(rule, net, "label_mse", images, monkeypatch)[net[2]]
        fitted = torch.linalg.pinv(e, rtol=1e-9) @ teacher
        away[rule.layerwise] = distance(e @ fitted, teacher)
    assert away[True] < 1e-6
    assert away[False] > 0.1  # the slopes above change from trial to trial


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("noisy", range(3))
def test_the_noise_of_a_layer_teaches_that_layer_alone(noisy, form, monkeypatch):
    rule = RULES[form](noise=0.01)

    def learned(noisy) -> list[Tensor]:
        net, images = linear_net("hidden", rule)
        trial, calls = settle(net, "label", images), count()
        size = lambda: rule.noise if next(calls) == noisy else 0.0  # noqa: E731
        monkeypatch.setattr(learned_feedback, "draw", lambda h, *_: torch.full_like(h, size()))
        rule.assign(net, trial)
        rule.learn(net, trial)
        return [layer.feedback for layer in upper(net)]

    changed = [not torch.equal(*pair) for pair in zip(learned(noisy), learned(None), strict=True)]
    assert changed == [layer == noisy for layer in range(3)]


@pytest.mark.parametrize("form", FORMS)
def test_the_noisy_pass_begins_behind_the_first_layer_and_other_passes_do_not(form, monkeypatch):
    rule, net = RULES[form](), prepared("dense", form)
    trial, responded, respond = settle(net, "label", make_images()), [], Linear.respond

    def listed(layer, *given):
        responded.append(layer)
        return respond(layer, *given)

    monkeypatch.setattr(Linear, "respond", listed)
    rule.perturb(net, trial)
    assert responded == upper(net)
    net(trial.images)
    assert responded == [*upper(net), *weighted(net)]


@pytest.mark.parametrize("name", ["label", "reward_prediction"])
def test_direct_feedback_finds_the_way_up_of_a_frozen_net(name):
    net = draw(nn.Sequential(Linear(8, 10), Linear(10, 6), Linear(6, 4)), 0)
    rule = DirectLearnedFeedback()
    rule.prepare(net, torch.Generator())
    for trial in range(400):
        images = torch.rand(32, 8, generator=torch.Generator().manual_seed(trial))
        settled = settle(net, name, images, seed=trial)
        rule.assign(net, settled)
        rule.learn(net, settled)
    way = torch.eye(4) if name == "reward_prediction" else torch.eye(4) - 1 / 4  # e sums to 0
    for layer in reversed(upper(net)):
        way = way @ layer.weight.detach()
        assert torch.cosine_similarity(layer.feedback.flatten(), way.flatten(), 0) > 0.8


@pytest.mark.parametrize("kind", ["readout", "hidden", "conv", "local"])
@pytest.mark.parametrize("signal", QUADRATIC)
def test_running_least_squares_returns_the_weights(signal, kind, monkeypatch):
    rule = LeastSquaresFeedback(noise=0.5)
    net, images = linear_net(kind, rule)
    copy_feedback(net)
    trial, points = at_all_points(rule, net, settle(net, signal, images))
    xi, _ = rule.perturb(net, trial)  # for its shapes
    monkeypatch.setattr(learned_feedback, "draw", points)
    rule.assign(net, trial)
    rule.learn(net, trial)
    for layer, e in rule.errors(net, trial).items():
        fitted = as_feedback(layer, torch.linalg.solve(layer.V, layer.S))
        assert distance(layer.feedback, fitted) < 1e-9
        V = layer.V - rule.gamma * torch.eye(layer.fan_out)
        found = as_feedback(layer, torch.linalg.pinv(V, rtol=1e-9) @ layer.S)
        # hidden layers: the weights are not unique, what they carry is
        carried = [layer.below(e, xi[layer], weight) for weight in (found, layer.weight)]
        assert distance(*carried) < 1e-9
        if layer is net[-1]:
            assert distance(found, layer.weight) < 1e-9


class Length(Signal):
    """The same cost for a trial in whatever batch it comes."""

    def forward(self, output, action, answer):
        return lambda output: 0.5 * output.square().sum(1)


def test_trials_count_alike_in_least_squares_whatever_the_batch(monkeypatch):
    rule = LeastSquaresFeedback()
    monkeypatch.setattr(learned_feedback, "draw", lambda h, noise, _: noise * (9 * h).sin())
    fitted = []
    for batch in (12, 4):
        net, images = linear_net("readout", rule)
        for some in images.split(batch):
            trial = settle(net, Length(), some)
            rule.assign(net, trial)
            rule.learn(net, trial)
        fitted.append(net[-1].feedback)
    assert distance(*fitted) < 1e-9


def test_least_squares_does_not_lose_late_trials_to_single_precision():
    rule = LeastSquaresFeedback()
    net = draw(nn.Sequential(Linear(8, 6), nn.ReLU(), Linear(6, 4)), 0)
    rule.prepare(net, torch.Generator())
    before = net[2].V.fill_(1e8).clone()  # the sum of many
    trial = settle(net, "label", torch.rand(32, 8, generator=torch.Generator().manual_seed(0)))
    rule.assign(net, trial)
    rule.learn(net, trial)
    (e,) = rule.errors(net, trial).values()
    assert distance((net[2].V - before)[0], e.T.double() @ e.double()) < 1e-6


@pytest.mark.parametrize("form", FORMS)
def test_noise_of_nothing_is_refused_by_every_form(form):
    with pytest.raises(
        ValueError, match="noise is the standard deviation s > 0 of the perturbation, got 0"
    ):
        RULES[form](noise=0.0)


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("nan")])
def test_least_squares_without_a_start_is_refused(gamma):
    with pytest.raises(ValueError, match=f"gamma .* got {gamma}"):
        LeastSquaresFeedback(gamma=gamma)
