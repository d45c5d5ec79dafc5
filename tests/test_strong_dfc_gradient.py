"""Strong-DFC learns to need less control: what it changes is the gradient of that control."""

from collections.abc import Iterable

import pytest
import torch
from cells import distance, settle
from chains import changes, feedback_of, inputs, jacobian, make_chain, put_feedback, ready, settled
from torch import Tensor, nn

from agents.credit.control import Moment
from agents.credit.strong_dfc import StrongDFC
from agents.weighted import weighted

# Steps of a length that comes to a steady state soon, and a target that a softmax reaches soon.
SOON = {"dt": 0.5, "tau_v": 0.5, "k_p": 0.3, "tau_eps": 0.6, "tau_f": 0.6, "certainty": 0.6}
every_signal = pytest.mark.parametrize("signal", ["label_mse", "label"])


class Clamped:
    """A chain with two hidden layers on one image, whose target holds still."""

    def __init__(self, signal: str, phi: type[nn.Module] = nn.Tanh, alpha: float = 0.0):
        self.rule = StrongDFC(phases=2, steps=300, alpha=alpha, **SOON)
        self.net, self.images = ready(self.rule, make_chain(phi, (4, 5, 4, 3))), inputs(1)
        self.trial = settle(self.net, signal, self.images)
        self.target = self.rule.target(self.trial).detach()
        self.align(torch.zeros(1, 12).double())

    def align(self, push: Tensor) -> None:
        """Let Q be J^T where the voltages are pushed, with a loop gain J Q of 1 at most."""
        (jac,) = jacobian(self.net, self.images, push)
        put_feedback(self.net, jac.T / torch.linalg.matrix_norm(jac, 2) ** 2)

    def steady(self) -> Moment:
        def error(output):
            return self.target - self.trial.meaning(output)

        return settled(self.rule, self.net, self.images, error)

    def needed(self) -> float:
        """H = |Q u|^2 / 2 at the steady state."""
        return 0.5 * (self.steady().u @ feedback_of(self.net).T).square().sum().item()

    def times_rates(self, errors: Iterable[Tensor]) -> list[Tensor]:
        """Errors times the rates below, both under control."""
        below = [self.images.flatten(1), *self.steady().state.r[:-1]]
        return [error.T @ r for error, r in zip(errors, below, strict=True)]

    def check(self, found: list[Tensor]) -> None:
        """These are the gradient of H, layer by layer."""
        generator = torch.Generator().manual_seed(5)
        for layer, gradient in zip(weighted(self.net), found, strict=True):
            way = torch.randn(layer.weight.shape, generator=generator).double()
            weight, needs = layer.weight.data.clone(), []
            for side in (1e-6, -1e-6):
                layer.weight.data = weight + side * way
                needs.append(self.needed())
            layer.weight.data = weight
            slope = (needs[0] - needs[1]) / 2e-6
            assert (gradient * way).sum().item() == pytest.approx(slope, rel=1e-7)


@every_signal
def test_control_times_rate_is_the_gradient_of_the_control_needed(signal):
    clamped = Clamped(signal, nn.Tanh)
    for _ in range(12):  # until Q = J^T at the very state that this Q leads to
        clamped.align(clamped.steady().u @ feedback_of(clamped.net).T)
    state = clamped.steady().state
    clamped.check(clamped.times_rates(map(torch.sub, state.ff, state.v)))


@every_signal
def test_the_change_of_a_linear_net_is_the_gradient_of_the_control_needed(signal):
    clamped = Clamped(signal, nn.Identity)
    clamped.check(changes(clamped.rule, clamped.net, clamped.trial)[::2])


@every_signal
@pytest.mark.parametrize("alpha", [0.0, 0.2])
def test_under_any_feedback_and_leak_the_gradient_is_another(signal, alpha):
    """-[u^T Q^T Q (D J Q + a)^-1 D J]_i r_{i-1}^T, D the slopes of what the output means."""
    clamped = Clamped(signal, nn.Tanh, alpha)
    other = torch.randn(12, 3, generator=torch.Generator().manual_seed(4)).double()
    put_feedback(clamped.net, feedback_of(clamped.net) + 0.2 * other)
    Q, (state, *_, u) = feedback_of(clamped.net), clamped.steady()
    D = torch.autograd.functional.jacobian(clamped.trial.meaning, state.r[-1])[0, :, 0]
    DJ = D @ jacobian(clamped.net, clamped.images, u @ Q.T)[0]
    gain = DJ @ Q + clamped.rule.leak * torch.eye(3).double()
    if signal == "label":  # u sums to zero, and alike for all classes it would do nothing
        gain -= gain.mean(1, keepdim=True)
    row = -u @ Q.T @ Q @ torch.linalg.pinv(gain, rtol=1e-9) @ DJ
    assert distance(row, -u @ Q.T) > 0.1  # what the rule makes of it
    clamped.check(clamped.times_rates(row.split([5, 4, 3], 1)))
