"""The table of networks, and how their first weights are drawn.

A network is one function (shape, classes, sizes, dropout generator) -> nn.Sequential over images
(B, H, W, C), and one line here. The K outputs are values or logits: what they mean is the signal's
business.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from agents.layers import Linear
from agents.networks.lansdell import lansdell
from agents.networks.lenet import lenet, lenet_cifar
from agents.networks.papers import conv, deep, dense, loccon, sigmoid, tanh
from agents.networks.pixels import Pixels, Shape, standardise
from agents.networks.resnet import resnet18
from agents.responses import responses
from agents.weighted import Weighted, weighted, xavier

Build = Callable[[Shape, int, tuple[int, ...], torch.Generator], nn.Sequential]


@dataclass(frozen=True)
class Network:
    """How a network is built, and the sizes it has where no others are given."""

    build: Build
    sizes: tuple[int, ...] = ()  # empty: it takes no others than its own

    def chosen(self, sizes: tuple[int, ...]) -> tuple[int, ...]:
        """The sizes given, or else the network's own; none if it takes none."""
        return self.sizes and (sizes or self.sizes)

    def __call__(
        self, shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
    ) -> nn.Sequential:
        """Build it, its weights still zero."""
        return self.build(shape, classes, self.chosen(sizes), dropout)


NETWORKS: dict[str, Network] = {
    "dense": Network(dense, sizes=(500, 300)),
    "conv": Network(conv),
    "loccon": Network(loccon),
    "deep": Network(deep),
    "resnet18": Network(resnet18, sizes=(64,)),
    "tanh": Network(tanh, sizes=(256, 256, 256)),
    "sigmoid": Network(sigmoid, sizes=(500,)),
    "lenet": Network(lenet),
    "lenet_cifar": Network(lenet_cifar),
    "lansdell": Network(lansdell),
}


def initialise(net: nn.Module, init: str, generator: torch.Generator) -> None:
    """Draw the forward weights; biases stay zero.

    "he": N(0, 2 / fan-in), which ReLU units need; Xavier's N(0, 2 / (fan-in + fan-out)) for tanh
    and sigmoid units; the output layer N(0, .01^2), so that all outputs start near zero.
    "xavier": Xavier's in every layer, the output layer too.
    "paper": N(0, s^2) in every layer, s = .01 where all layers are Linear, else .005
    (the BrainProp code).
    """
    layers, units = weighted(net), responses(net)
    small = 0.01 if all(isinstance(layer, Linear) for layer in layers) else 0.005
    for layer in layers:
        std = {"he": _he(layer, units[layer]), "xavier": xavier(layer), "paper": small}[init]
        if init == "he" and layer is layers[-1]:
            std = 0.01
        with torch.no_grad():
            layer.weight.normal_(0, std, generator=generator)


def _he(layer: Weighted, unit: nn.Module) -> float:
    saturates = isinstance(unit, nn.Tanh | nn.Sigmoid)
    return xavier(layer) if saturates else (2 / layer.fan_in) ** 0.5


__all__ = ["NETWORKS", "Build", "Network", "Pixels", "Shape", "initialise", "standardise"]
