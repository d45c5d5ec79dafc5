"""The convolutional network of Lansdell, Prakash & Kording (ICLR 2020).

    standardised image - conv 5x5 96 - pool - 128 - pool - 256 - pool
                       - 2048 - drop .5 - 2048 - drop .5 - K

Maps keep their size but for the pools, 3x3 with a stride of 2, which halve it (rounded up). Hidden
units are tanh, outputs linear, all with biases.

Differs from the code: biases start at zero instead of .1, weights as `initialise` says.
"""

import torch
from torch import Tensor, nn

from agents.layers import Conv2d, Linear
from agents.networks.pixels import Pixels, Shape
from agents.second_look import Dropout


class Standardised(nn.Module):
    """Each image by itself: mean 0, standard deviation 1 (0 if all of it is alike)."""

    def forward(self, images: Tensor) -> Tensor:
        """Standardise (B, C, H, W)."""
        std, mean = torch.std_mean(images, (1, 2, 3), correction=0, keepdim=True)
        return (images - mean) / std.clamp(
            min=images[0].numel() ** -0.5 / 255
        )  # as TensorFlow does


def lansdell(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Three convolutions and two layers of 2048 units (`sizes` unused)."""
    height, width, below = shape
    modules: list[nn.Module] = [Pixels(flat=False), Standardised()]
    for above in (96, 128, 256):
        pool = nn.MaxPool2d(3, stride=2, padding=1)
        modules += [Conv2d(below, above, 5, padding=2, bias=True), nn.Tanh(), pool]
        below, height, width = above, -(-height // 2), -(-width // 2)
    return nn.Sequential(
        *modules, nn.Flatten(),
        Linear(below * height * width, 2048, bias=True), nn.Tanh(), Dropout(0.5, dropout),
        Linear(2048, 2048, bias=True), nn.Tanh(), Dropout(0.5, dropout),
        Linear(2048, classes, bias=True),
    )  # fmt: skip
