"""Node and weight perturbation: the mean of what they do, and how far it scatters."""

import copy

import pytest
import torch
from cells import KINDS, PERTURBING, distance, draw, gradients, make_images, make_net, settle
from points import QUADRATIC, Flat, Points, gauss_points, repeated, sigma_points
from torch import Tensor, nn

from agents.credit import RULES, Trial, node_perturbation, weight_perturbation
from agents.credit.node_perturbation import NodePerturbation
from agents.credit.noise import perturbed
from agents.credit.weight_perturbation import WeightPerturbation
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.learner import Agent
from agents.networks import Pixels
from agents.second_look import BatchNorm2d, second_look
from agents.settings import Settings
from agents.weighted import weighted


def linear(net: nn.Module) -> nn.Module:
    """The net without its nonlinearities."""
    for name, module in net.named_children():
        if isinstance(module, nn.ReLU):
            setattr(net, name, nn.Identity())
        elif isinstance(module, nn.MaxPool2d):
            setattr(net, name, nn.AvgPool2d(module.kernel_size))
        else:
            linear(module)
    return net


def seen_again(net, trial) -> dict[str, Tensor]:
    """The gradient with batch statistics that stand still."""
    with second_look(net):
        trial.cost(net(trial.images)).mean().backward()
    expected = gradients(net)
    net.zero_grad()
    return expected


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("signal", QUADRATIC)
@pytest.mark.parametrize("kind", KINDS)
def test_node_perturbation_is_the_gradient_in_the_mean(kind, signal, symmetric, monkeypatch):
    net, rule = linear(make_net(kind)), NodePerturbation(0.5, symmetric)
    trial = settle(net, signal, make_images(2))
    expected = seen_again(net, trial)
    rule.prepare(net, torch.Generator())
    with second_look(net):
        net(trial.images)
    units = sum(stage.answered[0].numel() for stage in perturbed(net))
    points = Points(sigma_points(units, rule.noise).repeat_interleave(2, 0))
    trial = repeated(net, trial, 2 * units)
    monkeypatch.setattr(node_perturbation, "draw", points)
    rule.assign(net, trial)
    assert points.used == units  # all at once, and the same noise with either sign
    found = gradients(net)
    assert found.keys() == expected.keys()
    for name, gradient in found.items():
        assert distance(gradient, expected[name]) < 1e-10, name


SINGLE = {  # quadratic in the parameters: one layer, any kind
    "dense": lambda: [Pixels(flat=False), nn.AvgPool2d(3), nn.Flatten(), Linear(8, 3, bias=True)],
    "conv": lambda: [Pixels(flat=False), Conv2d(2, 2, 3, stride=2, bias=True)],
    "local": lambda: [
        Pixels(flat=False), LocallyConnected2d(2, 1, 3, (7, 6), stride=2, bias=True),
    ],
    "batch_norm": lambda: [Pixels(flat=False), BatchNorm2d(2)],
}  # fmt: skip


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("signal", QUADRATIC)
@pytest.mark.parametrize("kind", SINGLE)
def test_weight_perturbation_is_the_gradient_in_the_mean(kind, signal, symmetric, monkeypatch):
    net = draw(nn.Sequential(*SINGLE[kind](), nn.Flatten()).double(), 0)
    rule, trial = WeightPerturbation(0.5, symmetric), settle(net, signal, make_images(2))
    expected = seen_again(net, trial)
    numbers = sum(p.numel() for p in net.parameters())
    points = sigma_points(numbers, rule.noise)
    mean = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    for point in points:
        monkeypatch.setattr(weight_perturbation, "normal_like", Flat(point))
        rule.assign(net, trial)
        for name, p in net.named_parameters():
            mean[name] += p.grad / len(points)
    for name, gradient in mean.items():
        assert distance(gradient, expected[name]) < 1e-10, name


def clamped(net, images, cost) -> Trial:
    """A trial of any cost."""
    output = net(images)
    return Trial(images, output, cost, cost(output), torch.Generator(), lambda q: q, None)


SLOPE = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64)


def test_node_perturbation_scatters_with_the_number_of_units(monkeypatch):
    net = draw(nn.Sequential(Linear(4, 2), Linear(2, 3)).double(), 0)
    rule = NodePerturbation(0.7)
    rule.prepare(net, torch.Generator())
    points, chances = gauss_points(5, rule.noise, each=3)  # a variance has degree 4
    for layer in weighted(net):
        layer.keeps_error = True
    trial = clamped(net, torch.ones(len(points), 4).double(), lambda output: output @ SLOPE)
    monkeypatch.setattr(node_perturbation, "draw", Points(points))
    rule.assign(net, trial)
    e = torch.cat([layer.error for layer in weighted(net)], 1) * len(points)
    gradient = torch.cat([SLOPE @ net[1].weight, SLOPE]).detach()
    assert distance(chances @ e, gradient) < 1e-10
    assert distance(chances @ (e - gradient).square().sum(1), 6 * gradient.square().sum()) < 1e-10


def test_weight_perturbation_scatters_with_the_number_of_weights(monkeypatch):
    net, rule = draw(nn.Sequential(Linear(2, 3)).double(), 0), WeightPerturbation(0.7)
    points, chances = gauss_points(6, rule.noise, each=3)
    trial = clamped(net, torch.tensor([[1.0, 0.5], [-2.0, 1.0]]).double(), lambda q: q @ SLOPE)
    (gradient,) = torch.autograd.grad(trial.costs.mean(), net[0].weight)
    found = torch.zeros(len(points), *gradient.shape, dtype=torch.float64)
    for at, point in enumerate(points):
        monkeypatch.setattr(weight_perturbation, "normal_like", Flat(point))
        rule.assign(net, trial)
        found[at] = net[0].weight.grad
    scatter = chances @ (found - gradient).square().sum((1, 2))
    assert distance(scatter, 7 * gradient.square().sum()) < 1e-10


@pytest.mark.parametrize("rule", [NodePerturbation, WeightPerturbation])
def test_at_a_minimum_the_symmetric_difference_is_silent(rule):
    largest = []
    for symmetric in (False, True):
        net = linear(make_net("dense"))
        if rule is WeightPerturbation:
            net = draw(nn.Sequential(Pixels(flat=True), Linear(84, 3)).double(), 0)  # quadratic
        chosen = rule(0.5, symmetric)
        chosen.prepare(net, torch.Generator())
        images, goal = make_images(), net(make_images()).detach()
        trial = clamped(net, images, lambda output, goal=goal: (output - goal).square().sum(1))
        chosen.assign(net, trial)
        largest.append(max(float(g.abs().max()) for g in gradients(net).values()))
    assert largest[0] > 0.1
    assert largest[1] < 1e-12


@pytest.mark.parametrize("signal", ["label", "reward_prediction"])
@pytest.mark.parametrize("rule", [NodePerturbation, WeightPerturbation])
@pytest.mark.parametrize("kind", KINDS)
def test_without_noise_the_second_look_costs_what_the_first_did(kind, rule, signal, monkeypatch):
    nodes = rule is NodePerturbation
    module = node_perturbation if nodes else weight_perturbation
    drawn = "draw" if nodes else "normal_like"
    monkeypatch.setattr(module, drawn, lambda like, *_: torch.zeros_like(like))
    differences = []
    difference = module.difference
    monkeypatch.setattr(
        module, "difference", lambda *of: differences.append(difference(*of)) or differences[-1]
    )
    net = make_net(kind)
    rule().prepare(net, torch.Generator())
    trial = settle(net, signal, make_images())
    state = copy.deepcopy(net.state_dict())
    rule().assign(net, trial)
    assert differences[0].abs().max() < 1e-12  # same dropout mask, same batch-norm statistics
    assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert not any(stage._forward_hooks for stage in net.modules() if rule is WeightPerturbation)


@pytest.mark.parametrize("rule", PERTURBING)
@pytest.mark.parametrize("noise", [0.0, -1.0, float("nan"), float("inf")])
def test_noise_of_nothing_is_refused(rule, noise):
    with pytest.raises(ValueError, match=f"noise is the standard deviation s > 0 .* got {noise}"):
        RULES[rule](noise=noise)


@pytest.mark.parametrize("rule", ["node_perturbation", "weight_perturbation"])
def test_the_symmetric_difference_takes_one_more_pass(rule):
    for symmetric, passes in [(False, 2), (True, 3)]:
        chosen = RULES[rule](symmetric=symmetric)
        agent = Agent(Settings("label", chosen, sizes=(8, 6)), (5, 4, 1), 3)
        seen = []
        agent.net.register_forward_hook(lambda *_, seen=seen: seen.append(1))
        agent.act(torch.rand(4, 5, 4, 1))
        agent.learn(torch.ones(4, dtype=torch.int64))
        assert len(seen) == chosen.passes == passes
