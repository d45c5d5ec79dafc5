"""Node perturbation by rewards alone: modes B and C follow the expected reward, exactly.

The net is small enough that all actions are enumerated and the noise integrated, each case a trial
whose rewards are weighted by its chance.
"""

from dataclasses import replace
from itertools import product

import pytest
import torch
from cells import KINDS, distance, draw, make_images, make_net, settle
from points import Points, gauss_points
from torch import Tensor, nn

from agents.credit import Trial, node_perturbation
from agents.credit.node_perturbation import (
    NodePerturbationOneReward,
    NodePerturbationTwoRewards,
)
from agents.credit.noise import perturbed
from agents.layers import Linear
from agents.weighted import weighted

CLASS, NOISE = 1, 0.2
IMAGE = torch.tensor([[0.8, -0.5, 0.3]], dtype=torch.float64)


def small_net() -> nn.Sequential:
    net = draw(nn.Sequential(Linear(3, 2, bias=True), nn.Tanh(), Linear(2, 3)).double(), 1)
    net[2].weight.data *= 3  # so that some actions are much better than others
    return net


def gradient_of_reward(points, chances, at_clean: bool) -> list[Tensor]:
    """Gradient of minus the expected reward under noise, in the parameters by autograd.

    `at_clean`: in the units under noise, times the activity without it.
    """
    net = small_net()
    shifts = [torch.zeros(units, dtype=torch.float64, requires_grad=True) for units in (2, 3)]
    hidden = net[1](net[0](IMAGE) + points[:, :2] + shifts[0])
    chance = (net[2](hidden) + points[:, 2:] + shifts[1]).softmax(1)[:, CLASS]
    expected = -(chances @ chance)
    if not at_clean:
        return list(torch.autograd.grad(expected, list(net.parameters())))
    below, above = torch.autograd.grad(expected, shifts)
    return [below[:, None] * IMAGE, below, above[:, None] * net[1](net[0](IMAGE))]


def paid(output, action) -> tuple[Tensor, Tensor]:
    """Each trial's reward for an action, and the chance of that action."""
    return (action == CLASS).double(), output.softmax(1).gather(1, action[:, None]).squeeze(1)


def trial_of(images, output, reward, before=None) -> Trial:
    nothing = torch.zeros(len(images))
    return Trial(
        images, output, lambda q: nothing, nothing, torch.Generator(), lambda q: q, reward, before
    )


def one_reward(monkeypatch, mean, each=7) -> tuple[nn.Module, Tensor, Tensor, Trial]:
    """Every case of mode C with its chance, seen but not yet learned from."""
    net, rule = small_net(), NodePerturbationOneReward(NOISE)
    for layer in weighted(net):
        layer.keeps_error = True
    rule.prepare(net, torch.Generator())
    net.mean_reward = torch.tensor(mean, dtype=torch.float64)
    points, chances = gauss_points(5, NOISE, each)
    monkeypatch.setattr(node_perturbation, "draw", Points(points.repeat_interleave(3, 0)))
    images = IMAGE.expand(3 * len(points), -1)
    output = rule.look(net, images, torch.Generator(), None)
    reward, chance = paid(output, torch.arange(3).repeat(len(points)))
    return (
        net,
        points,
        chances.repeat_interleave(3) * chance.detach(),
        trial_of(images, output, reward),
    )


@pytest.mark.parametrize("mean", [0.0, 0.3, 0.9])
def test_one_reward_is_the_gradient_of_the_expected_reward(mean, monkeypatch):
    net, points, chances, trial = one_reward(monkeypatch, mean)
    advantage = (trial.reward - mean) * chances * len(chances)  # the batch mean divides it away
    NodePerturbationOneReward(NOISE).assign(net, replace(trial, reward=mean + advantage))
    _, noise_chances = gauss_points(5, NOISE, 7)
    expected = gradient_of_reward(points, noise_chances, at_clean=False)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        assert distance(parameter.grad, gradient) < 1e-6


def test_two_rewards_are_the_gradient_of_the_expected_reward(monkeypatch):
    net, rule = small_net(), NodePerturbationTwoRewards(NOISE)
    rule.prepare(net, torch.Generator())
    points, noise_chances = gauss_points(5, NOISE, 7)
    monkeypatch.setattr(node_perturbation, "draw", Points(points.repeat_interleave(9, 0)))
    images = IMAGE.expand(9 * len(points), -1)
    actions = torch.tensor(list(product(range(3), repeat=2))).repeat(len(points), 1).T
    first = rule.look(net, images, torch.Generator(), None)
    reward, chance = paid(first, actions[0])
    before = trial_of(images, first, reward)
    second = rule.look(net, images, torch.Generator(), before)
    again, another = paid(second, actions[1])
    weight = noise_chances.repeat_interleave(9) * chance.detach() * another * len(images)
    before = replace(before, reward=reward * weight)
    rule.assign(net, trial_of(images, second, again * weight, before))
    expected = gradient_of_reward(points, noise_chances, at_clean=True)
    for parameter, gradient in zip(net.parameters(), expected, strict=True):
        assert distance(parameter.grad, gradient) < 1e-6


def test_the_mean_reward_as_a_baseline_lowers_the_variance(monkeypatch):
    _, _, chances, trial = one_reward(monkeypatch, 0.0)
    mean = float(chances @ trial.reward)
    squares = []
    for baseline in (0.0, mean):
        net, _, chances, trial = one_reward(monkeypatch, baseline)
        NodePerturbationOneReward(NOISE).assign(net, trial)
        e = torch.cat([layer.error for layer in weighted(net)], 1) * len(chances)
        squares.append(chances @ e.square().sum(1))
    assert mean > 0.4
    assert squares[1] / squares[0] == pytest.approx(1 - mean, rel=0.2)  # E (r - b)^2 / E r^2


@pytest.mark.parametrize("kind", KINDS)
def test_without_noise_the_second_presentation_looks_like_the_first(kind, monkeypatch):
    monkeypatch.setattr(node_perturbation, "draw", lambda like, *_: torch.zeros_like(like))
    net, rule = make_net(kind), NodePerturbationTwoRewards()
    rule.prepare(net, torch.Generator())
    before = settle(net, "policy_gradient", make_images())
    with torch.no_grad():
        net.eval()(make_images(3))  # a prediction between the two
    net.train()
    answered = [stage.answered for stage in perturbed(net)]
    output = rule.look(net, before.images, torch.Generator(), before)
    assert distance(output, before.output) < 1e-12
    assert all(a is stage.answered for a, stage in zip(answered, perturbed(net), strict=True))
