"""Modules that can show the same trial a second time: the same mask, the same batch statistics.

Rules that perturb the network compare a noisy pass with the clean one before it. Nothing else may
differ between the two, so what is drawn or measured in the first is kept for the second.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents.chance import Source, uniform


class Dropout(nn.Module):
    """Dropout that draws from its own generator and can show the same mask a second time."""

    def __init__(self, p: float, generator: Source):
        super().__init__()
        self.p, self.generator = p, generator
        self.again = False

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
        if not (self.training and self.again):
            if self.training:  # a prediction between two looks changes nothing
                self.first = input.detach()
            return super().forward(input)
        first = self.first.to(self.weight.dtype)  # more bits than autocast gave it
        variance, mean = torch.var_mean(first, (0, 2, 3), correction=0)
        return F.batch_norm(input, mean, variance, self.weight, self.bias, False, 0.0, self.eps)


@contextmanager
def second_look(net: nn.Module) -> Iterator[None]:
    """Passes inside see the dropout masks and batch-norm statistics of the pass before."""
    players = [m for m in net.modules() if isinstance(m, Dropout | BatchNorm2d)]
    for module in players:
        module.again = True
    try:
        yield
    finally:
        for module in players:
            module.again = False
