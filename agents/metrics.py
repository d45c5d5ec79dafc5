"""How well a rule is aligned with backprop, read now and then while it learns.

    error       angle between e_l and backprop's, over the whole batch
    change      angle between what the optimiser is handed for W_l and backprop's gradient
    feedback    angle between W_l and B_l;  |B_l| / |W_l|;  share of entries of the same sign

Backprop's own come from the same trial: same images, weights, dropout masks and cost. Of two
presentations it is the first, without the rule's noise. They are made in a copy of the net that
shares only the weights' values, so a watched agent learns bit for bit what an unwatched one does.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, nan
from statistics import fmean

import torch
from torch import Tensor, nn

from agents.credit import Trial
from agents.learner import Agent
from agents.precision import precision
from agents.second_look import Drawing
from agents.weighted import Weighted, weighted

EVERY = 50  # batches; a reading costs about as much as one or two of them


@dataclass(frozen=True)
class LayerAlignment:
    """One weighted layer: angles in degrees, None where there is nothing to compare."""

    error: float | None  # None where the rule makes no error
    change: float | None  # None where the layer does not change
    feedback: float | None  # this and the rest: None without feedback in the weight's place
    norm_ratio: float | None  # |B| / |W|
    sign_agreement: float | None  # 0..1


@dataclass(frozen=True)
class Reading:
    """All weighted layers, from the image up, after so many trials."""

    trials: int
    layers: tuple[LayerAlignment, ...]


class Alignment:
    """Watches an agent learn, in the place of any other watch.

    Reads the first batch from now on, and one in every `every` batches.
    """

    def __init__(self, agent: Agent, every: int = EVERY):
        if not isinstance(agent, Agent):
            raise TypeError(
                f"Alignment watches agents of the grid, whose nets have credit rules, got {agent!r}"
            )
        if not isinstance(every, int) or every < 1:
            raise ValueError(
                f"every is the number of batches from one reading to the next, a whole number of "
                f"1 or more, got {every}"
            )
        self.agent, self.every = agent, every
        self._batches = 0
        self._tables: list[tuple[int, Tensor]] = []  # tensors: a GPU is not waited for
        for layer in weighted(agent.net):
            layer.keeps_error = True
        agent.watch = self._watch

    @property
    def readings(self) -> list[Reading]:
        """What was read so far."""
        self._fetch()
        return [
            Reading(trials, tuple(LayerAlignment(*map(_known, row)) for row in table.tolist()))
            for trials, table in self._tables
        ]

    def change_angle(self, since: int = 0) -> float | None:
        """Mean `change` of the hidden layers, read since trial `since`; None if none changed."""
        angles = [
            layer.change
            for reading in self.readings
            for layer in reading.layers[:-1]
            if layer.change is not None and reading.trials >= since
        ]
        return fmean(angles) if angles else None

    def tensors(self) -> dict[str, Tensor]:
        """What was read so far, as named tensors; `restore` goes on from them."""
        self._fetch()
        read = {str(trials): table for trials, table in self._tables}
        return {"batches": torch.tensor(self._batches)} | read

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        read = dict(tensors)
        self._batches = int(read.pop("batches"))
        self._tables = [(int(trials), table) for trials, table in read.items()]

    def _fetch(self) -> None:
        """Wait for what a GPU has measured, once."""
        self._tables = [(trials, table.cpu()) for trials, table in self._tables]

    def _watch(self, net: nn.Module, trial: Trial) -> None:
        if self._batches % self.every == 0:
            self._tables.append((self.agent.trials, measure(net, trial)))
        self._batches += 1


def _known(number: float) -> float | None:
    return number if isfinite(number) else None


def measure(net: nn.Module, trial: Trial) -> Tensor:
    """A row of LayerAlignment's numbers for each weighted layer, nan where there is none."""
    reference = bare(net)
    first = trial.before or trial
    with precision("float32", first.images.device):
        first.cost(reference(first.images)).mean().backward()
    pairs = zip(weighted(net), weighted(reference), strict=True)
    return torch.stack([_row(layer, backprop) for layer, backprop in pairs])


def bare(module: nn.Module) -> nn.Module:
    """The net without its rule: no feedback, no cuts, and nothing shared but the weights' values.

    It shows what the pass before has drawn. Its batch norm measures the batch again, because
    backprop's gradient goes through the statistics; in a second look they are constants.
    """
    made = copy.copy(module)
    nn.Module.__init__(made)  # tables of its own, for parameters, buffers, children and hooks
    made.training = module.training
    for name, value in module._parameters.items():
        made.register_parameter(name, None if value is None else nn.Parameter(value.detach()))
    for name, value in module._buffers.items():
        made.register_buffer(name, None if value is None else value.clone())
    for name, child in module._modules.items():
        made.add_module(name, None if child is None else bare(child))
    if isinstance(made, Weighted):
        made.feedback, made.keeps_error = None, True
    if isinstance(made, Drawing):
        made.again = True
    return made


def _row(layer: Weighted, backprop: Weighted) -> Tensor:
    gradient = backprop.weight.grad
    assert gradient is not None
    error = angle(getattr(layer, "error", None), backprop.error)
    change = angle(layer.weight.grad, gradient)
    weight, feedback = layer.weight.detach(), layer.feedback
    if feedback is None or not layer.reciprocal:
        return torch.stack([error, change, *error.new_full((3,), nan)])
    ratio = feedback.detach().norm().double() / weight.norm()
    signs = (feedback.sign() == weight.sign()).double().mean()
    return torch.stack([error, change, angle(feedback, weight), ratio, signs])


def angle(a: Tensor | None, b: Tensor) -> Tensor:
    """Degrees between two tensors as vectors; nan if one is zero or not there."""
    if a is None:
        return b.new_full((), nan, dtype=torch.float64)
    # In doubles: a float's last digit of the cosine is .03 degrees near 0, a double's 1e-6.
    a, b = a.detach().flatten().double(), b.detach().flatten().double()
    cosine = a.dot(b) / (a.dot(a).sqrt() * b.dot(b).sqrt())  # 0 / 0 is nan
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
