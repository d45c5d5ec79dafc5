"""Nets cut into stages, for rules that give each stage its error instead of sending one down.

No gradient crosses a cut by itself. Inside a stage (pooling, batch norm, activation functions, the
weights' own products) PyTorch's backward goes on as always, from the error that a rule puts in by
`torch.autograd.backward`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn


def cut(stages: Iterable[nn.Module]) -> None:
    """Cut the net before each of these modules.

    After a forward pass a stage has `source`, what came in, still part of the graph below the cut;
    `arrived`, the same without a graph; and `answered`, what it made of it. Passes without a graph
    (predictions, second looks) leave them as they are.
    """
    for stage in stages:
        stage.register_forward_pre_hook(_detach)
        stage.register_forward_hook(_keep)


def let_go(net: nn.Module) -> None:
    """Forget the last pass: what the stages keep of it holds its graph."""
    for stage in net.modules():
        for name in ("source", "answered"):
            vars(stage).pop(name, None)


@contextmanager
def same_answer(stage: Any) -> Iterator[None]:
    """Inside, the stage answers what it answered last, and computes nothing."""
    answer = stage.answered.detach()
    stage.forward = lambda arrived: answer
    try:
        yield
    finally:
        del stage.forward


def _detach(stage, inputs):
    (source,) = inputs
    if torch.is_grad_enabled():
        stage.source = source
    return source.detach()


def _keep(stage, inputs, output):
    if torch.is_grad_enabled():
        (stage.arrived,) = inputs
        stage.answered = output
