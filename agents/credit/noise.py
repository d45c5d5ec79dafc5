"""What rules that perturb a network share: their noise, and what it did to the cost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf
from typing import Any

import torch
from torch import Tensor, nn

from agents.chance import Source, normal

Noise = Callable[[Any, Tensor], Tensor]  # a stage and its output -> what is added to it


def check_noise(noise: float) -> None:
    """Refuse a standard deviation that is none. Raises ValueError."""
    if not 0 < noise < inf:
        raise ValueError(
            f"noise is the standard deviation s > 0 of the perturbation, got {noise}: "
            "leave it out for a value that has been tried"
        )


def draw(like: Tensor, noise: float, generator: Source) -> Tensor:
    """N(0, noise^2) of a tensor's shape, the same numbers in whatever order its memory is."""
    empty = torch.empty_like(like, memory_format=torch.contiguous_format, requires_grad=False)
    return normal(empty, noise, generator)


def difference(cost: Callable[[int], Tensor], clean: Tensor, symmetric: bool) -> Tensor:
    """L~ - L, or (L(+xi) - L(-xi)) / 2; `cost(sign)` is L with sign * xi in the network."""
    return (cost(1) - cost(-1)) / 2 if symmetric else cost(1) - clean.detach()


def opposite(stage: Any, output: Tensor) -> Tensor:
    """The noise that a stage had, with the other sign."""
    return -stage.xi


def perturbed(net: nn.Module) -> list[Any]:
    """The stages: whatever has parameters of its own, weighted layers and batch norms."""
    return [module for module in net.modules() if list(module.parameters(recurse=False))]


@contextmanager
def added(net: nn.Module, noise: Noise) -> Iterator[None]:
    """Passes inside have noise added to every stage's output."""

    def add(stage, inputs, output):
        return output + noise(stage, output)

    hooks = [stage.register_forward_hook(add) for stage in perturbed(net)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
