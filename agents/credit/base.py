"""What a credit rule is: how the output's error becomes one error per hidden layer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Optional

import torch
from torch import Tensor, nn

from agents.chance import Source
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.signals import Cost
from agents.weighted import Weighted, weighted, xavier


@dataclass
class Trial:
    """A batch of settled trials: what was seen, answered, and what it cost."""

    images: Tensor  # (B, H, W, C)
    output: Tensor  # (B, K), with its graph
    cost: Cost  # output (B, K) -> cost per trial (B,), all else clamped
    costs: Tensor  # (B,) = cost(output)
    generator: Source  # for a rule's own noise
    meaning: Callable[[Tensor], Tensor]  # of an output (B, K): values, or probabilities (softmax)
    reward: Tensor | None  # (B,), None under a label signal
    before: Optional["Trial"] = None  # the first of two presentations
    nets: int = 1  # that have as many of these trials each, one net's after another's

    @property
    def size(self) -> int:
        """Trials of a net."""
        return len(self.costs) // self.nets

    @property
    def loss(self) -> Tensor:
        """A net's mean cost; of several nets, which have no weight in common, the sum."""
        return self.costs.sum() / self.size


@dataclass(frozen=True)
class CreditRule:
    """The layerwise rule: errors come down through each layer's `feedback`, trial by trial.

    A rule says what the feedback weights are (`prepare`), and, if they learn by other means than
    the optimiser, how (`learn`). Rules that make errors in another way override `assign`.

    A `stackable` rule also serves several nets in one batch (`agents.together`): whatever it works
    out over trials it leaves to `Trial.loss` and `Weighted.each`, which keep the nets apart.
    """

    name: ClassVar[str]
    transports_weights: ClassVar[bool] = False  # does the backward pass read forward weights?
    layerwise: ClassVar[bool] = True  # does each layer's error come from the one above it?
    compares_passes: ClassVar[bool] = False  # learns from a small difference between two passes?
    needs_same_decay: ClassVar[bool] = False  # refuses optimisers that treat W and B unlike
    serves: ClassVar[tuple[type[Weighted], ...]] = (Linear, Conv2d, LocallyConnected2d)
    signals: ClassVar[tuple[str, ...]] = ()  # the signals it can go with; empty: all
    stackable: ClassVar[bool] = False  # can several nets learn in one batch? Each class says so
    presentations: ClassVar[int] = 1  # of each image, 1 or 2, with a reward each time
    largest_rate: ClassVar[float] = 0.8  # the largest learning rate that a search begins with

    def __init_subclass__(cls, **keywords: Any):
        super().__init_subclass__(**keywords)
        # Said of a class's own methods: what it inherits says nothing of them.
        cls.stackable = cls.__dict__.get("stackable", False)
        if "learn" in cls.__dict__:  # feedback that were part of a graph would change the weights
            cls.learn = torch.no_grad()(cls.learn)

    @property
    def passes(self) -> int:
        """Forward passes per trial."""
        return self.presentations

    def prepare(self, net: nn.Module, generator: torch.Generator) -> None:
        """Give the layers their feedback weights, drawn from `generator`."""

    def look(
        self, net: nn.Module, images: Tensor, generator: Source, before: Trial | None
    ) -> Tensor:
        """The output (B, K) to act on; `before` is the first of two presentations, once over."""
        return net(images)

    def assign(self, net: nn.Module, trial: Trial) -> None:
        """Leave every weight its change in `.grad`: error x activity, averaged over the batch."""
        trial.loss.backward()

    def learn(self, net: nn.Module, trial: Trial) -> None:
        """Let the feedback pathway learn from the same trial (weights are still the old ones).

        No gradients are taken here. What a rule remembers belongs into buffers of the layers
        (`layer.register_buffer`): they are saved, and a run that was killed goes on with them.
        """

    def check(self, net: nn.Module, signal: str) -> None:
        """Refuse a network or a signal that the rule cannot serve. Raises ValueError."""
        if self.signals and signal not in self.signals:
            raise ValueError(
                f"{self.name} goes with the signal {' or '.join(self.signals)}, not {signal}"
            )
        for layer in weighted(net):
            if not isinstance(layer, self.serves):
                served = ", ".join(kind.__name__ for kind in self.serves)
                raise ValueError(
                    f"{self.name} serves layers of the kinds {served}; this network has a "
                    f"{type(layer).__name__}: use network='dense'"
                )


def upper(net: nn.Module) -> list[Weighted]:
    """The layers that send an error down to another: all weighted layers but the first."""
    return weighted(net)[1:]


def random_feedback(layer: Weighted, generator: torch.Generator, learns: bool) -> None:
    """Give a layer its own random feedback weights, N(0, 2 / (fan-in + fan-out))."""
    draw = torch.empty(layer.weight.shape, dtype=layer.weight.dtype)
    feedback = draw.normal_(0, xavier(layer), generator=generator)
    layer.feedback = nn.Parameter(feedback, requires_grad=learns)


def times(batch: Tensor, per_trial: Tensor) -> Tensor:
    """Each trial of a batch (B, ...) times its own number (B,)."""
    return batch * per_trial.view(-1, *[1] * (batch.dim() - 1))
