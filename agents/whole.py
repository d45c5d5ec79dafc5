"""Sums over a batch, whoever holds its trials.

One process has all trials of a batch, and nothing here does anything. Where several processes share
it in equal parts, inside `shared`, each has its own trials, and what a rule says of the batch is
said of the whole one: whatever is a mean, a sum or a maximum over trials, and is not left in
`.grad`, is asked for here. So every process comes to the same, in the same bits.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

_group: Any = None  # of the processes that share the batch at hand


@contextmanager
def shared(group: Any) -> Iterator[None]:
    """Inside, batches are shared by the processes of a `torch.distributed` group."""
    global _group
    before, _group = _group, group
    try:
        yield
    finally:
        _group = before


def is_shared() -> bool:
    """Do other processes hold trials of this batch?"""
    return _group is not None


def size(rows: Tensor) -> int:
    """Trials of the whole batch, of which `rows` (B, ...) has this process's."""
    return len(rows) * (dist.get_world_size(_group) if is_shared() else 1)


def total(part: Tensor) -> Tensor:
    """The sum of all processes' parts; gradients go back to all of them."""
    return _Total.apply(part) if is_shared() else part  # pyright: ignore[reportReturnType]


def mean(part: Tensor) -> Tensor:
    """The mean over the whole batch, of the means over each process's trials."""
    return total(part) / dist.get_world_size(_group) if is_shared() else part


def largest(part: Tensor) -> Tensor:
    """The maximum over the whole batch, of the maxima over each process's trials."""
    if is_shared():
        part = part.clone()
        dist.all_reduce(part, dist.ReduceOp.MAX, _group)
    return part


def together(rows: Tensor) -> Tensor:
    """The rows of all trials, in order, (W B, ...), of each process's (B, ...)."""
    if not is_shared():
        return rows
    parts = [torch.empty_like(rows) for _ in range(dist.get_world_size(_group))]
    dist.all_gather(parts, rows.contiguous(), _group)
    return torch.cat(parts)


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Put the mean over all processes in place of each tensor, in one exchange for all."""
    if not is_shared():
        return
    tensors = list(tensors)
    means = mean(torch.cat([tensor.flatten() for tensor in tensors]))
    parts = means.split([tensor.numel() for tensor in tensors])
    for tensor, part in zip(tensors, parts, strict=True):
        tensor.copy_(part.view_as(tensor))


class _Total(torch.autograd.Function):
    """The sum over processes: each one's part moves the sum that all of them go on with."""

    @staticmethod
    def forward(ctx, part):
        ctx.group = _group
        return _sum(part, _group)

    @staticmethod
    def backward(ctx, error):  # pyright: ignore[reportIncompatibleMethodOverride]
        return _sum(error, ctx.group)


def _sum(part: Tensor, group: Any) -> Tensor:
    every = part.clone(memory_format=torch.contiguous_format)
    dist.all_reduce(every, group=group)
    return every
