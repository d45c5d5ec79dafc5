"""A layer's way down as a regression: what the units below should hear, on the errors above them.

Each unit below hears M errors, through M weights. Units with the same weights are samples of one
regression; a layer has G of them.

    Linear              G = 1, a sample per trial, M = outputs
    Conv2d              G = 1, a sample per trial and pixel, M = Co k^2
    LocallyConnected2d  G = pixels, a sample per trial, M = Co k^2
"""

from typing import Any

import torch.nn.functional as F
from torch import Tensor

from agents.layers import Linear, LocallyConnected2d
from agents.weighted import Weighted


def sizes(layer: Weighted) -> tuple[int, int, int]:
    """G, M, and C: the units below that hear the same errors (inputs, or Ci)."""
    if isinstance(layer, Linear):
        return 1, layer.fan_out, layer.fan_in
    groups = layer.size[0] * layer.size[1] if isinstance(layer, LocallyConnected2d) else 1
    return groups, layer.fan_out, layer.fan_in // _kernel(layer)[0] ** 2


def samples(layer: Weighted, e: Tensor, teacher: Tensor) -> tuple[Tensor, Tensor]:
    """The errors heard (G, samples, M) and what should come of them (G, samples, C)."""
    if isinstance(layer, Linear):
        return e[None], teacher[None]
    heard, wanted = _heard(layer, e, teacher.shape[2:]), teacher.flatten(2)
    if isinstance(layer, LocallyConnected2d):
        return heard.permute(2, 0, 1), wanted.permute(2, 0, 1)
    return heard.mT.flatten(0, 1)[None], wanted.mT.flatten(0, 1)[None]


def as_feedback(layer: Weighted, solution: Tensor) -> Tensor:
    """The solution (G, M, C) as feedback weights."""
    if isinstance(layer, Linear):
        return solution[0]
    taps, inputs = _kernel(layer)[0] ** 2, solution.shape[2]
    if isinstance(layer, LocallyConnected2d):
        image = solution.permute(1, 2, 0).flatten(0, 1).unflatten(1, layer.size)
        patches = F.unfold(image[None], **layer.window)[0].unflatten(0, (-1, taps, inputs, taps))
        own = patches.diagonal(dim1=1, dim2=3)  # (Co, Ci, P, k^2): each pixel's weight of that tap
        return own.permute(2, 0, 1, 3).flatten(2)
    return solution[0].unflatten(0, (-1, taps)).mT.reshape(layer.weight.shape)


def _heard(layer: Weighted, e: Tensor, size: tuple[int, ...]) -> Tensor:
    """e (B, Co, H', W') as each pixel below hears it, (B, Co k^2, pixels); 0 where it does not."""
    kernel, stride, padding = _kernel(layer)
    spread = e.new_zeros(*e.shape[:2], *((n - 1) * stride + 1 for n in e.shape[2:]))
    spread[:, :, ::stride, ::stride] = e
    before = kernel - 1 - padding
    below, right = (n + padding - m for n, m in zip(size, spread.shape[2:], strict=True))
    windows = F.unfold(F.pad(spread, (before, right, before, below)), kernel)
    return windows.unflatten(1, (-1, kernel**2)).flip(2).flatten(1, 2)  # last tap hears first


def _kernel(layer: Any) -> tuple[int, int, int]:
    """Kernel, stride and padding of a convolution, shared or not."""
    if isinstance(layer, LocallyConnected2d):
        return layer.window["kernel_size"], layer.window["stride"], layer.window["padding"]
    return layer.weight.shape[-1], layer.stride, layer.padding
