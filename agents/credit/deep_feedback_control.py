"""Deep feedback control (Meulemans, Tristany Farinha, Garcia Ordonez, Aceituno, Sacramento &
Grewe, NeurIPS 2021): credit is the help that each layer needs.

    r* = r_L^- - lambda dL/dr_L                             a target a little nearer
    u  = (J Q + a I)^-1 (r* - r_L^-)                        control that reaches it
    v_i = W_i r_{i-1} + b_i + Q_i u,   r_i = phi(v_i)       all layers helped at once
    e_i = -(phi(v_i) - phi(W_i r_{i-1} + b_i)) / lambda,   dW_i = e_i^T r_{i-1}

J = dr_L/dv. Where the columns of Q span the rows of J, that is the smallest change of the
voltages which does it; where all layers hear rates of one length, Gauss and Newton's direction.

`state` says where the helped state comes from: "analytic" solves for the control (the paper's
SSA; phi linearised at the feedforward state, J computed from the forward weights), "steady" is
the last instant of the controller's dynamics (SS), and "mean" is the mean over all of them (DFC).

Q learns asleep, from noise: the target is the clean output, and what control would do against the
noise is an anti-Hebbian teacher,
    v_i = W_i r_{i-1} + b_i + xi_i,  e = r_L^- - r_L,   Q_i += beta (-xi_i e^T / s^2 - Q_i),
whose mean is J_i^T - Q_i.

Differs from the paper:
- Each batch is followed by its sleep, one noisy pass: the limit of slow noise and of a leak so
  strong that control stays far below the noise (theorem 6 with gamma -> infinity).
  `rate` is that of the running mean, less where the batch is smaller than the N noisy units:
  beta = rate min(1, batch / N). No Adam. With rate = 0, Q stays as it was drawn. In batches of 128
  .1 and .02 learn further than the default: weights come to meet feedback that holds still.
- Q_L = I stays (it is J_L^T), and the output layer gets no noise. The hidden Q start at zero, and
  go to `scale` J_i^T; in the paper that factor follows from noise, decay and the length of sleep.
- The change is divided by lambda: learning rates mean what they mean elsewhere.
- A trial that ends further from its target than any of its batch began teaches nothing
  (`control.Changes`).
- Any signal: L is its cost.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from agents.credit.circuit import Circuit, State
from agents.credit.control import Changes, Controlled, output_error

STATES = ("analytic", "steady", "mean")


@dataclass(frozen=True)
class DeepFeedbackControl(Controlled):
    """Errors are what a controller does to reach a target a little nearer.

    `nudge` is lambda. The dynamics are those of the states "steady" and "mean" only.
    """

    name = "dfc"
    transports_weights = True  # the analytic state; the dynamics only run the net again

    state: str = "analytic"
    nudge: float = 0.05

    @property
    def passes(self) -> int:
        # acting, then the helped state or the steps to it, and the sleep
        return 1 + (1 if self.state == "analytic" else self.steps) + (self.rate > 0)

    def __post_init__(self):
        super().__post_init__()
        if self.state not in STATES:
            raise ValueError(f"state is one of {', '.join(STATES)}, got {self.state!r}")
        if not self.nudge > 0:
            raise ValueError(f"nudge is the target's step lambda > 0, got {self.nudge}")

    @torch.no_grad()
    def assign(self, net, trial):
        circuit = Circuit(net)
        delta = -self.nudge * output_error(trial)
        target = trial.output + delta
        changes = Changes(circuit, delta)
        for state in self.helped(circuit, target):
            changes.add(state, target - state.r[-1])
        changes.write(1 / self.nudge)

    def helped(self, circuit: Circuit, target: Tensor) -> Iterable[State]:
        """The states under control to learn from."""
        if self.state == "analytic":
            gain = circuit.loop_gain()
            gain.diagonal(dim1=1, dim2=2).add_(self.leak)
            u, _ = torch.linalg.solve_ex(gain, target - circuit.start.r[-1])
            return [circuit.forward(u @ circuit.feedback.T)]
        moments = self.dynamics(circuit, lambda output: target - output)
        states = (moment.state for moment in moments)
        return states if self.state == "mean" else deque(states, maxlen=1)

    def learn(self, net, trial):
        if self.rate > 0:
            self.sleep(Circuit(net), trial)
