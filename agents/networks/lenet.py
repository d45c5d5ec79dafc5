"""LeNet, the network of BioTorch's table of sign symmetry (Sanfiz & Akrout 2021), in two sizes.

    lenet        conv 5x5 6 - pool - conv 5x5 16 - pool - conv 5x5 120 - 84 - K      on 32x32 pixels
    lenet_cifar  conv 3x3 32 - pool - conv 64 - pool - conv 128 - mean - 256 - K

Without padding, with biases. As in that code, `lenet` enlarges smaller images, and `lenet_cifar`
mirrors and moves them while it learns (crops of images with a frame of 4 pixels).
"""

import torch
from torch import nn

from agents.layers import Conv2d, Linear
from agents.networks.crop import CropAndFlip
from agents.networks.pixels import Pixels, Shape, require

SIDE = 32  # pixels
LEAST = 18  # so that the last convolution of lenet_cifar has a place


def lenet(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Three convolutions, the last one down to a single place, and 84 units."""
    if max(shape[:2]) > SIDE:
        raise ValueError(
            f"network 'lenet' takes images of at most {SIDE}x{SIDE} pixels, these are "
            f"{shape[0]}x{shape[1]}: use 'lenet_cifar'"
        )
    return nn.Sequential(
        Pixels(flat=False), nn.Upsample((SIDE, SIDE), mode="bilinear"),
        Conv2d(shape[2], 6, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(6, 16, 5, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(16, 120, 5, bias=True), nn.ReLU(), nn.Flatten(),
        Linear(120, 84, bias=True), nn.ReLU(), Linear(84, classes, bias=True),
    )  # fmt: skip


def lenet_cifar(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Three convolutions, the mean over places, and 256 units."""
    require("lenet_cifar", shape, LEAST)
    return nn.Sequential(
        CropAndFlip(4, dropout), Pixels(flat=False),
        Conv2d(shape[2], 32, 3, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(32, 64, 3, bias=True), nn.ReLU(), nn.MaxPool2d(2),
        Conv2d(64, 128, 3, bias=True), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        Linear(128, 256, bias=True), nn.ReLU(), Linear(256, classes, bias=True),
    )  # fmt: skip
