"""Learned feedback by running least squares (Lansdell, Prakash & Kording 2020, the exact form).

    V <- V + e_{l+1}^T e_{l+1},   S <- S + e_{l+1}^T lambda^_l      summed over all trials so far
    B_{l+1} = V^{-1} S            V_0 = gamma I,  S_0 = 0: B starts at zero

Kernels have one regression for all places, unshared ones one for each pixel (`regression`): there V
takes much memory, pixels x (Co k^2)^2 numbers.

Errors and lambda^ are those of `learned_feedback`. Nothing is ever forgotten: B fits the weights as
they were, weighted by |e|^2. The large errors of a net that knows nothing outweigh the small ones
of a net that does, and B lags behind W as W moves. In directions that errors have hardly taken, B
is mostly noise of lambda^, which only gamma holds down.

Differs from the paper: no first epoch for V and S alone; bias units get no noise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from agents import whole
from agents.credit.base import times, upper
from agents.credit.learned_feedback import Taught
from agents.credit.regression import as_feedback, samples, sizes
from agents.weighted import Weighted


@dataclass(frozen=True)
class LeastSquaresFeedback(Taught):
    """Feedback weights are the ridge regression of lambda^ on the errors of all trials so far.

    `gamma` is what holds B at zero until trials say more.
    """

    name = "least_squares_feedback"
    stackable = True

    gamma: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        if not self.gamma > 0:
            raise ValueError(
                f"gamma holds the feedback near zero at first and is above 0, got {self.gamma}"
            )

    def prepare(self, net, generator):
        super().prepare(net, generator)
        for layer in upper(net):  # in single precision large sums would lose the late trials
            groups, errors, units = sizes(layer)
            start = self.gamma * torch.eye(errors, dtype=torch.float64)
            layer.register_buffer("V", start.repeat(groups, 1, 1))
            layer.register_buffer("S", start.new_zeros(groups, errors, units))

    def learn(self, net, trial):
        xi, difference = self.perturb(net, trial)
        for layer, e in self.errors(net, trial).items():
            teacher = times(xi[layer], difference)  # lambda^
            layer.feedback.copy_(layer.each(fitted, e.double(), teacher.double()))


def fitted(layer: Weighted, e: Tensor, teacher: Tensor) -> Tensor:
    """Add trials to a layer's V and S; the feedback weights that follow."""
    e, teacher = samples(layer, e, teacher)
    V, S = layer.get_buffer("V"), layer.get_buffer("S")
    V += whole.total(e.mT @ e)
    S += whole.total(e.mT @ teacher)
    factor, _ = torch.linalg.cholesky_ex(V)  # `cholesky` would wait for the GPU to say yes
    return as_feedback(layer, torch.cholesky_solve(S, factor))
