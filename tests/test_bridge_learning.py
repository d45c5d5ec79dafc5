"""Feedback of a swapped net learns as its rule says, and errors that come down by it teach."""

import pytest
import torch
from cells import distance
from others import NETS, gradients, inputs, make, plain, swapped
from points import sigma_points
from torch import nn

from agents.bridge import check_optimizer, mirror, swap
from agents.credit.weight_mirror import WeightMirror
from agents.weighted import weighted

each_kind = pytest.mark.parametrize("kind", NETS)


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize("optimizer", [torch.optim.SGD, torch.optim.AdamW])
@each_kind
def test_kolen_pollack_draws_feedback_to_the_weights_by_the_decay_alone(kind, optimizer, clip):
    net = swapped(kind, "kolen_pollack")
    its = optimizer(net.parameters(), lr=0.03, weight_decay=0.1)
    check_optimizer(its, net)
    start = [(layer.weight - layer.feedback).detach() for layer in weighted(net)]
    weights = [layer.weight.detach().clone() for layer in weighted(net)]
    for step in range(5):
        gradients(net, inputs(kind, seed=step))
        if clip is not None:
            assert nn.utils.clip_grad_norm_(net.parameters(), clip) > clip
        its.step()
    shrunk = (1 - 0.03 * 0.1) ** 5
    for layer, apart, weight in zip(weighted(net), start, weights, strict=True):
        assert distance(layer.weight - layer.feedback, shrunk * apart) < 1e-12
        assert distance(layer.weight, shrunk * weight) > 1e-6  # it did learn


@each_kind
def test_the_mirror_shows_the_weights_whatever_follows_the_layer(kind, monkeypatch):
    net = swapped(kind, "weight_mirror")
    net(inputs(kind))

    def points(rule, layer, trials, generator):
        units = layer.presynaptic.numel()
        return sigma_points(units, rule.noise).view(-1, *layer.presynaptic)

    monkeypatch.setattr(WeightMirror, "draw", points)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    starts = [layer.feedback.clone() for layer in weighted(net)]
    mirror(net, WeightMirror(rate=0.3))
    for layer, start in zip(weighted(net), starts, strict=True):
        assert distance(layer.feedback - start, 0.3 * (layer.weight - start)) < 1e-10
    assert all(torch.equal(v, before[k]) for k, v in plain(net.state_dict()).items())


def test_noise_by_and_by_shows_the_weights():
    net, noise = swapped("conv", "weight_mirror"), torch.Generator().manual_seed(0)
    net(inputs("conv"))
    for _ in range(100):
        mirror(net, WeightMirror(rate=0.05), trials=128, generator=noise)
    for layer in weighted(net):
        assert distance(layer.feedback, layer.weight) < 0.35  # it forgets as it learns: noise stays


def patterns(trials: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Four made-up classes (B, 2, 8, 8): a pattern of each, at any place, of either sign."""
    kinds = torch.randn(4, 2, 8, 8, generator=torch.Generator().manual_seed(7))
    lots = torch.Generator().manual_seed(seed)
    label, sign = (torch.randint(0, n, (trials,), generator=lots) for n in (4, 2))
    image = kinds[label] * (2 * sign - 1)[:, None, None, None]
    return image + 0.5 * torch.randn(image.shape, generator=lots), label


def accuracy(rule: str) -> float:
    """Of a ResNet after 60 batches; "frozen": only its output layer learns."""
    net = make("resnet").float()
    if rule == "frozen":
        net.requires_grad_(False).fc.requires_grad_(True)
    else:
        swap(net, rule, torch.Generator().manual_seed(1))
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02)
    for step in range(60):
        images, label = patterns(32, step)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images), label).backward()
        optimizer.step()
    images, label = patterns(500, 1000)
    return float((net.eval()(images).argmax(1) == label).double().mean())


def test_a_resnet_learns_from_errors_that_come_down_by_fixed_random_feedback():
    assert accuracy("feedback_alignment") > max(0.85, accuracy("frozen") + 0.2)


def test_feedback_stands_still_where_its_weight_does():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 3))
    net[2].requires_grad_(False)
    swap(net, "kolen_pollack")
    its = torch.optim.SGD(net.parameters(), lr=0.2, weight_decay=1e-3)
    check_optimizer(its, net)
    still, moves = net[2].feedback.clone(), net[4].feedback.clone()
    net(torch.randn(5, 6)).square().sum().backward()
    its.step()
    assert torch.equal(net[2].feedback, still)
    assert not torch.equal(net[4].feedback, moves)


@pytest.mark.parametrize("rule", ["feedback_alignment", "weight_mirror"])
def test_thawing_a_whole_net_does_not_let_fixed_feedback_learn(rule):
    net = swapped("conv", rule)
    net.requires_grad_(False)
    net.requires_grad_(True)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, weight_decay=0.1)
    check_optimizer(optimizer, net)
    before = [layer.feedback.detach().clone() for layer in weighted(net)]
    gradients(net, inputs("conv"))
    optimizer.step()
    for layer, start in zip(weighted(net), before, strict=True):
        assert torch.equal(layer.feedback, start)


def test_an_optimizer_takes_feedback_in_though_its_weight_is_frozen_for_now():
    net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    net.optimizer = torch.optim.SGD(net.parameters(), lr=0.2, weight_decay=1e-3)
    net[2].requires_grad_(False)
    swap(net, "kolen_pollack")
    net[2].requires_grad_(True)
    check_optimizer(net.optimizer, net)
    assert any(p is net[2].feedback for p in net.optimizer.param_groups[0]["params"])


def test_one_observation_without_a_batch_teaches_as_a_batch_of_one():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2))
    swap(net, "feedback_alignment")
    observation = torch.randn(4)
    changes = []
    for image in (observation, observation[None]):
        net.zero_grad()
        net(image).square().sum().backward()
        changes.append([p.grad for p in net.parameters() if p.grad is not None])
    assert len(changes[0]) == 4
    for alone, batched in zip(*changes, strict=True):
        assert distance(alone, batched) < 1e-6
