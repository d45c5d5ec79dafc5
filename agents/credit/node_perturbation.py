"""Node perturbation: every unit tries noise, and learns from what that did to one number.

    a~_l = W_l h~_{l-1} + b_l + xi_l,  xi_l ~ N(0, s^2)     all layers at once, the output too
    e_l = (L~ - L) / s^2 xi_l                               an estimate of dL/da_l, trial by trial
    Delta W_l = -eta e_l^T h_{l-1}                          h of the clean pass; no phi' needed

No error goes from layer to layer, so there is no feedback to have. Each of n noisy units hears the
noise of all: where L is linear, one trial's e has the variance (n + 1) |dL/da|^2. The mean of e is
dL/da exactly if the output is linear in the noise and L quadratic, else up to O(s^2). The
symmetric difference (L(+xi) - L(-xi)) / 2 has the same mean without the noise of L's curvature.

What L is, three ways (B and C, with one bit a look, are by far the slowest):
A  `node_perturbation`: the signal's cost, with action and answer clamped while the network looks a
   second time inside the agent. One environment step, two passes (symmetric: three).
B  `node_perturbation_two_rewards`: L = -r. The image is shown twice; a clean look earns r, a noisy
   one with its own action r~. Two environment steps, two passes.
C  `node_perturbation_one_reward`: L~ = -r of a noisy look, and -b in place of L, b the running mean
   reward. With h~ of that look this is REINFORCE with Gaussian units (Williams 1992): exact for the
   expected reward under noise, at any s. One environment step, one pass.

A and B show the second look the first's dropout masks and batch statistics. Batch norm's units get
noise like any other's, for gain and bias to learn from. As the statistics stand still, e leaves out
what one trial does to others through them, a part of backprop's gradient in training. C measures
the statistics on noisy activity, and gives no credit for what noise does to other trials either.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from agents import whole
from agents.chance import Source
from agents.credit.base import CreditRule, times
from agents.credit.noise import Noise, added, check_noise, difference, draw, opposite, perturbed
from agents.credit.stages import cut
from agents.second_look import second_look


@dataclass(frozen=True)
class NoisyUnits(CreditRule):
    """What the three have in common; `noise` is the standard deviation s of xi."""

    layerwise = False

    noise: float

    def __post_init__(self):
        check_noise(self.noise)

    def prepare(self, net, generator):
        cut(perturbed(net))

    def assign(self, net, trial):
        slope = self.change(net, trial) / (self.noise**2 * len(trial.images))  # batch mean
        stages = perturbed(net)
        errors = [times(stage.xi, slope) for stage in stages]
        torch.autograd.backward([stage.answered for stage in stages], errors)

    def change(self, net: Any, trial: Any) -> Tensor:
        """L~ - L of each trial, (B,); each stage keeps its noise as `xi`."""
        raise NotImplementedError

    def fresh(self, generator: Source) -> Noise:
        """Noise drawn anew for each stage, and kept as its `xi`."""

        def noise(stage, output):
            stage.xi = draw(output, self.noise, generator)
            return stage.xi

        return noise


@dataclass(frozen=True)
class NodePerturbation(NoisyUnits):
    """Mode A: the signal's cost, looked at a second time."""

    name = "node_perturbation"
    compares_passes = True
    largest_rate = 0.04

    noise: float = 0.001
    symmetric: bool = False

    @property
    def passes(self) -> int:
        return 3 if self.symmetric else 2

    @torch.no_grad()
    def change(self, net, trial):
        def cost(sign):
            noise = self.fresh(trial.generator) if sign > 0 else opposite
            with second_look(net), added(net, noise):
                return trial.cost(net(trial.images))

        return difference(cost, trial.costs, self.symmetric)


@dataclass(frozen=True)
class NodePerturbationTwoRewards(NoisyUnits):
    """Mode B: the rewards of a clean and of a noisy look."""

    name = "node_perturbation_two_rewards"
    signals = ("policy_gradient",)  # whose actions are sampled
    presentations = 2
    largest_rate = 0.016

    noise: float = 1.0

    def look(self, net, images, generator, before):
        if before is None:
            return net(images)
        with torch.no_grad(), second_look(net), added(net, self.fresh(generator)):
            return net(images)

    def change(self, net, trial):
        return trial.before.reward - trial.reward


@dataclass(frozen=True)
class NodePerturbationOneReward(NoisyUnits):
    """Mode C: the reward of a noisy look, and the mean reward so far."""

    name = "node_perturbation_one_reward"
    signals = ("policy_gradient",)
    largest_rate = 0.016

    noise: float = 0.5

    def prepare(self, net, generator):
        super().prepare(net, generator)
        net.register_buffer("mean_reward", torch.zeros(()))

    def look(self, net, images, generator, before):
        with added(net, self.fresh(generator)):
            return net(images)

    def change(self, net, trial):
        lost = net.mean_reward - trial.reward
        kept = 0.99 ** whole.size(lost)  # .01 per trial
        net.mean_reward += (1 - kept) * (whole.mean(trial.reward.mean()) - net.mean_reward)
        return lost
