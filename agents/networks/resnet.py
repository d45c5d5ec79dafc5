"""ResNet-18 for small images (He, Zhang, Ren & Sun, CVPR 2016), as it is usual on CIFAR.

    image - conv 3x3 - [block w, block w] - [2w, 2w] - [4w, 4w] - [8w, 8w] - mean - outputs
    block(x) = relu(norm(conv(relu(norm(conv(x))))) + shortcut(x))          both conv 3x3

The first block of the stages 2w, 4w and 8w halves the map by a stride of 2. The shortcut is the
identity; where the shape changes it is norm(conv 1x1), which goes by the same stride.

Differs from the paper: images of 32x32 pixels need neither its 7x7 convolution of stride 2 nor the
pooling after it. The sum is ordinary PyTorch: both of its branches get the error of the block.
"""

import torch
from torch import Tensor, nn

from agents.layers import Conv2d, Linear
from agents.networks.pixels import Pixels, Shape
from agents.second_look import BatchNorm2d


class Residual(nn.Module):
    """Adds what a branch and a shortcut make of the same input."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module):
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, activity: Tensor) -> Tensor:
        """Branch and shortcut, side by side."""
        return self.branch(activity) + self.shortcut(activity)


def block(below: int, above: int, stride: int = 1) -> list[nn.Module]:
    """The basic block, from maps `below` to maps `above`."""
    branch = nn.Sequential(
        Conv2d(below, above, 3, stride, padding=1), BatchNorm2d(above), nn.ReLU(),
        Conv2d(above, above, 3, padding=1), BatchNorm2d(above),
    )  # fmt: skip
    if (below, stride) == (above, 1):
        return [Residual(branch, nn.Identity()), nn.ReLU()]
    shortcut = nn.Sequential(Conv2d(below, above, 1, stride), BatchNorm2d(above))
    return [Residual(branch, shortcut), nn.ReLU()]


def resnet18(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Eight basic blocks; `sizes` is (w,), the maps of the first two, usually 64.

    Images of 8x8 pixels or fewer end as a single place, where batch norm learns from batches only.
    """
    if len(sizes) != 1:
        raise ValueError(f"resnet18 takes one size, the maps of its first blocks, got {sizes}")
    (width,) = sizes
    first = Conv2d(shape[2], width, 3, padding=1)
    modules: list[nn.Module] = [Pixels(flat=False), first, BatchNorm2d(width), nn.ReLU()]
    below = width
    for above, stride in [(width, 1), (2 * width, 2), (4 * width, 2), (8 * width, 2)]:
        modules += [*block(below, above, stride), *block(above, above)]
        below = above
    mean = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*modules, *mean, Linear(below, classes, bias=True))
