"""What a credit rule is: how the output's error becomes one error per hidden layer."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from agents.layers import Weighted, weighted
from agents.signals import Cost


@dataclass
class Trial:
    """A batch of settled trials: what was seen, answered, and what it cost."""

    images: Tensor  # (B, H, W, C)
    output: Tensor  # (B, K), with its graph
    cost: Cost  # output (B, K) -> cost per trial (B,), all else clamped
    costs: Tensor  # (B,) = cost(output)
    generator: torch.Generator  # for a rule's own noise


@dataclass(frozen=True)
class CreditRule:
    """The layerwise rule: errors come down through each layer's `feedback`, trial by trial.

    A rule says what the feedback weights are (`prepare`), and, if they learn by other means than
    the optimiser, how (`learn`). Rules that make errors in another way override `assign`.
    """

    name: ClassVar[str]
    transports_weights: ClassVar[bool] = False  # does the backward pass read forward weights?
    needs_same_decay: ClassVar[bool] = False  # refuses optimisers that treat W and B unlike
    passes: ClassVar[int] = 1  # forward passes per trial

    def prepare(self, net: nn.Module, generator: torch.Generator) -> None:
        """Give the layers their feedback weights, drawn from `generator`."""

    def assign(self, net: nn.Module, trial: Trial) -> None:
        """Leave every weight its change in `.grad`: error x activity, averaged over the batch."""
        trial.costs.mean().backward()

    def learn(self, net: nn.Module, trial: Trial) -> None:
        """Let the feedback pathway learn from the same trial (weights are still the old ones)."""


def upper(net: nn.Module) -> list[Weighted]:
    """The layers that send an error down to another: all weighted layers but the first."""
    return weighted(net)[1:]


def random_feedback(layer: Weighted, generator: torch.Generator, learns: bool) -> None:
    """Give a layer its own random feedback weights, N(0, 2 / (fan-in + fan-out))."""
    std = (2 / (layer.fan_in + layer.fan_out)) ** 0.5
    draw = torch.empty(layer.weight.shape, dtype=layer.weight.dtype)
    feedback = draw.normal_(0, std, generator=generator)
    layer.feedback = nn.Parameter(feedback, requires_grad=learns)
