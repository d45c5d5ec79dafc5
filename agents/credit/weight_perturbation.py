"""Weight perturbation: all parameters try noise at once, and learn from what that did to the cost.

    eps ~ N(0, s^2)                           one draw per batch, over all P learning parameters
    L = mean cost of the batch with theta, L~ = with theta + eps: same trials, same masks and
        batch statistics, actions and answers clamped
    Delta theta = -eta (L~ - L) / s^2 eps

Needs no error, no derivative and no layers. The mean of the update is dL/dtheta exactly for a
quadratic L, else up to O(s^2); its variance for a linear L is (P + 1) |dL/dtheta|^2. That grows
with the weights, not the units as in node perturbation, and with one draw a batch a larger batch
does not lower it: learning is far slower, and needs far smaller rates. The symmetric difference
(L(+eps) - L(-eps)) / 2 has the same mean without the noise of L's curvature.
"""

from dataclasses import dataclass

import torch
from torch.func import functional_call

from agents.chance import normal_like
from agents.credit.base import CreditRule
from agents.credit.noise import check_noise, difference
from agents.second_look import second_look


@dataclass(frozen=True)
class WeightPerturbation(CreditRule):
    """Each parameter moves against the cost of its own noise, whose standard deviation is s."""

    name = "weight_perturbation"
    compares_passes = True
    layerwise = False
    largest_rate = 0.008

    noise: float = 0.001
    symmetric: bool = False

    @property
    def passes(self) -> int:
        return 3 if self.symmetric else 2

    def __post_init__(self):
        check_noise(self.noise)

    @torch.no_grad()
    def assign(self, net, trial):
        learning = {name: p for name, p in net.named_parameters() if p.requires_grad}
        eps = {name: normal_like(p, self.noise, trial.generator) for name, p in learning.items()}

        def cost(sign):
            moved = {name: p + sign * eps[name] for name, p in learning.items()}
            with second_look(net):
                return trial.cost(functional_call(net, moved, trial.images)).mean()

        slope = difference(cost, trial.costs.mean(), self.symmetric) / self.noise**2
        for name, p in learning.items():
            p.grad = slope * eps[name]
