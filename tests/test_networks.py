"""The networks are the papers': sizes, order, padding, norms, initial weights."""

import pytest
import torch
from cells import distance
from torch import nn

from agents.layers import Conv2d, Linear
from agents.networks import NETWORKS, Pixels, initialise, standardise
from agents.second_look import BatchNorm2d, Dropout
from agents.settings import Settings
from agents.weighted import weighted

PAPERS = ("dense", "conv", "loccon", "deep")  # Pozzi et al.
UNITS = {"dense": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}  # of the fully connected ones
MNIST, CIFAR, DIGITS, TINY = (28, 28, 1), (32, 32, 3), (8, 8, 1), (64, 64, 3)


def make(network, shape, classes=10, sizes=None):
    sizes = ((4,) if network == "resnet18" else (30, 20)) if sizes is None else sizes
    return NETWORKS[network](shape, classes, sizes, torch.Generator().manual_seed(0))


@pytest.mark.parametrize(
    ("network", "shape", "flat"),
    [
        ("conv", MNIST, 6272), ("conv", CIFAR, 8192), ("conv", DIGITS, 512),
        ("loccon", MNIST, 4608), ("loccon", CIFAR, 6272), ("loccon", DIGITS, 128),
        ("deep", CIFAR, 2048), ("deep", TINY, 8192), ("deep", DIGITS, 128),
    ],
)  # fmt: skip
def test_the_maps_are_flattened_to_the_papers_sizes(network, shape, flat):
    net = make(network, shape)
    dense = [layer.weight.shape for layer in weighted(net) if isinstance(layer, Linear)]
    assert dense == [(500, flat), (10, 500)]
    if shape != TINY:
        assert net(torch.zeros(2, *shape)).shape == (2, 10)


@pytest.mark.parametrize("shape", [MNIST, CIFAR, (5, 9, 2)])
@pytest.mark.parametrize("network", UNITS)
def test_fully_connected_networks_have_the_sizes_they_are_given(network, shape):
    inputs = shape[0] * shape[1] * shape[2]
    net = make(network, shape, classes=7, sizes=(30, 20, 10))
    shapes = [tuple(layer.weight.shape) for layer in weighted(net)]
    assert shapes == [(30, inputs), (20, 30), (10, 20), (7, 10)]
    assert [type(m) for m in net] == [Pixels, *[Linear, UNITS[network]] * 3, Linear]


@pytest.mark.parametrize(
    ("network", "own"), [("dense", (500, 300)), ("tanh", (256, 256, 256)), ("sigmoid", (500,))]
)
def test_fully_connected_networks_have_sizes_of_their_own(network, own):
    layers = weighted(make(network, MNIST, sizes=()))
    assert tuple(layer.fan_out for layer in layers) == (*own, 10)


@pytest.mark.parametrize("network", ["conv", "loccon", "deep", "lenet", "lenet_cifar", "lansdell"])
def test_fixed_networks_stay_as_they_are_whatever_sizes_are_given(network):
    assert str(make(network, CIFAR, sizes=(16,))) == str(make(network, CIFAR, sizes=()))


@pytest.mark.parametrize("network", ["conv", "loccon", "deep"])
def test_image_networks_end_with_500_units(network):
    assert [layer.fan_out for layer in weighted(make(network, CIFAR))][-2:] == [500, 10]


@pytest.mark.parametrize("network", ["tanh", "sigmoid"])
def test_units_that_saturate_have_biases_that_start_at_zero(network):
    net = make(network, DIGITS)
    initialise(net, "he", torch.Generator().manual_seed(0))
    for layer in weighted(net):
        assert torch.equal(layer.bias, torch.zeros(layer.fan_out))


@pytest.mark.parametrize("network", PAPERS)
def test_there_are_no_biases_and_the_norms_are_keras(network):
    net = make(network, (8, 8, 3))
    assert all(layer.bias is None for layer in weighted(net))
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == {"dense": 0, "deep": 7}.get(network, 2)
    for norm in norms:
        assert isinstance(norm, BatchNorm2d)
        assert (norm.eps, norm.momentum) == (1e-3, 0.01)
        assert norm.weight.requires_grad
        assert norm.bias.requires_grad


@pytest.mark.parametrize("network", ["conv", "loccon", "deep"])
def test_rectifiers_come_before_norms_and_dropout_is_the_papers(network):
    net = make(network, (8, 8, 3))
    kinds = [type(m) for m in net]
    for place, kind in enumerate(kinds):
        if kind is BatchNorm2d:
            assert kinds[place - 1] is nn.ReLU
    drops = [m.p for m in net if isinstance(m, Dropout)]
    assert drops == {"deep": [0.3, 0.3, 0.8, 0.3]}.get(network, [0.3, 0.3])
    assert kinds[-5:] == [nn.Flatten, Linear, nn.ReLU, Dropout, Linear]


def test_convolution_of_stride_two_pads_as_keras_does():
    net = make("conv", (4, 4, 1))
    pad, second = net[4], net[5]
    second.weight.data.fill_(1 / 32)
    ones = torch.ones(1, 32, 4, 4)
    answer = second(pad(ones))
    assert answer[0, 0].tolist() == [[9, 6], [6, 4]]  # the odd pixel is right and below
    assert [make("conv", (n, 7, 1))[4].padding for n in (28, 7)] == [(1, 1, 0, 1), (1, 1, 1, 1)]
    assert make("conv", (7, 5, 1))(torch.zeros(2, 7, 5, 1)).shape == (2, 10)


def test_every_convolution_but_conv_s_second_keeps_its_map():
    for network in ("conv", "deep"):
        steps = [(m.stride, m.padding) for m in make(network, CIFAR) if isinstance(m, Conv2d)]
        assert steps == ([(1, 1), (2, 0)] if network == "conv" else [(1, 1)] * 7)


@pytest.mark.parametrize("init", ["he", "paper", "xavier"])
@pytest.mark.parametrize("network", NETWORKS)
def test_initial_weights_have_the_papers_spread(network, init):
    net = make(network, CIFAR, sizes=(16,) if network == "resnet18" else (300, 200))
    initialise(net, init, torch.Generator().manual_seed(0))
    layers = weighted(net)
    paper = 0.01 if network in UNITS else 0.005
    for layer in layers:
        weight = layer.weight.detach()
        fans = weight.shape[2] if weight.dim() == 3 else weight[0].numel()
        both = fans + (weight.shape[1] * 9 if weight.dim() == 3 else weight[:, 0].numel())
        xavier = (2 / both) ** 0.5
        he = xavier if network in ("tanh", "sigmoid", "lansdell") else (2 / fans) ** 0.5
        he = 0.01 if layer is layers[-1] else he
        std = {"he": he, "paper": paper, "xavier": xavier}[init]
        sigma = std / weight.numel() ** 0.5  # of the mean; of the std it is 0.7 of that
        assert float(weight.std()) == pytest.approx(std, abs=4 * sigma)
        assert float(weight.mean()) == pytest.approx(0, abs=4 * sigma)


@pytest.mark.parametrize("network", NETWORKS)
def test_bytes_and_fractions_are_the_same_picture(network):
    net = make(network, (18, 18, 3)).eval()
    initialise(net, "he", torch.Generator().manual_seed(0))
    images = torch.randint(0, 256, (3, 18, 18, 3), dtype=torch.uint8)
    fractions = images.to(torch.float32) / 255
    assert distance(net(images), net(fractions)) < 1e-5


def test_pixels_keep_their_places():
    images = torch.rand(2, 4, 5, 3)
    assert torch.equal(Pixels(flat=False)(images)[1, 2, 3, 4], images[1, 3, 4, 2])
    assert torch.equal(Pixels(flat=True)(images), images.reshape(2, 60))


@pytest.mark.parametrize("network", NETWORKS)
def test_pixels_of_every_network_can_be_standardised(network):
    net = make(network, (18, 18, 3))
    standardise(net, 0.2, 0.5)
    images = torch.randint(0, 256, (3, 18, 18, 3), dtype=torch.uint8)
    (pixels,) = (module for module in net.modules() if isinstance(module, Pixels))
    plain = Pixels(pixels.flat)(images)
    for given in (images, images / 255):
        torch.testing.assert_close(pixels(given), (plain - 0.2) / 0.5)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("loccon", (4, 9, 1)), ("loccon", (9, 4, 1)), ("deep", (7, 8, 3)),
        ("lenet_cifar", (17, 32, 3)),
    ],
)  # fmt: skip
def test_an_image_too_small_for_the_network_is_refused(network, shape):
    least = {"loccon": "5x5", "deep": "8x8", "lenet_cifar": "18x18"}[network]
    with pytest.raises(ValueError, match=f"'{network}' needs images of at least {least} pixels"):
        make(network, shape)


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        ("loccon", (5, 5, 1)), ("deep", (8, 8, 1)), ("conv", (3, 3, 1)),
        ("lenet_cifar", (18, 18, 1)),
    ],
)  # fmt: skip
def test_the_smallest_image_is_enough(network, shape):
    assert make(network, shape)(torch.rand(2, *shape)).shape == (2, 10)


def test_unknown_networks_are_refused_by_name():
    with pytest.raises(ValueError, match="unknown network 'resnet': choose one of dense, conv"):
        Settings(network="resnet")
