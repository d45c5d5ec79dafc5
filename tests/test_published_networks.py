"""LeNet and Lansdell's network: sizes, frames, pools and units are those of their sources."""

import pytest
import torch
from torch import nn

from agents.layers import Conv2d, Linear
from agents.networks import NETWORKS, initialise
from agents.networks.lansdell import Standardised
from agents.responses import responses
from agents.second_look import Dropout
from agents.weighted import weighted

MNIST, CIFAR = (28, 28, 1), (32, 32, 3)
SHAPES = {
    ("lenet", MNIST): [(6, 1, 5, 5), (16, 6, 5, 5), (120, 16, 5, 5), (84, 120), (10, 84)],
    ("lenet_cifar", CIFAR): [
        (32, 3, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (256, 128), (10, 256)
    ],
    ("lansdell", CIFAR): [
        (96, 3, 5, 5), (128, 96, 5, 5), (256, 128, 5, 5), (2048, 4096), (2048, 2048), (10, 2048)
    ],
}  # fmt: skip


def make(network, shape):
    return NETWORKS[network](shape, 10, (), torch.Generator().manual_seed(0))


@pytest.mark.parametrize(("network", "shape"), SHAPES)
def test_layers_have_the_published_sizes_and_biases(network, shape):
    net = make(network, shape)
    assert [tuple(layer.weight.shape) for layer in weighted(net)] == SHAPES[network, shape]
    assert all(layer.bias is not None for layer in weighted(net))
    assert net(torch.zeros(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize(
    ("network", "units"),
    [
        ("lenet", [nn.ReLU] * 4 + [nn.Identity]),
        ("lenet_cifar", [nn.ReLU] * 4 + [nn.Identity]),
        ("lansdell", [nn.Tanh] * 5 + [nn.Identity]),
    ],
)
def test_units_are_the_published_ones(network, units):
    assert [type(unit) for unit in responses(make(network, CIFAR)).values()] == units


def test_lansdell_drops_half_of_both_dense_layers():
    net = make("lansdell", CIFAR)
    assert [m.p for m in net if isinstance(m, Dropout)] == [0.5, 0.5]
    assert [type(m) for m in net][-4:] == [Linear, nn.Tanh, Dropout, Linear]


@pytest.mark.parametrize("side", [8, 28, 32])
def test_lenet_enlarges_smaller_images(side):
    net = make("lenet", (side, side, 1))
    ramp = torch.linspace(0, 1, side).expand(side, side)[None, :, :, None]
    enlarged = net[1](net[0](ramp))
    assert enlarged.shape == (1, 1, 32, 32)
    assert (enlarged.diff(dim=3) >= -1e-6).all()
    assert (enlarged[..., 0] == 0).all()
    assert torch.allclose(enlarged[..., -1], torch.ones(1))


def test_lenet_refuses_larger_images():
    with pytest.raises(ValueError, match="at most 32x32 pixels, these are 64x33.*'lenet_cifar'"):
        make("lenet", (64, 33, 3))


def test_the_maps_of_lenet_cifar_shrink_as_in_its_code():
    net = make("lenet_cifar", CIFAR)
    sides, seen = [], torch.zeros(1, *CIFAR)
    for module in net:
        seen = module(seen)
        if isinstance(module, Conv2d):
            sides.append(seen.shape[2])
    assert sides == [30, 13, 4]


def test_images_are_standardised_each_by_itself():
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    images[1] = images[1] * 0.1 + 0.7
    images[2] = 0.5  # nothing to see: no division by zero
    seen = Standardised()(images)
    assert seen.mean((1, 2, 3)).abs().max() < 1e-5
    assert torch.allclose(seen[:2].std((1, 2, 3), correction=0), torch.ones(2), atol=1e-4)
    assert (seen[2] == 0).all()


def test_lansdells_convolutions_keep_their_maps_and_its_pools_halve_them():
    net = make("lansdell", CIFAR)
    steps = [(m.stride, m.padding) for m in net if isinstance(m, Conv2d)]
    assert steps == [(1, 2)] * 3
    initialise(net, "he", torch.Generator().manual_seed(0))
    assert net[:5](torch.rand(1, 7, 9, 3)).shape[2:] == (4, 5)
