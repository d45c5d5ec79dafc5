"""Layers of several nets as one layer: weights (S, ...), trials (S B, ...), net by net.

Whatever has no state of its own (activation functions, pooling, pixels) sees a batch of S B trials
and stays as it is. A weighted layer does with each net's weights what it does with its own, by
`torch.vmap`; dense ones by batched products, which start sooner.
"""

import copy
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from agents.chance import Chance, Draw
from agents.layers import Linear
from agents.second_look import BatchNorm2d, Drawing
from agents.weighted import Carry, Weighted


class Apart(Chance):
    """A generator for each net, which draws what is that net's part."""

    def __init__(self, generators: Sequence[Any]):
        self.generators = tuple(generators)

    def fill_batch(self, batch: Tensor, draw: Draw) -> None:
        """Fill (S B, ...), the trials of each net from its own generator."""
        self.fill_weights(batch.unflatten(0, (len(self.generators), -1)), draw)

    def fill_weights(self, weights: Tensor, draw: Draw) -> None:
        """Fill (S, ...), the part of each net from its own generator."""
        for part, generator in zip(weights, self.generators, strict=True):
            draw(part, generator)


class Stacked(Weighted):
    """A weighted layer of S nets; `one`, the first net's, knows what each of them does."""

    one: Any

    def __init__(self, layers: Sequence[Weighted]):
        nn.Module.__init__(self)
        self.nets, one = len(layers), layers[0]
        self.__dict__["one"] = one  # not as a module: its weights are not the stack's
        self.keeps_error, self.keeps_sent = one.keeps_error, one.keeps_sent
        self._forward_pre_hooks.update(one._forward_pre_hooks)
        self._forward_hooks.update(one._forward_hooks)
        _take_state(self, layers, torch.stack)
        if one.bias is None:
            self.bias = None

    @property
    def fan_in(self) -> int:
        return self.one.fan_in

    @property
    def fan_out(self) -> int:
        return self.one.fan_out

    def respond(self, activity, weight, bias):
        dims = 0, 0, None if bias is None else 0
        return torch.vmap(self.one.respond, dims)(self.apart(activity), weight, bias).flatten(0, 1)

    def below(self, error, activity, feedback):
        one = torch.vmap(self.one.below)
        return one(self.apart(error), self.apart(activity), feedback).flatten(0, 1)

    def product(self, error, activity):
        return torch.vmap(self.one.product)(self.apart(error), self.apart(activity))

    def offset(self, error):
        return torch.vmap(self.one.offset)(self.apart(error))

    def forward(self, activity: Tensor) -> Tensor:
        """Respond, and remember the way back; autograd's own would lay the changes out anew."""
        feedback = self.weight.detach() if self.feedback is None else self.feedback
        return Carry.apply(self, activity, self.weight, self.bias, feedback)

    def each(self, rule: Callable[..., Tensor], *batches: Tensor) -> Tensor:
        """`rule(layer, *batches)` for each net's layer and trials, (S, ...): once, under vmap."""

        def one(parameters, buffers, *batches):
            layer = _bare(self.one)
            layer._parameters, layer._buffers = {"feedback": None} | parameters, buffers
            return rule(layer, *batches)

        parameters = {name: p for name, p in self._parameters.items() if p is not None}
        return torch.vmap(one)(parameters, dict(self._buffers), *map(self.apart, batches))

    def apart(self, batch: Tensor) -> Tensor:
        """A batch (S B, ...) as (S, B, ...)."""
        return batch.unflatten(0, (self.nets, -1))


class StackedLinear(Stacked):
    """Dense layers of several nets: batched products."""

    def respond(self, activity, weight, bias):
        rows = self._rows(activity)
        a = rows @ weight.mT if bias is None else torch.baddbmm(bias[:, None], rows, weight.mT)
        return a.view(*activity.shape[:-1], -1)

    def below(self, error, activity, feedback):
        return (self._rows(error) @ feedback).view_as(activity)

    def product(self, error, activity):
        return self._rows(error).mT @ self._rows(activity)

    def offset(self, error):
        return self._rows(error).sum(1)

    def _rows(self, batch: Tensor) -> Tensor:
        """(S B, ..., N) as (S, B ..., N)."""
        return self.apart(batch).flatten(1, -2)


class StackedNorm(BatchNorm2d):
    """Batch norms of several nets as one, in which their channels stand side by side."""

    def __init__(self, norms: Sequence[BatchNorm2d]):
        one = norms[0]
        super().__init__(len(norms) * one.num_features, one.eps, one.momentum)
        self.nets = len(norms)
        _take_state(self, norms, lambda parts: torch.cat(parts) if parts[0].dim() else parts[0])

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (S B, C, H, W), each net's channels over its own trials."""
        wide = input.unflatten(0, (self.nets, -1)).transpose(0, 1).flatten(1, 2)  # (B, S C, H, W)
        wide = super().forward(wide)
        return wide.unflatten(1, (self.nets, -1)).transpose(0, 1).flatten(0, 1)


def stacked(modules: Sequence[Any]) -> Any:
    """One module in place of several of the same form. Raises ValueError for unknown layers."""
    one = modules[0]
    if isinstance(one, Linear):
        return StackedLinear(modules)
    if isinstance(one, Weighted):
        return Stacked(modules)
    if isinstance(one, BatchNorm2d):
        return StackedNorm(modules)
    if one._parameters or one._buffers:
        raise ValueError(
            f"agents learn together on nets of the suite's own layers; this one has a "
            f"{type(one).__name__}: train them one by one"
        )
    made = _bare(one)
    if isinstance(made, Drawing):
        made.generator = Apart([module.generator for module in modules])
    for name in one._modules:
        made._modules[name] = stacked([getattr(module, name) for module in modules])
    return made


def stacked_signal(signals: Sequence[Any]) -> Any:
    """One signal in place of several, what it remembers (S, ...)."""
    made = _bare(signals[0])
    _take_state(made, signals, torch.stack)
    return made


def _bare(module: Any) -> Any:
    """The same module without weights, buffers and modules of its own."""
    made = copy.copy(module)
    made._parameters, made._buffers, made._modules = {}, {}, {}
    return made


def _take_state(made: nn.Module, modules: Sequence[nn.Module], join: Callable[..., Tensor]) -> None:
    """Give a module the joined parameters and buffers of others."""

    def whole(name: str) -> Tensor:
        parts = [getattr(module, name).detach() for module in modules]
        return join(parts).clone(memory_format=torch.contiguous_format)

    one = modules[0]
    for name, own in one._parameters.items():
        none = own is None
        made.register_parameter(
            name, None if none else nn.Parameter(whole(name), own.requires_grad)
        )
    for name in one._buffers:
        made.register_buffer(name, whole(name))
