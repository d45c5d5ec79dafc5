"""Rules that are plausible but for one thing each, for the measure to find."""

import torch
from torch.func import functional_call

from agents.credit import CreditRule
from agents.credit.base import random_feedback, upper
from agents.layers import Linear
from agents.weighted import weighted


class Toy(CreditRule):
    """Feedback alignment, by itself as plausible as can be."""

    name = "toy"
    layerwise = False

    def prepare(self, net, generator):
        for layer in upper(net):
            random_feedback(layer, generator, learns=False)


class Copies(Toy):
    def learn(self, net, trial):
        for layer in upper(net):
            layer.feedback.data.copy_(layer.weight)


class Hoards(Toy):
    def assign(self, net, trial):
        for layer in upper(net):
            layer.feedback.data.mul_(getattr(layer, "hoard", 1.0))
        super().assign(net, trial)

    def learn(self, net, trial):
        for layer in upper(net):  # in no buffer, and used in the next trial only
            layer.hoard = 1 + layer.weight.detach().clone().abs()


class Differentiates(Toy):
    serves = (Linear,)

    def assign(self, net, trial):
        layer = weighted(net)[1]
        below = torch.ones(len(trial.images), layer.fan_in, requires_grad=True)
        answer = layer.respond(below, layer.weight, layer.bias)
        (slope,) = torch.autograd.grad(answer.sum(), below)
        super().assign(net, trial)
        layer.weight.grad += slope.mean(0)


class Signs(Toy):
    def assign(self, net, trial):
        for layer in upper(net):
            layer.feedback.data.copy_(layer.weight.sign())
        super().assign(net, trial)


class CopiesSigns(Toy):
    def look(self, net, images, generator, before):
        for layer in upper(net):
            layer.feedback.data.copysign_(layer.weight.detach())
        return net(images)


class Mirrors(Toy):
    serves = (Linear,)

    @torch.no_grad()
    def learn(self, net, trial):
        for layer in upper(net):
            noise = torch.randn(len(trial.images), layer.fan_in, generator=trial.generator)
            answer = layer.respond(noise, layer.weight, layer.bias)
            layer.feedback.lerp_(layer.product(answer, noise) / len(noise), 0.1)


class TriesWeights(Toy):
    @torch.no_grad()
    def assign(self, net, trial):
        eps = {
            name: torch.empty_like(weight).normal_(0, 1e-3, generator=trial.generator)
            for name, weight in net.named_parameters() if weight.requires_grad
        }  # fmt: skip
        tried = {name: net.get_parameter(name) + noise for name, noise in eps.items()}
        gain = (trial.cost(functional_call(net, tried, trial.images)) - trial.costs).mean()
        for name, noise in eps.items():
            net.get_parameter(name).grad = gain * 1e6 * noise


class LooksAtItsOwn(Toy):
    def assign(self, net, trial):
        super().assign(net, trial)
        for layer in weighted(net):
            layer.weight.grad *= layer.weight.detach().norm()


class LooksFar(Toy):
    def assign(self, net, trial):
        super().assign(net, trial)
        weighted(net)[0].weight.grad *= weighted(net)[-1].weight.detach().norm()


class Compares(Toy):
    def assign(self, net, trial):
        (trial.costs.mean() / trial.costs.detach().mean()).backward()


class ComparesInFeedback(Toy):
    def learn(self, net, trial):
        for layer in upper(net):
            layer.feedback.data *= 1 + 0.01 * trial.costs.detach().std()


class Labels(Toy):
    signals = ("label",)


class Twice(Toy):
    presentations = 2


class LooksAgain(Toy):
    @torch.no_grad()
    def learn(self, net, trial):
        net(trial.images)


class Global(Toy):
    def look(self, net, images, generator, before):
        return net(images) + 0.01 * torch.randn(len(images), 1)
