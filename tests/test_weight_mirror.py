"""The weight mirror: noise alone teaches the feedback, and nothing else does."""

import copy

import cells
import gymnasium as gym
import pytest
import torch
from cells import distance, draw, make_images, prepared, settle
from points import sigma_points
from torch import nn

import credit_envs  # noqa: F401
from agents import Settings, make_agent, train
from agents.credit.weight_mirror import WeightMirror
from agents.layers import Linear
from agents.weighted import weighted


def make(after: type[nn.Module], bias: bool = False) -> nn.Sequential:
    """Layers of 6, 8, 5 and 4 units with this activation function between."""
    net = nn.Sequential(
        Linear(6, 8, bias), after(), Linear(8, 5, bias), after(), Linear(5, 4, bias)
    )  # fmt: skip
    net = draw(net.double(), 0)
    WeightMirror().prepare(net, torch.Generator().manual_seed(1))
    return net


def mirror_trial(net, seed: int = 2):
    images = torch.rand(16, 6, generator=torch.Generator().manual_seed(seed)).double()
    return settle(net, "label", images, seed)


@pytest.mark.parametrize("rate", [0.01, 0.3, 1.0])
@pytest.mark.parametrize(("after", "gain"), [(nn.Identity, 1), (nn.ReLU, 0.5)])
def test_feedback_goes_a_part_of_the_way_to_what_it_sees(after, gain, rate, monkeypatch):
    net, rule = make(after), WeightMirror(rate=rate)
    trial = mirror_trial(net)
    before = [layer.feedback.clone() for layer in weighted(net)[1:]]
    monkeypatch.setattr(
        WeightMirror, "draw",
        lambda rule, layer, *_: sigma_points(*layer.presynaptic, rule.noise),
    )  # fmt: skip
    rule.learn(net, trial)
    for layer, old, part in zip(weighted(net)[1:], before, [gain, 1], strict=True):
        assert distance(layer.feedback - old, rate * (part * layer.weight - old)) < 1e-10


@pytest.mark.parametrize("kind", ["dense", "strided", "local", "batch_norm", "dropout"])
def test_mirroring_knows_neither_images_nor_labels_nor_errors(kind):
    net = prepared(kind, "weight_mirror")
    other = copy.deepcopy(net)
    before = [layer.feedback.clone() for layer in weighted(net)[1:]]
    for one, signal, seed in [(net, "label", 1), (other, "reward_prediction", 5)]:
        trial = settle(one, signal, make_images(seed=seed), seed)
        trial.generator = torch.Generator().manual_seed(8)
        WeightMirror().assign(one, trial)
        if one is other:
            one(make_images(11))  # a prediction between acting and learning
        WeightMirror().learn(one, trial)
    for layer, same, old in zip(weighted(net)[1:], weighted(other)[1:], before, strict=True):
        assert torch.equal(layer.feedback, same.feedback)
        assert not torch.equal(layer.feedback, old)


def test_mirroring_changes_nothing_but_the_feedback():
    net = prepared("batch_norm", "weight_mirror")
    trial = settle(net, "label", make_images())
    WeightMirror().assign(net, trial)
    before, changes = copy.deepcopy(net.state_dict()), cells.gradients(net)
    WeightMirror().learn(net, trial)
    changed = {k for k, value in net.state_dict().items() if not torch.equal(value, before[k])}
    assert changed == {k for k in before if k.endswith("feedback")}
    assert all(torch.equal(value, changes[k]) for k, value in cells.gradients(net).items())


def test_every_layer_and_batch_has_fresh_noise_of_its_own(monkeypatch):
    net = draw(nn.Sequential(*[Linear(20, 20) for _ in range(4)]).double(), 0)
    rule, seen, take = WeightMirror(noise=0.3), [], WeightMirror.draw
    rule.prepare(net, torch.Generator())

    def watch(*given):
        seen.append(take(*given))
        return seen[-1]

    monkeypatch.setattr(WeightMirror, "draw", watch)
    trial = settle(net, "label", torch.rand(500, 20).double())
    rule.learn(net, trial)
    rule.learn(net, trial)
    draws = torch.stack(seen).flatten(1)
    assert draws.shape == (6, 500 * 20)
    assert torch.allclose(draws.corrcoef(), torch.eye(6).double(), atol=0.06)
    assert torch.allclose(draws.std(1), torch.tensor(0.3).double(), rtol=0.04)
    assert draws.mean(1).abs().max() < 0.02


@pytest.mark.parametrize("start", [0.0, 1.0, 100.0])
@pytest.mark.parametrize(("after", "gain"), [(nn.Identity, 1), (nn.ReLU, 0.5)])
def test_feedback_finds_frozen_weights_and_their_size_wherever_it_starts(after, gain, start):
    net, rule = make(after), WeightMirror(rate=0.02)
    trial = mirror_trial(net)
    for layer in weighted(net)[1:]:
        layer.feedback *= start
    for _ in range(1500):
        rule.learn(net, trial)
    for layer, part in zip(weighted(net)[1:], [gain, 1], strict=True):
        b, w = layer.feedback.flatten(), layer.weight.detach().flatten()
        assert torch.cosine_similarity(b, w, 0) > 0.98
        assert float(b.norm() / w.norm()) == pytest.approx(part, rel=0.1)


def test_rectified_nets_without_bias_do_not_care_how_strong_the_noise_is():
    feedback = []
    for noise in (0.01, 1.0):
        net = make(nn.ReLU)
        WeightMirror(noise=noise, rate=1.0).learn(net, mirror_trial(net))
        feedback.append([layer.feedback for layer in weighted(net)[1:]])
    for weak, strong in zip(*feedback, strict=True):
        assert distance(weak, strong) < 1e-10


def test_the_feedback_of_a_net_that_learns_comes_to_point_as_its_weights_do():
    env = gym.make_vec("DigitsReward-v0", num_envs=32, reveal_label=True)
    env.reset(seed=0)
    settings = Settings("label", "weight_mirror", sizes=(64, 32), lr=0.1)
    agent = make_agent(settings, env, seed=0, device="cpu")

    def alignment() -> list[float]:
        return [
            float(torch.cosine_similarity(m.feedback.flatten(), m.weight.detach().flatten(), 0))
            for m in weighted(agent.net)[1:]
        ]

    assert max(map(abs, alignment())) < 0.2
    first = [layer.weight.detach().clone() for layer in weighted(agent.net)[1:]]
    train(agent, env, 12_000, progress_bar=False)
    assert min(alignment()) > 0.95
    for layer, old in zip(weighted(agent.net)[1:], first, strict=True):
        assert distance(layer.weight, old) > 0.2  # a moving target


@pytest.mark.parametrize("noise", [0.0, -1.0, float("nan"), float("inf")])
def test_a_mirror_phase_without_noise_is_refused(noise):
    with pytest.raises(ValueError, match="noise is the standard deviation s > 0"):
        WeightMirror(noise=noise)


@pytest.mark.parametrize("rate", [0.0, -0.1, 1.1, float("nan")])
def test_a_rate_that_is_no_part_is_refused(rate):
    with pytest.raises(ValueError, match=r"rate is the part of B made anew by a batch, in 0\.\.1"):
        WeightMirror(rate=rate)
