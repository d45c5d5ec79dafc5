"""Images as their own answer: an autoencoder, taught by any credit rule.

    x -> tanh units -> linear bottleneck -> tanh units -> ReLU units: the image again
    L = 0.5 |x - output|^2,  its error output - x,     x the pixels in 0..1

Nothing is chosen and nobody answers, so this is no agent: what an `Agent` does in three steps, act,
be answered and learn, is one here. Rules, layers, optimisers and seeds are the same.

Units and first weights are those of Lansdell, Prakash & Kording 2020 (repository
benlansdell/synthfeedback, models/npmodels.py): N(0, 2 / fan-in) cut off at two standard deviations,
biases .1.
"""

from dataclasses import dataclass, field
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from agents.credit import CreditRule, Trial
from agents.credit.backprop import Backprop
from agents.layers import Linear
from agents.networks import Pixels, Shape
from agents.plasticity import make_optimizer
from agents.seeding import generators
from agents.signals import Cost
from agents.weighted import weighted

CHUNK = 1000  # images given back at once, where nothing is learned

pixels = Pixels(flat=True)


@dataclass(frozen=True)
class Coding:
    """Settings of an autoencoder under plain gradient descent."""

    rule: CreditRule = field(default_factory=Backprop)
    lr: float = 0.01
    """Learning rate, per batch mean."""
    sizes: tuple[int, ...] = (50, 2, 50)
    """Units of the three hidden layers, the bottleneck in the middle."""
    waits: int = 0
    """Batches at first in which only the output layer learns."""

    def __post_init__(self):
        if len(self.sizes) != 3 or min(self.sizes) < 1:
            raise ValueError(
                f"sizes are the units of three hidden layers, such as (50, 2, 50), got {self.sizes}"
            )
        if not 0 < self.lr < inf:
            raise ValueError(f"lr is a positive learning rate, got {self.lr}")
        if self.waits < 0:
            raise ValueError(f"waits is a number of batches, 0 or more, got {self.waits}")


class Autoencoder:
    """Learns to give back the images it sees. `shape` is (H, W, C)."""

    def __init__(
        self, settings: Coding, shape: Shape, *, seed: int = 0, device: str | torch.device = "cpu"
    ):
        self.rule, self.waits = settings.rule, settings.waits
        self.generators = generators(seed, torch.device(device))
        self.net = build(shape, settings.sizes)
        initialise(self.net, self.generators["weights"])
        self.rule.check(self.net, "label_mse")  # whoever serves one squared error serves another
        self.rule.prepare(self.net, self.generators["feedback"])
        self.net.to(device)
        self.optimizer = make_optimizer(self.net, "sgd", settings.lr)

    def learn(self, images: Tensor) -> None:
        """One step on a batch (B, H, W, C)."""
        trial = self.credit(images)
        self.rule.learn(self.net, trial)
        if self.waits:
            self.waits -= 1
            for layer in weighted(self.net)[:-1]:
                layer.zero_grad()
        self.optimizer.step()

    def credit(self, images: Tensor) -> Trial:
        """Leave every weight its change in `.grad`, and change nothing yet."""
        noise = self.generators["noise"]
        output, cost = self.rule.look(self.net, images, noise, None), reconstruction(images)
        trial = Trial(images, output, cost, cost(output), noise, as_it_is, None)
        self.optimizer.zero_grad()
        self.rule.assign(self.net, trial)
        return trial

    @torch.no_grad()
    def output(self, images: Tensor) -> Tensor:
        """The images given back, (n, pixels), without learning."""
        return torch.cat([self.net(some) for some in images.split(CHUNK)])


def reconstruction(images: Tensor) -> Cost:
    """The cost of giving something else back than the images (B, H, W, C): 0.5 |x - output|^2."""
    x = pixels(images)
    return lambda output: 0.5 * (x - output).square().sum(1)


def as_it_is(output: Tensor) -> Tensor:
    """What an output stands for: itself."""
    return output


def build(shape: Shape, sizes: tuple[int, ...]) -> nn.Sequential:
    """The net, its weights still zero."""
    inputs = shape[0] * shape[1] * shape[2]
    below, code, above = sizes
    layers: list[Any] = [
        Linear(inputs, below, bias=True), nn.Tanh(), Linear(below, code, bias=True),
        Linear(code, above, bias=True), nn.Tanh(), Linear(above, inputs, bias=True), nn.ReLU(),
    ]  # fmt: skip
    return nn.Sequential(Pixels(flat=True), *layers)


def initialise(net: nn.Module, generator: torch.Generator) -> None:
    """Draw the first weights, as the code of the paper does."""
    for layer in weighted(net):
        s = (2 / layer.fan_in) ** 0.5
        nn.init.trunc_normal_(layer.weight, 0, s, -2 * s, 2 * s, generator=generator)
        assert layer.bias is not None
        nn.init.constant_(layer.bias, 0.1)
