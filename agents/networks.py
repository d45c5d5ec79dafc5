"""The papers' networks: ReLU hidden units, linear outputs, no biases (Pozzi et al. 2020).

A network is a function (shape, classes, settings' sizes, dropout generator) -> nn.Sequential
over images (B, H, W, C), and one line in `NETWORKS`. The K outputs are values or logits: what
they mean is the signal's business.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from agents.layers import Conv2d, Linear, LocallyConnected2d, weighted
from agents.second_look import BatchNorm2d, Dropout

Shape = tuple[int, int, int]  # height, width, channels


class Pixels(nn.Module):
    """Images (B, H, W, C), uint8 0..255 or float 0..1 -> float (B, C, H, W), or flat (B, H*W*C)."""

    def __init__(self, flat: bool):
        super().__init__()
        self.flat = flat

    def forward(self, images: Tensor) -> Tensor:
        """Scale and arrange the pixels."""
        # In this order the permuted view is PyTorch's channels-last format: no copy is made.
        images = images.flatten(1) if self.flat else images.permute(0, 3, 1, 2)
        return images * (1 / 255) if images.dtype == torch.uint8 else images


def dense(
    shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
) -> nn.Sequential:
    """Fully connected layers of the given hidden sizes (the paper's: 1500, 1000, 500)."""
    widths = [shape[0] * shape[1] * shape[2], *sizes]
    hidden = [
        module
        for below, above in zip(widths, widths[1:], strict=False)
        for module in (Linear(below, above), nn.ReLU())
    ]
    return nn.Sequential(Pixels(flat=True), *hidden, Linear(widths[-1], classes))


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
    _require("loccon", shape, 5)
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
    _require("deep", shape, 8)
    modules: list[nn.Module] = [Pixels(flat=False)]
    for maps, drop in [((64, 64), 0.3), ((128, 128), 0.3), ((128, 128, 128), 0.8)]:
        for above in maps:
            modules += [Conv2d(below, above, 3, padding=1), nn.ReLU(), _norm(above)]
            below = above
        modules += [nn.MaxPool2d(2), Dropout(drop, dropout)]
    return nn.Sequential(*modules, *_head(below * (height // 8) * (width // 8), classes, dropout))


def _require(network: str, shape: Shape, least: int) -> None:
    if min(shape[:2]) < least:
        raise ValueError(
            f"network {network!r} needs images of at least {least}x{least} pixels, "
            f"these are {shape[0]}x{shape[1]}: use 'dense' or 'conv'"
        )


Network = Callable[[Shape, int, tuple[int, ...], torch.Generator], nn.Sequential]
NETWORKS: dict[str, Network] = {"dense": dense, "conv": conv, "loccon": loccon, "deep": deep}


def initialise(net: nn.Module, init: str, generator: torch.Generator) -> None:
    """Draw the forward weights.

    "he": N(0, 2 / fan-in), the output layer N(0, .01^2), so that all outputs start near zero.
    "paper": N(0, s^2) in every layer, s = .01 where all layers are Linear, else .005
    (the BrainProp code).
    """
    layers = weighted(net)
    small = 0.01 if all(isinstance(layer, Linear) for layer in layers) else 0.005
    for layer in layers:
        std = (2 / layer.fan_in) ** 0.5 if layer is not layers[-1] else 0.01
        with torch.no_grad():
            layer.weight.normal_(0, std if init == "he" else small, generator=generator)
