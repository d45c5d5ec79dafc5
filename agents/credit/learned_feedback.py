"""Node perturbation trains the feedback weights (Lansdell, Prakash & Kording, ICLR 2020).

    e_l = phi'(a_l) * (e_{l+1} B_{l+1})                          errors come down through B
    h~_l = h_l + xi_l,  xi_l ~ N(0, s^2)                         a second, noisy pass, same trial
    lambda^_l = (L~ - L) xi_l / s^2                              estimates dL/dh_l
    B_{l+1} -= beta e_{l+1}^T (e_{l+1} B_{l+1} - lambda^_l)      least squares, one step a batch

L is the signal's cost of the trial. With a label signal that is the published rule. With a reward
signal the action and its reward stay clamped while the network answers a second time inside the
agent: no label, no second reward, one environment step. For 0.5 (r - q_a)^2 the fitted B is W
exactly, so the rule becomes Q-AGREL where the noise allows.

B starts at zero: hidden layers wait until their feedback has something to say.

Differs from the paper: the step is normalised, so that one `rate` serves every layer, network and
batch. Each trial is divided by the norm of its output error (`FLOOR` at least), and the small
errors late in learning teach B as well as the large early ones. Then
    beta = rate min(1, batch / N) / mean |e|^2,    N the number of perturbed units,
the normalised LMS rule (Nagumo & Noda 1967): lambda^ of one trial is N times as noisy as it is
informative. The batch is averaged, not summed; bias units get no noise.
"""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from agents import whole
from agents.credit.base import CreditRule, Trial, times, upper
from agents.credit.noise import check_noise, draw
from agents.credit.stages import cut, same_answer
from agents.second_look import second_look
from agents.weighted import Weighted, weighted

FLOOR = 0.05  # output error below which a trial counts less: there L~ - L is mostly noise squared


@dataclass(frozen=True)
class Taught(CreditRule):
    """Feedback weights are taught by node perturbation with the standard deviation `noise`."""

    compares_passes = True

    noise: float = 0.001

    @property
    def passes(self) -> int:
        return 2

    def __post_init__(self):
        check_noise(self.noise)

    def prepare(self, net, generator):
        for layer in upper(net):
            layer.feedback = nn.Parameter(torch.zeros_like(layer.weight), requires_grad=False)
            layer.keeps_error = True
        cut(weighted(net)[:1])  # keeps its answer: the noisy pass begins behind it

    def errors(self, net: nn.Module, trial: Trial) -> dict[Weighted, Tensor]:
        """The error that each layer's feedback carried down, of each trial's own cost L."""
        return {layer: layer.error * trial.size for layer in upper(net)}

    @torch.no_grad()
    def perturb(self, net: nn.Module, trial: Trial) -> tuple[dict[Weighted, Tensor], Tensor]:
        """A noisy pass over the same trial: xi of each layer's input, and (L~ - L) / s^2 (B,)."""
        xi: dict[Weighted, Tensor] = {}

        def add(layer, inputs):
            xi[layer] = draw(inputs[0], self.noise, trial.generator)
            return inputs[0] + xi[layer]

        hooks = [layer.register_forward_pre_hook(add) for layer in upper(net)]
        try:
            with second_look(net), same_answer(weighted(net)[0]):
                costs = trial.cost(net(trial.images))
        finally:
            for hook in hooks:
                hook.remove()
        return xi, (costs - trial.costs) / self.noise**2


@dataclass(frozen=True)
class LearnedFeedback(Taught):
    """Feedback weights take a step of least squares in each batch.

    `rate` is a part of the largest stable step.
    """

    name = "learned_feedback"
    stackable = True

    rate: float = 0.2

    def prepare(self, net, generator):
        super().prepare(net, generator)
        for layer in upper(net):
            layer.keeps_sent = True

    def sent(self, net: nn.Module, trial: Trial) -> dict[Weighted, Tensor]:
        """What became of these errors below each layer: e B, as the net's own errors came down."""
        return {layer: layer.sent * trial.size for layer in upper(net)}

    def learn(self, net, trial):
        xi, difference = self.perturb(net, trial)
        trials = whole.size(difference) // trial.nets
        error, sent = self.errors(net, trial), self.sent(net, trial)
        scale = 1 / error[upper(net)[-1]].norm(dim=1).clamp(min=FLOOR)  # (B,)
        rate = self.rate * min(1, trials / sum(noise[0].numel() for noise in xi.values()))
        for layer, noise in xi.items():
            e = times(error[layer], scale)
            residual = times(sent[layer] - times(noise, difference), scale)  # e B - lambda^
            layer.feedback -= layer.each(partial(step, rate=rate, trials=trials), e, residual)


def step(layer: Weighted, e: Tensor, residual: Tensor, rate: float, trials: int) -> Tensor:
    """The slope, by the mean |e|^2 of the trials."""
    power = whole.total(e.square().sum()).clamp(min=1e-12) / trials
    return whole.mean(slope(layer, e, residual)).mul_(rate / power)


def slope(layer: Weighted, e: Tensor, residual: Tensor) -> Tensor:
    """Gradient of 0.5 |e B - lambda^|^2 (batch mean) in the layer's feedback weights B."""
    return layer.product(e / len(e), residual)
