"""A fully connected net as the chain that feedback control works on.

    v_i = W_i r_{i-1} + b_i + (what is added from above),   r_i = phi(v_i),   r_0 = x

Every layer has feedback Q_i (n_i, K) of its own, straight from the K controls.
"""

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
    """The chain layer, phi, layer, phi, ... with the images of a trial before it."""

    def __init__(self, net: nn.Module, images: Tensor):
        entry, self.layers, self.phi = chain(net)
        for module in entry:
            images = module(images)
        self.x = images  # (B, n_0)
        self.first = self.respond(0, images)

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

    def forward(
        self, push: Tensor | None = None, before: State | None = None, part: float = 1.0
    ) -> State:
        """One pass from below, with `push` (B, N) from above.

        The voltages go there all the way, or a `part` of it from where they were before.
        """
        pushes = None if push is None else self.parts(push)
        state = State([], [], [])
        for i, phi in enumerate(self.phi):
            ff = self.respond(i, state.r[-1]) if i else self.first
            v = ff if pushes is None else ff + pushes[i]
            v = v if before is None else torch.lerp(before.v[i], v, part)
            for values, value in zip(state, (ff, v, phi(v)), strict=True):
                values.append(value)
        return state

    def loop_gain(self, state: State) -> Tensor:
        """J Q (B, K, K) near a state: what each control, held, does to each output."""
        slopes = [slope(phi, v)[:, None] for phi, v in zip(self.phi, state.v, strict=True)]
        moved = slopes[0] * self.layers[0].feedback.T.contiguous()  # (B, K, n_i): by each control
        for layer, steepness in zip(self.layers[1:], slopes[1:], strict=True):
            moved = (moved @ layer.weight.T).add_(layer.feedback.T).mul_(steepness)
        return moved.mT


def chain(net: nn.Module) -> tuple[list[nn.Module], list[Linear], list[nn.Module]]:
    """What arranges the pixels, the layers and their activation functions; or ValueError."""
    entry: list[nn.Module] = []
    layers: list[Linear] = []
    phi: list[nn.Module] = []
    for module in leaves(net):
        if isinstance(module, Linear):
            layers.append(module)
            phi.append(nn.Identity())
        elif isinstance(module, Pixels | nn.Flatten):
            entry += [] if layers else [module]  # later there is nothing to arrange
        elif layers and isinstance(module, ACTIVATIONS):
            phi[-1] = module if type(phi[-1]) is nn.Identity else nn.Sequential(phi[-1], module)
        else:
            raise ValueError(
                "feedback control needs a plain chain of Linear layers and activation functions, "
                f"this network has a {type(module).__name__}: use network='dense'"
            )
    return entry, layers, phi


def leaves(net: nn.Module) -> list[nn.Module]:
    """The modules of a net of nested nn.Sequential, in order."""
    if type(net) is not nn.Sequential:
        return [net]
    return [leaf for child in net for leaf in leaves(child)]


@torch.enable_grad()
def slope(phi: nn.Module, v: Tensor) -> Tensor:
    """phi'(v), unit by unit."""
    v = v.detach().requires_grad_()
    (derivative,) = torch.autograd.grad(phi(v).sum(), v)
    return derivative
