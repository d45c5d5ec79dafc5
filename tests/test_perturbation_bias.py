"""What perturbation teaches where nothing is quadratic: in the mean, the gradient under noise."""

from dataclasses import replace

import pytest
import torch
from cells import distance, draw, gradients, settle
from points import QUADRATIC, Flat, Points, gauss_points, repeated
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from agents.credit import Trial, node_perturbation, weight_perturbation
from agents.credit.node_perturbation import NodePerturbation
from agents.credit.noise import added
from agents.credit.weight_perturbation import WeightPerturbation
from agents.layers import Linear
from agents.weighted import weighted

every_signal = pytest.mark.parametrize("signal", ["label", *QUADRATIC])
every_form = pytest.mark.parametrize("symmetric", [False, True])


def curved(signal: str, bias: bool) -> tuple[nn.Sequential, Trial, dict[str, Tensor]]:
    """Two hidden layers, of 4 units and 4 weights in all, two trials, and the cost's gradient."""
    modules = [Linear(1, 1, bias), nn.Tanh(), Linear(1, 1, bias), nn.Tanh(), Linear(1, 2, bias)]
    net = draw(nn.Sequential(*modules).double(), 3)
    trial = settle(net, signal, torch.tensor([[1.0], [0.3]]).double())
    trial.costs.mean().backward()
    exact = gradients(net)
    net.zero_grad()
    return net, trial, exact


def at_all_points(net, trial, noise) -> tuple[Trial, Tensor]:
    """Both trials at each of 81 points of the units' noise, weighed, and that noise."""
    points, chances = gauss_points(4, noise, each=3)
    many, chances = repeated(net, trial, len(points)), chances.repeat_interleave(2) * len(points)
    weighed = replace(many, cost=lambda q: chances * many.cost(q), costs=chances * many.costs)
    return weighed, points.repeat_interleave(2, 0)


def by_nodes(rule, net, trial, monkeypatch) -> dict[str, Tensor]:
    """The mean change over the noise of all units."""
    many, xi = at_all_points(net, trial, rule.noise)
    monkeypatch.setattr(node_perturbation, "draw", Points(xi))
    rule.prepare(net, torch.Generator())
    net(many.images)  # the rule goes on from the last pass
    rule.assign(net, many)
    return gradients(net)


def by_weights(rule, net, trial, monkeypatch) -> dict[str, Tensor]:
    """The mean change over the noise of all weights."""
    mean = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    for point, chance in zip(*gauss_points(4, rule.noise, each=3), strict=True):
        monkeypatch.setattr(weight_perturbation, "normal_like", Flat(point))
        rule.assign(net, trial)
        for name, change in gradients(net).items():
            mean[name] += chance * change
    return mean


def flat(changes: dict[str, Tensor], kind: str = "") -> Tensor:
    """Those of a kind of parameter, as one vector."""
    return torch.cat([change.flatten() for name, change in changes.items() if kind in name])


@every_form
@every_signal
def test_node_perturbation_finds_the_gradient_of_the_cost_under_noise(
    signal, symmetric, monkeypatch
):
    """In the biases: a weight hears the activity without noise, whose gradient is another."""
    net, trial, exact = curved(signal, bias=True)
    many, xi = at_all_points(net, trial, 0.05)
    xi = dict(zip(weighted(net), xi.split([1, 1, 2], 1), strict=True))
    with added(net, lambda layer, _: xi[layer]):
        many.cost(net(many.images)).mean().backward()
    smooth = flat(gradients(net), "bias")
    net.zero_grad()
    found = flat(by_nodes(NodePerturbation(0.05, symmetric), net, trial, monkeypatch), "bias")
    assert distance(found, smooth) < 0.01 * distance(flat(exact, "bias"), smooth)


@every_form
@every_signal
def test_weight_perturbation_finds_the_gradient_of_the_cost_under_noise(
    signal, symmetric, monkeypatch
):
    net, trial, exact = curved(signal, bias=False)

    def cost(eps):
        parts = zip(net.named_parameters(), eps.split([1, 1, 2]), strict=True)
        moved = {name: p + part.view_as(p) for (name, p), part in parts}
        return trial.cost(functional_call(net, moved, trial.images)).mean()

    points, chances = gauss_points(4, 0.05, each=3)
    smooth = chances @ vmap(grad(cost))(points)
    found = flat(by_weights(WeightPerturbation(0.05, symmetric), net, trial, monkeypatch))
    assert distance(found, smooth) < 0.01 * distance(flat(exact), smooth)


@every_form
@every_signal
@pytest.mark.parametrize("rule", [NodePerturbation, WeightPerturbation])
def test_half_the_noise_leaves_a_quarter_of_the_bias(rule, signal, symmetric, monkeypatch):
    nodes, away = rule is NodePerturbation, []
    for noise in (0.02, 0.01):
        net, trial, exact = curved(signal, bias=nodes)
        mean = by_nodes if nodes else by_weights
        found = mean(rule(noise, symmetric), net, trial, monkeypatch)
        away.append(distance(flat(found), flat(exact)))
    assert away[0] / away[1] == pytest.approx(4, rel=0.02)
