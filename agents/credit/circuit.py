"""A fully connected net as the chain that feedback control works on.

    v_i = W_i r_{i-1} + b_i + (what is added from above),   r_i = phi(v_i),   r_0 = x

Every layer has feedback Q_i (n_i, K) of its own, straight from the K controls.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from agents.layers import Linear
from agents.networks.pixels import Pixels
from agents.responses import ACTIVATIONS


class State(NamedTuple):
    """The chain at one instant, a tensor (B, n_i) for each layer."""

    ff: list[Tensor]  # what comes from below: W_i r_{i-1} + b_i
    v: list[Tensor]  # voltages
    r: list[Tensor]  # rates phi(v); the last one is the output


class Circuit:
    """The chain layer, phi, layer, phi, ... in the trial whose pass, cut into layers, was the last.

    What that pass has computed is not computed again.
    """

    def __init__(self, net: nn.Module):
        self.layers, self.phi = chain(net)
        self.x = self.layers[0].arrived  # (B, n_0)
        ff = [layer.answered.detach() for layer in self.layers]
        r = [layer.arrived for layer in self.layers[1:]]
        self.start = State(ff, ff, [*r, self.phi[-1](ff[-1])])

    @property
    def feedback(self) -> Tensor:
        """Q of all layers, one below the other (N, K)."""
        return torch.cat([layer.feedback for layer in self.layers])

    def parts(self, units: Tensor, dim: int = 1) -> tuple[Tensor, ...]:
        """All units' values (B, N), or (N, K) along dim 0, layer by layer."""
        return units.split([layer.fan_out for layer in self.layers], dim)

    @property
    def units(self) -> int:
        """N, the number of units in all layers."""
        return sum(layer.fan_out for layer in self.layers)

    def respond(self, index: int, r: Tensor) -> Tensor:
        """W_i r_{i-1} + b_i."""
        layer = self.layers[index]
        return layer.respond(r, layer.weight, layer.bias)

    def forward(self, push: Tensor, before: State | None = None, part: float = 1.0) -> State:
        """One pass from below, with `push` (B, N) from above.

        The voltages go there all the way, or a `part` of it from where they were before.
        """
        state = State([], [], [])
        for i, (phi, pushed) in enumerate(zip(self.phi, self.parts(push), strict=True)):
            ff = self.respond(i, state.r[-1]) if i else self.start.ff[0]
            v = ff + pushed
            v = v if before is None else torch.lerp(before.v[i], v, part)
            for values, value in zip(state, (ff, v, phi(v)), strict=True):
                values.append(value)
        return state

    def loop_gain(self) -> Tensor:
        """J Q (B, K, K) near the start: what each control, held, does to each output."""
        # The graph of the pass that acted knows phi already.
        graph = [(layer.answered, above.source) for layer, above in pairwise(self.layers)]
        slopes = [slope(v, r)[:, None] for v, r in [*graph, self.top()]]
        moved = slopes[0] * self.layers[0].feedback.T.contiguous()  # (B, K, n_i): by each control
        for layer, steepness in zip(self.layers[1:], slopes[1:], strict=True):
            moved = (moved @ layer.weight.T).add_(layer.feedback.T).mul_(steepness)
        return moved.mT

    @torch.enable_grad()
    def top(self) -> tuple[Tensor, Tensor]:
        """Voltages and rates of the last layer, above which no layer keeps them, with a graph."""
        v = self.start.v[-1].detach().requires_grad_()
        return v, self.phi[-1](v)


def chain(net: nn.Module) -> tuple[list[Linear], list[nn.Module]]:
    """The layers and their activation functions, if nothing else is in the net; or ValueError."""
    layers: list[Linear] = []
    phi: list[nn.Module] = []
    for module in leaves(net):
        if isinstance(module, Linear):
            layers.append(module)
            phi.append(nn.Identity())
        elif layers and isinstance(module, ACTIVATIONS):
            phi[-1] = module if type(phi[-1]) is nn.Identity else nn.Sequential(phi[-1], module)
        elif not isinstance(module, Pixels | nn.Flatten):
            raise ValueError(
                "feedback control needs a plain chain of Linear layers and activation functions, "
                f"this network has a {type(module).__name__}: use network='dense'"
            )
    return layers, phi


def leaves(net: nn.Module) -> list[nn.Module]:
    """The modules of a net of nested nn.Sequential, in order."""
    if type(net) is not nn.Sequential:
        return [net]
    return [leaf for child in net for leaf in leaves(child)]


def slope(v: Tensor, r: Tensor) -> Tensor:
    """phi'(v), unit by unit, of r = phi(v) with its graph."""
    (derivative,) = torch.autograd.grad(r, v, torch.ones_like(r), retain_graph=True)
    return derivative
