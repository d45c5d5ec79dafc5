"""Strong deep feedback control (Meulemans, Tristany Farinha, Cervera, Sacramento & Grewe, ICML
2022): learn what makes control needless.

    r* = m(r_L^-) - dL/dr_L,   e = r* - m(r_L)         the target itself, not a step towards it
    v_i <- W_i r_{i-1} + b_i + Q_i u + xi_i            `control.Controlled`, with noise
    e_i = -<phi(v_i) - phi(W_i r_{i-1} + b_i)>,   dW_i = -<(phi(v_i) - phi(..)) r_{i-1}^T>
    Q_i += beta (c_i - Q_i),   c_i ~ -(1 + (tau_v - dt) / tau_eps)^(L-i) <xi_i u_hp^T>

<> is the mean over one noisy trajectory in which W and Q learn together (`phases` = 1). Without
noise and leak, Q spanning the rows of J, dW_i is the gradient of |Q u|^2 / 2 at the steady state
(under curved units that of voltages, v_i - .. for phi(v_i) - phi(..)), and optimisers go down it:
weights learn to need less control.

m is what the output means. With labels r* = softmax - (softmax - 1_y) = 1_y, under reward
prediction the chosen unit's value becomes the reward. A target of probabilities is kept within 0..1
and softened, with c (`certainty`) for 1 and (1 - c) / (K - 1) for 0. With a `strength` below 1 the
output is driven only so far of the way to r*, and the change is divided by it: weak feedback, as
that of `deep_feedback_control`, but in the same noise, which then is what most of v - v_ff is.

xi is filtered noise: xi <- (1 - dt / tau_eps) xi + s sqrt(dt) / tau_eps N(0, 1). The control that
answers it, from which slow changes are filtered out (u_hp), is an anti-Hebbian teacher: its mean is
J_i^T times one factor for all layers, or under a softmax, which control of all classes alike does
not move, J_i^T P with P = I - 1/K. The power evens out the lags that noise passes on its way up.
Q learns in the second half, when the first rise of the control, far larger, is over.

With `phases` = 2 the trajectory is without noise, W learns from its last instant, and Q asleep, as
in `deep_feedback_control`.

Differs from the paper:
- The teacher is xi_i u_hp^T, the noise alone, not (Q_i u + xi_i) u_hp^T with weight decay: what Q u
  adds is a decay that depends on the trials' control, 1 / s^2 times as strong.
- u is high-passed twice. A clamped softmax makes u climb, of which one filter leaves a constant.
- c is scaled so that c_L has the norm of J_L = I, whatever the output's slopes; Q_L = I stays.
  No Adam: beta = rate min(1, batch / N), N the number of units. As published, Q hardly moves
  (Adam's rate is 2e-8); rate = 0 freezes it.
- 25 steps for the same half a tau_u as the paper's 500, of the lengths that this allows, and Q
  learns in half of them. The power has tau_v - dt for tau_v: so it is exact for Euler steps.
- An instant further from its target than r* was from any trial of the batch teaches nothing.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from agents import whole
from agents.credit.base import Trial
from agents.credit.circuit import Circuit
from agents.credit.control import Changes, Controlled, Moment, output_error
from agents.credit.noise import draw


@dataclass(frozen=True)
class StrongDFC(Controlled):
    """Errors are what a controller does to reach the target itself.

    `phases`, `certainty` and `strength` are said above, `tau_eps` and `tau_f` are the time
    constants of the noise and of the high-pass. In half a tau_u the gain k_p does most of the
    control.
    """

    name = "strong_dfc"
    largest_rate = 0.4

    rate: float = 0.03
    noise: float = 0.002
    steps: int = 25
    dt: float = 0.02
    tau_v: float = 0.04
    k_p: float = 2.0
    phases: int = 1
    certainty: float = 0.99
    strength: float = 1.0
    tau_eps: float = 0.04
    tau_f: float = 0.04

    @property
    def passes(self) -> int:
        return 1 + self.steps + (self.phases == 2 and self.rate > 0)  # acting, the steps, the sleep

    def __post_init__(self):
        super().__post_init__()
        if self.phases not in (1, 2):
            raise ValueError(f"phases is 1 (W and Q together) or 2, got {self.phases}")
        if not 0.5 < self.certainty < 1:
            raise ValueError(
                f"certainty is the probability in .5..1 of a clamped class, got {self.certainty}"
            )
        if not 0 < self.strength <= 1:
            raise ValueError(f"strength is above 0 and at most 1, got {self.strength}")
        if not self.dt < self.tau_eps <= self.tau_f < 1:
            raise ValueError(
                "noise must be slower than the Euler steps, faster than the filter of the control "
                "and that faster than the controller: choose dt < tau_eps <= tau_f < 1, "
                f"got dt={self.dt}, tau_eps={self.tau_eps} and tau_f={self.tau_f}"
            )

    @torch.no_grad()
    def assign(self, net, trial):
        circuit, meaning = Circuit(net), trial.meaning(trial.output)
        whole_way = self.target(trial)
        target = torch.lerp(meaning, whole_way, self.strength)

        def error(output: Tensor) -> Tensor:
            return target - trial.meaning(output)

        changes = Changes(circuit, whole_way - meaning)
        if self.phases == 2:
            (last,) = deque(self.dynamics(circuit, error), maxlen=1)
            changes.add(last.state, last.e)
        else:
            self.together(circuit, self.dynamics(circuit, error, self.xi(trial, circuit)), changes)
        changes.write(1 / self.strength)

    def learn(self, net, trial):
        if self.phases == 2 and self.rate > 0:
            self.sleep(Circuit(net), trial)

    def target(self, trial: Trial) -> Tensor:
        """r* (B, K): what the output would mean after a full step down the cost."""
        meaning = trial.meaning(trial.output)
        target = meaning - output_error(trial)
        if meaning is trial.output:  # values mean themselves
            return target
        least = (1 - self.certainty) / (target.shape[1] - 1)
        return least + (self.certainty - least) * target.clamp(0, 1)

    def xi(self, trial: Trial, circuit: Circuit) -> Iterator[Tensor]:
        """Filtered noise for all units (B, N), instant by instant."""
        xi = trial.output.new_zeros(len(trial.output), circuit.units)
        step = self.noise * self.dt**0.5 / self.tau_eps
        for _ in range(self.steps):
            fresh = draw(xi, step, trial.generator)
            xi = fresh.add_(xi, alpha=1 - self.dt / self.tau_eps)
            yield xi

    def together(self, circuit: Circuit, moments: Iterator[Moment], changes: Changes) -> None:
        """Let one trajectory teach W, through `changes`, and Q."""
        first, second = HighPass(self), HighPass(self)
        correlation = torch.zeros_like(circuit.feedback)
        for instant, moment in enumerate(moments):
            sound = changes.add(moment.state, moment.e)
            answer = second(first(moment.u))
            if instant >= self.steps // 2:
                correlation = correlation - moment.xi.T @ torch.where(sound, answer, 0.0)
        *hidden, output = circuit.parts(whole.total(correlation), 0)
        size = len(output) ** 0.5 / output.norm().clamp(min=1e-30)
        lag = 1 + (self.tau_v - self.dt) / self.tau_eps
        height = range(len(hidden), 0, -1)  # L - i
        teachers = [size * lag**up * c for up, c in zip(height, hidden, strict=True)]
        self.approach(circuit, teachers)


class HighPass:
    """What is left of a signal when its slow part is taken out."""

    def __init__(self, rule: StrongDFC):
        self.part, self.slow = rule.dt / rule.tau_f, None

    def __call__(self, signal: Tensor) -> Tensor:
        self.slow = signal if self.slow is None else torch.lerp(self.slow, signal, self.part)
        return signal - self.slow
