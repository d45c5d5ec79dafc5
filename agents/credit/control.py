"""Feedback control of a chain of fully connected layers: what DFC and Strong-DFC share.

    tau_v dv_i/dt = -v_i + W_i r_{i-1} + b_i + Q_i u + noise_i    r_i = phi(v_i), r_0 = x
    u = u_int + k_p e,   du_int/dt = e - alpha u_int              e = r* - r_L

One controller u (B, K) reaches every layer directly, by Q_i (n_i, K); Q_L = I. Its leak acts on
the integral u_int, as the papers write it (their code lets it act on all of u). So the steady
state of a linear net is exactly
    u = (J Q + a I)^-1 (r* - r_L^-),   v - v_ff = Q u,   a = alpha / (1 + alpha k_p)
with J = dr_L/dv. Time counts in the integrator's constant, tau_u = 1. The dynamics are explicit
Euler steps from the feedforward state and u = 0; within an instant each layer already hears the
new rates of the one below (their code's inst_transmission).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from agents import whole
from agents.credit.base import CreditRule, Trial
from agents.credit.circuit import Circuit, State, chain
from agents.credit.noise import check_noise, draw
from agents.credit.stages import cut
from agents.layers import Linear


class Moment(NamedTuple):
    """The chain under control at one instant."""

    state: State
    e: Tensor  # what is left of the error (B, K)
    xi: Tensor  # the noise that led here (B, N)
    u: Tensor  # the control that answers (B, K)


@dataclass(frozen=True)
class Controlled(CreditRule):
    """A rule whose errors are what a controller does to the layers.

    `rate` is that of the feedback, `noise` the standard deviation s of what it learns from, and
    the hidden layers' Q_i go to `scale` times J_i^T: as Q_L = I stays, the smaller it is, the more
    of the control is the output layer's. Of the dynamics, `steps` is the number of Euler steps,
    `dt` their length, `tau_v` the layers' time constant, `alpha` the controller's leak and `k_p`
    its proportional gain.
    """

    layerwise = False
    compares_passes = True
    serves = (Linear,)

    rate: float = 0.5
    noise: float = 0.02
    scale: float = 1.0
    steps: int = 50
    dt: float = 0.1
    tau_v: float = 0.2
    alpha: float = 0.001
    k_p: float = 0.5

    def __post_init__(self):
        if self.steps < 1:
            raise ValueError(f"steps is a number of Euler steps, 1 or more, got {self.steps}")
        if not 0 < self.dt <= self.tau_v:
            raise ValueError(
                "an Euler step longer than the layers' time constant is unstable: choose "
                f"0 < dt <= tau_v, got dt={self.dt} and tau_v={self.tau_v}"
            )
        if not (self.alpha >= 0 and self.k_p >= 0):
            raise ValueError(
                f"alpha (leak) and k_p (gain) are 0 or more, got {self.alpha} and {self.k_p}"
            )
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is a part in 0..1 of the way to the teacher, got {self.rate}")
        if not self.scale > 0:
            raise ValueError(f"scale is a factor of the feedback, more than 0, got {self.scale}")
        check_noise(self.noise)

    @property
    def leak(self) -> float:
        """a: what is left of the error at the steady state is a u."""
        return self.alpha / (1 + self.alpha * self.k_p)

    def check(self, net, signal):
        super().check(net, signal)
        chain(net)

    def prepare(self, net, generator):
        """Q_L = I; the others start at zero, or scale N(0, 2 / (n_i + K)) if they do not learn."""
        layers, _ = chain(net)
        cut(layers)
        for layer in layers:
            layer.reciprocal = False
        *hidden, output = layers
        like, classes = output.weight, output.fan_out
        for layer in hidden:
            start = like.new_zeros(layer.fan_out, classes)
            if self.rate == 0:
                spread = self.scale * (2 / (layer.fan_out + classes)) ** 0.5
                start.normal_(0, spread, generator=generator)
            layer.feedback = nn.Parameter(start, requires_grad=False)
        output.feedback = nn.Parameter(torch.eye(classes).to(like), requires_grad=False)

    def dynamics(
        self, circuit: Circuit, error: Callable[[Tensor], Tensor],
        noise: Iterator[Tensor] | None = None,
    ) -> Iterator[Moment]:  # fmt: skip
        """Let the controller work on the chain; `error` gives e of an output."""
        state, feedback = circuit.start, circuit.feedback
        e = error(state.r[-1])
        integral = self.dt * e
        for _ in range(self.steps):
            push = (integral + self.k_p * e) @ feedback.T
            xi = torch.zeros_like(push) if noise is None else next(noise)
            state = circuit.forward(push + xi, state, self.dt / self.tau_v)
            e = error(state.r[-1])
            integral = integral + self.dt * (e - self.alpha * integral)
            yield Moment(state, e, xi, integral + self.k_p * e)

    def sleep(self, circuit: Circuit, trial: Trial) -> None:
        """One noisy pass over the trials, from which the hidden layers' feedback learns.

        v_i = W_i r_{i-1} + b_i + xi_i,  e = r_L^- - r_L,  teacher -xi_i e^T / s^2
        """
        trials, classes = trial.output.shape
        xi = draw(trial.output.new_empty(trials, circuit.units), self.noise, trial.generator)
        xi[:, -classes:] = 0  # Q_L = I is right already
        e = trial.output - circuit.forward(xi).r[-1]
        teacher = whole.mean(xi.T @ e / (-trials * self.noise**2))
        self.approach(circuit, circuit.parts(teacher, 0)[:-1])

    def approach(self, circuit: Circuit, teachers: Sequence[Tensor]) -> None:
        """Q_i += beta (scale teacher_i - Q_i) in the hidden layers, beta = rate min(1, B / N)."""
        beta = self.rate * min(1, whole.size(circuit.x) / circuit.units)
        for layer, teacher in zip(circuit.layers[:-1], teachers, strict=True):
            layer.feedback.lerp_(self.scale * teacher, beta)


class Changes:
    """Gathers over time error x presynaptic rate, both under control.

    The error of a unit is what control did to its rate, with the sign of a gradient:
        e_i = -(phi(v_i) - phi(W_i r_{i-1} + b_i)).
    The papers' nonlinear difference, not the theory's v - v_ff: a Q that is the same for all
    trials cannot know phi', and here a unit that is shut learns nothing.
    An instant at which the output is further from its target than any of the batch was at first
    teaches nothing: so trials on which the controller is unstable are left out.
    """

    def __init__(self, circuit: Circuit, e: Tensor):
        self.circuit, self.bound = circuit, whole.largest(e.norm(dim=1).max())
        self.errors: list = [0.0] * len(circuit.layers)
        self.products: list = [0.0] * len(circuit.layers)
        self.instants = 0

    def add(self, state: State, e: Tensor) -> Tensor:
        """Count one instant, at which the error that is left is `e`; says for which trials."""
        self.instants += 1
        sound = (e.norm(dim=1) <= self.bound)[:, None]
        circuit, below = self.circuit, self.circuit.x
        for i, (layer, phi) in enumerate(zip(circuit.layers, circuit.phi, strict=True)):
            error = torch.where(sound, phi(state.ff[i]) - state.r[i], 0.0)
            self.errors[i] = self.errors[i] + error
            if i:
                self.products[i] = self.products[i] + layer.product(error, below)
            below = torch.where(sound, state.r[i], 0.0)  # may be inf, and 0 x inf is no number
        return sound

    def write(self, scale: float) -> None:
        """Leave the means over time and batch, times `scale`, as the layers' changes."""
        scale = scale / (self.instants * len(self.circuit.x))
        self.products[0] = self.circuit.layers[0].product(self.errors[0], self.circuit.x)
        for layer, error, product in zip(
            self.circuit.layers, self.errors, self.products, strict=True
        ):
            layer.weight.grad = product * scale
            if layer.bias is not None:
                layer.bias.grad = error.sum(0) * scale
            if layer.keeps_error:
                layer.error = error * scale


@torch.enable_grad()
def output_error(trial: Trial) -> Tensor:
    """dcost/doutput of each trial (B, K), without the batch's 1 / B."""
    output = trial.output.detach().requires_grad_()
    (error,) = torch.autograd.grad(trial.cost(output).sum(), output)
    return error
