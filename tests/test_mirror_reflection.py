"""What the weight mirror sees of a layer, exactly: by sigma points, each a trial of one batch."""

from math import prod

import numpy as np
import pytest
import torch
from cells import distance, draw
from points import sigma_points
from torch import nn

from agents.credit.weight_mirror import WeightMirror
from agents.layers import Conv2d, Linear, LocallyConnected2d

LAYERS = {  # layers and the size (H, W) of their input of two maps
    "dense": (lambda: Linear(7, 4, bias=True), None),
    "conv": (lambda: Conv2d(2, 3, 3), (5, 4)),
    "padded": (lambda: Conv2d(2, 3, 3, padding=1, bias=True), (7, 7)),
    "widely padded": (lambda: Conv2d(2, 3, 3, padding=2), (4, 3)),
    "strided": (lambda: Conv2d(2, 3, 3, stride=2), (6, 7)),
    "strided and padded": (lambda: Conv2d(2, 3, 3, stride=2, padding=1), (5, 6)),
    "gaps": (lambda: Conv2d(2, 3, 2, stride=3, bias=True), (6, 5)),
    "local": (lambda: LocallyConnected2d(2, 3, 3, (5, 4), bias=True), (5, 4)),
    "strided local": (lambda: LocallyConnected2d(2, 3, 2, (5, 4), stride=2), (5, 4)),
    "padded local": (lambda: LocallyConnected2d(2, 3, 3, (4, 3), padding=1), (4, 3)),
}


def make_layer(kind):
    make, size = LAYERS[kind]
    layer = draw(nn.Sequential(make()).double(), 0)[0]
    return layer, (7,) if size is None else (2, *size)


def points_of(shape, noise) -> torch.Tensor:
    """The sigma points of an input of this shape, one a trial."""
    return sigma_points(prod(shape), noise).unflatten(1, shape)


def met(layer, shape) -> torch.Tensor:
    """1 for taps that meet a unit somewhere, 0 for those that only meet padding."""
    units = torch.ones(1, *shape, dtype=torch.float64)
    answer = layer.respond(units, layer.weight, None)
    return (layer.product(torch.ones_like(answer), units) > 0).double()


@pytest.mark.parametrize("noise", [0.1, 2.0])
@pytest.mark.parametrize("kind", LAYERS)
def test_a_linear_layer_is_reflected_as_it_is(kind, noise):
    layer, shape = make_layer(kind)
    seen = WeightMirror(noise=noise).reflection(layer, nn.Identity(), points_of(shape, noise))
    assert distance(seen, layer.weight * met(layer, shape)) < 1e-10
    assert bool((met(layer, shape) == 0).any()) == (kind == "padded local")


@pytest.mark.parametrize("kind", LAYERS)
def test_rectified_units_without_bias_are_reflected_by_half(kind):
    layer, shape = make_layer(kind)
    layer.bias = None
    seen = WeightMirror(noise=0.3).reflection(layer, nn.ReLU(), points_of(shape, 0.3))
    assert distance(seen, layer.weight * met(layer, shape) / 2) < 1e-10


def test_smooth_units_are_reflected_by_their_mean_slope():
    """Stein's identity E[phi(w xi + b) xi] / s^2 = E[phi'] w, by Gauss-Hermite quadrature."""
    s = 0.8
    layer = draw(nn.Sequential(Linear(2, 3, bias=True)).double(), 0)[0]
    layer.bias.data = torch.tensor([0.0, 0.7, -1.5]).double()
    nodes, weights = np.polynomial.hermite_e.hermegauss(40)
    nodes, weights = torch.tensor(nodes), torch.tensor(weights / weights.sum())
    rule = WeightMirror(noise=s)
    seen = sum(
        v * w * rule.reflection(layer, nn.Tanh(), s * torch.stack([x, y])[None])
        for x, v in zip(nodes, weights, strict=True)
        for y, w in zip(nodes, weights, strict=True)
    )
    spread = s * layer.weight.norm(dim=1)  # of each unit's a
    a = layer.bias + nodes[:, None] * spread
    slope = (weights[:, None] * (1 - a.tanh() ** 2)).sum(0)
    assert slope.max() / slope.min() > 2  # units differ, so B is no multiple of W
    assert distance(seen, slope[:, None] * layer.weight) < 1e-8
