"""Random numbers while learning: who draws them, and for whom.

One net in one process draws from a `torch.Generator`. What stands in its place where several nets
learn at once, or several processes share a batch, is a `Chance`: there, too, every trial gets the
numbers that it would have got in a single net with a single generator.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

Draw = Callable[[Tensor, torch.Generator | None], object]  # fills a tensor from a generator


class Chance:
    """Fills tensors in place of one generator."""

    def fill_batch(self, batch: Tensor, draw: Draw) -> None:
        """Fill a tensor that has a row for each trial, (B, ...)."""
        raise NotImplementedError

    def fill_weights(self, weights: Tensor, draw: Draw) -> None:
        """Fill a tensor of the shape of a layer's weights."""
        raise NotImplementedError


Source = torch.Generator | Chance | None  # None: PyTorch's global generator


def uniform(batch: Tensor, source: Source) -> Tensor:
    """Fill a batch (B, ...), in place, with numbers from 0 up to 1."""
    return _filled(batch, _uniform, source)


def normal(batch: Tensor, std: float, source: Source) -> Tensor:
    """Fill a batch (B, ...), in place, with N(0, std^2)."""
    return _filled(batch, partial(_normal, std=std), source)


def normal_like(weights: Tensor, std: float, source: Source) -> Tensor:
    """N(0, std^2) of the shape of weights, the same numbers in whatever order their memory is."""
    drawn = torch.empty_like(weights, memory_format=torch.contiguous_format, requires_grad=False)
    draw = partial(_normal, std=std)
    if isinstance(source, Chance):
        source.fill_weights(drawn, draw)
    else:
        draw(drawn, source)
    return drawn


def _filled(batch: Tensor, draw: Draw, source: Source) -> Tensor:
    if isinstance(source, Chance):
        source.fill_batch(batch, draw)
    else:
        draw(batch, source)
    return batch


def _uniform(batch: Tensor, generator: torch.Generator | None) -> None:
    batch.uniform_(generator=generator)


def _normal(batch: Tensor, generator: torch.Generator | None, *, std: float) -> None:
    batch.normal_(0, std, generator=generator)
