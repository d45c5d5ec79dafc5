"""Noise that is chosen instead of drawn: means over it become weighted sums, identities exact.

Each point of a rule of quadrature is a trial of its own, so that one pass tries them all.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import torch
from torch import Tensor, nn

from agents.credit import Trial
from agents.second_look import Dropout, second_look

QUADRATIC = ["label_mse", "reward_prediction"]  # quadratic in a linear output: exact at any s


class Points:
    """Stands in for `draw`: trial by trial, the next units' noise of points (trials, units)."""

    def __init__(self, points: Tensor):
        self.points, self.used = points, 0

    def __call__(self, like, noise, generator):
        units = like[0].numel()
        self.used += units
        return self.points[:, self.used - units : self.used].reshape(like.shape)


class Flat:
    """Stands in for `normal_like`: the next parameter's noise out of one point."""

    def __init__(self, point: Tensor):
        self.rest = point

    def __call__(self, like, noise, generator):
        taken, self.rest = self.rest.split([like.numel(), len(self.rest) - like.numel()])
        return taken.reshape(like.shape)


def sigma_points(units: int, noise: float) -> Tensor:
    """+-s sqrt(n) e_i, (2n, n): alike weighted they have the Gaussian's moments up to the third."""
    points = torch.eye(units, dtype=torch.float64) * noise * units**0.5
    return torch.cat([points, -points])


def gauss_points(units: int, noise: float, each: int) -> tuple[Tensor, Tensor]:
    """Gauss-Hermite points (P, n) and weights (P,): exact up to degree 2 `each` - 1 per unit."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(each)
    points = torch.tensor(list(product(nodes * noise, repeat=units)))
    chances = torch.tensor(list(product(weights / weights.sum(), repeat=units)))
    return points, chances.prod(1)


def repeated(net: nn.Module, trial: Trial, times: int) -> Trial:
    """The batch `times` over, each with the masks, statistics and answers it had."""
    for module in net.modules():
        if isinstance(module, Dropout):
            module.mask = torch.cat([module.mask] * times)
    images = torch.cat([trial.images] * times)
    with second_look(net):
        output = net(images)

    def cost(output):
        return torch.cat([trial.cost(part) for part in output.chunk(times)])

    return replace(trial, images=images, output=output, cost=cost, costs=cost(output))
