"""Modules that can show the same trial a second time: the same mask, the same batch statistics.

Rules that perturb the network compare a noisy pass with the clean one before it. Nothing else may
differ between the two, so what is drawn or measured in the first is kept for the second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents import whole
from agents.chance import Source, uniform


class Drawing(nn.Module):
    """What draws numbers from its own generator while training, and can use them a second time."""

    def __init__(self, generator: Source):
        super().__init__()
        self.generator = generator
        self.again = False


class Dropout(Drawing):
    """Dropout that can show the same mask a second time."""

    def __init__(self, p: float, generator: Source):
        super().__init__(generator)
        self.p = p

    def forward(self, activity: Tensor) -> Tensor:
        """Drop a fraction `p` of the units while training, and scale the others up."""
        if not self.training:
            return activity
        if not self.again:
            draw = uniform(torch.empty(activity.shape, device=activity.device), self.generator)
            self.mask = (draw >= self.p).to(activity.dtype).div_(1 - self.p)
        return activity * self.mask


class BatchNorm2d(nn.BatchNorm2d):
    """Batch norm that can answer a second time with the statistics of the first."""

    again = False

    def forward(self, input: Tensor) -> Tensor:
        """Normalise each channel over the batch (training) or by the running averages."""
        if not self.training:
            return super().forward(input)
        if self.again:
            mean, variance = statistics(self.first.to(self.weight.dtype))
            return F.batch_norm(input, mean, variance, self.weight, self.bias, False, 0.0, self.eps)
        self.first = input.detach()  # a prediction between two looks changes nothing
        return self._of_the_whole(input) if whole.is_shared() else super().forward(input)

    def _of_the_whole(self, input: Tensor) -> Tensor:
        """As PyTorch's own, but over a batch that processes share."""
        wide = input.to(self.weight.dtype)  # more bits than autocast gave it
        mean, variance = statistics(wide)
        pixels = whole.size(input) * input[0, 0].numel()
        self._remember(mean.detach(), variance.detach() * (pixels / (pixels - 1)))
        scale = (variance + self.eps).rsqrt() * self.weight
        normal = _by_channel(scale) * (wide - _by_channel(mean)) + _by_channel(self.bias)
        return normal.to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running averages towards those of a batch."""
        norm: Any = self  # PyTorch's may lack them
        norm.num_batches_tracked += 1
        norm.running_mean.lerp_(mean, norm.momentum)
        norm.running_var.lerp_(variance, norm.momentum)


def statistics(input: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and variance of each channel over the whole batch, (C,) each."""
    if not whole.is_shared():
        variance, mean = torch.var_mean(input, (0, 2, 3), correction=0)
        return mean, variance
    mean = whole.mean(input.mean((0, 2, 3)))
    return mean, whole.mean((input - _by_channel(mean)).square().mean((0, 2, 3)))


def _by_channel(values: Tensor) -> Tensor:
    return values[:, None, None]  # (C, 1, 1): a number for each channel of an image


@contextmanager
def second_look(net: nn.Module) -> Iterator[None]:
    """Passes inside see what the pass before has drawn, and its batch-norm statistics."""
    players = [m for m in net.modules() if isinstance(m, Drawing | BatchNorm2d)]
    for module in players:
        module.again = True
    try:
        yield
    finally:
        for module in players:
            module.again = False
