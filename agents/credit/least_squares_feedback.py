"""Learned feedback by running least squares (Lansdell, Prakash & Kording 2020, the exact form).

    V <- V + e_{l+1}^T e_{l+1},   S <- S + e_{l+1}^T lambda^_l      summed over all trials so far
    B_{l+1} = V^{-1} S            V_0 = gamma I,  S_0 = 0: B starts at zero

Errors and lambda^ are those of `learned_feedback`. Nothing is ever forgotten: B fits the weights as
they were, weighted by |e|^2. The large errors of a net that knows nothing outweigh the small ones
of a net that does, and B lags behind W as W moves. In directions that errors have hardly taken, B
is mostly noise of lambda^, which only gamma holds down.

Differs from the paper: no first epoch for V and S alone; bias units get no noise.
"""

from dataclasses import dataclass

import torch

from agents.credit.base import times, upper
from agents.credit.learned_feedback import Taught
from agents.layers import Linear


@dataclass(frozen=True)
class LeastSquaresFeedback(Taught):
    """Feedback weights are the ridge regression of lambda^ on the errors of all trials so far.

    `gamma` is what holds B at zero until trials say more.
    """

    name = "least_squares_feedback"
    serves = (Linear,)

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
            layer.register_buffer("V", self.gamma * torch.eye(layer.fan_out, dtype=torch.float64))
            layer.register_buffer("S", torch.zeros_like(layer.weight, dtype=torch.float64))

    def learn(self, net, trial):
        xi, difference = self.perturb(net, trial)
        for layer, e in self.errors(net, trial).items():
            e, teacher = e.double(), times(xi[layer], difference).double()  # lambda^
            V, S = layer.get_buffer("V"), layer.get_buffer("S")
            V += e.T @ e
            S += e.T @ teacher
            factor, _ = torch.linalg.cholesky_ex(V)  # `cholesky` would wait for the GPU to say yes
            layer.feedback.copy_(torch.cholesky_solve(S, factor))
