"""The papers' networks.

`dense`, `conv`, `loccon` and `deep` have ReLU hidden units and no biases (Pozzi et al. 2020);
`tanh` is the network of deep feedback control (Meulemans et al. 2021, 2022) and `sigmoid` that of
weight mirrors (Akrout et al. 2019), with biases. Outputs are linear in all of them.
"""

import torch
from torch import nn

from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.networks.pixels import Pixels, Shape, require
from agents.second_look import BatchNorm2d, Dropout


def dense(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Fully connected ReLU layers of the hidden sizes `sizes` (the paper's: 1500, 1000, 500)."""
    return _fully_connected(shape, classes, sizes, nn.ReLU, bias=False)


def tanh(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Fully connected tanh layers of the hidden sizes `sizes` (the papers': 256, 256, 256)."""
    return _fully_connected(shape, classes, sizes, nn.Tanh, bias=True)


def sigmoid(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Fully connected sigmoid layers of the hidden sizes `sizes` (the code's: 500).

    The code's outputs are sigmoid units, too; here the signal says what linear ones mean.
    """
    return _fully_connected(shape, classes, sizes, nn.Sigmoid, bias=True)


def _fully_connected(
    shape: Shape, classes: int, sizes: tuple[int, ...], unit: type[nn.Module], bias: bool
) -> nn.Sequential:
    widths = [shape[0] * shape[1] * shape[2], *sizes]
    hidden = [
        module
        for below, above in zip(widths, widths[1:], strict=False)
        for module in (Linear(below, above, bias), unit())
    ]
    return nn.Sequential(Pixels(flat=True), *hidden, Linear(widths[-1], classes, bias))


def _same(size: tuple[int, int], kernel: int, stride: int) -> nn.ZeroPad2d:
    """Keras' "same" padding: ceil(n / stride) positions, the odd pixel right and below."""
    below, right = (max((-(-n // stride) - 1) * stride + kernel - n, 0) for n in size)
    return nn.ZeroPad2d((right // 2, right - right // 2, below // 2, below - below // 2))


def _norm(channels: int) -> BatchNorm2d:
    return BatchNorm2d(channels, eps=1e-3, momentum=0.01)  # Keras' values


def _head(inputs: int, classes: int, dropout: torch.Generator) -> list[nn.Module]:
    """Flatten, 500 ReLU units, dropout, outputs: the top of all three image networks."""
    return [
        nn.Flatten(), Linear(inputs, 500), nn.ReLU(), Dropout(0.3, dropout), Linear(500, classes)
    ]  # fmt: skip


def conv(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Two convolutions of 32 maps, the second with stride 2, and 500 units (`sizes` unused)."""
    height, width, channels = shape
    half = (-(-height // 2), -(-width // 2))
    return nn.Sequential(
        Pixels(flat=False),
        Conv2d(channels, 32, 3, padding=1), nn.ReLU(), _norm(32),
        _same((height, width), 3, 2), Conv2d(32, 32, 3, stride=2), nn.ReLU(), _norm(32),
        Dropout(0.3, dropout),
        *_head(32 * half[0] * half[1], classes, dropout),
    )  # fmt: skip


def loccon(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """`conv` without weight sharing and padding (`sizes` unused)."""
    height, width, channels = shape
    require("loccon", shape, 5)
    first = LocallyConnected2d(channels, 32, 3, (height, width))
    second = LocallyConnected2d(32, 32, 3, first.grid, stride=2)
    return nn.Sequential(
        Pixels(flat=False),
        first, nn.ReLU(), _norm(32),
        second, nn.ReLU(), _norm(32),
        Dropout(0.3, dropout),
        *_head(32 * second.grid[0] * second.grid[1], classes, dropout),
    )  # fmt: skip


def deep(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Seven 3x3 convolutions of 64 and 128 maps in three pooled blocks (`sizes` unused)."""
    height, width, below = shape
    require("deep", shape, 8)
    modules: list[nn.Module] = [Pixels(flat=False)]
    for maps, drop in [((64, 64), 0.3), ((128, 128), 0.3), ((128, 128, 128), 0.8)]:
        for above in maps:
            modules += [Conv2d(below, above, 3, padding=1), nn.ReLU(), _norm(above)]
            below = above
        modules += [nn.MaxPool2d(2), Dropout(drop, dropout)]
    return nn.Sequential(*modules, *_head(below * (height // 8) * (width // 8), classes, dropout))
