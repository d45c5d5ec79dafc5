"""LeNet, the network of BioTorch's table of sign symmetry (Sanfiz & Akrout 2021), in two sizes.

    lenet        conv 5x5 6 - pool - conv 5x5 16 - pool - conv 5x5 120 - 84 - K      on 32x32 pixels
    lenet_cifar  conv 3x3 32 - pool - conv 64 - pool - conv 128 - mean - 256 - K

With biases. The 84 units of `lenet` are linear, as they are in that code.

Differs from the code: smaller images get a black frame up to 32x32 pixels, there they are enlarged.
"""

import torch
from torch import nn

from agents.layers import Conv2d, Linear
from agents.networks.pixels import Pixels, Shape

SIDE = 32  # pixels


def lenet(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Three convolutions without padding, the last one down to a single place."""
    below, right = (SIDE - n for n in shape[:2])
    if min(below, right) < 0:
        raise ValueError(
            f"network 'lenet' takes images of at most {SIDE}x{SIDE} pixels, these are "
            f"{shape[0]}x{shape[1]}: use 'lenet_cifar'"
        )
    frame = (right // 2, right - right // 2, below // 2, below - below // 2)
    return nn.Sequential(
        Pixels(flat=False), nn.ZeroPad2d(frame),
        Conv2d(shape[2], 6, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(6, 16, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(16, 120, 5, bias=True), nn.ReLU(), nn.Flatten(),
        Linear(120, 84, bias=True), Linear(84, classes, bias=True),
    )  # fmt: skip


def lenet_cifar(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Three convolutions that keep their maps, the mean over places, 256 units."""
    return nn.Sequential(
        Pixels(flat=False),
        Conv2d(shape[2], 32, 3, padding=1, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(32, 64, 3, padding=1, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(64, 128, 3, padding=1, bias=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        Linear(128, 256, bias=True), nn.ReLU(), Linear(256, classes, bias=True),
    )  # fmt: skip
