"""Forward weights that are right while a layer uses them, and wrong for whoever reads them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from agents.weighted import Weighted, weighted


def scramble(
    but: Sequence[int] = (), signs: bool = False, own_passes: bool = False
) -> Callable[[nn.Module], None]:
    """A change of a net: its weights read zero, or, with `signs`, another number of their sign.

    What a rule adds to a weight to try it is in use with the weight. `but`: layers, counted from
    the image up, that are left alone; `own_passes`: weights are right only in the net's own
    forward passes, and wrong where a rule lets a layer answer by itself.
    """
    generator = torch.Generator().manual_seed(1)
    passing: list[nn.Module] = []

    def change(net: nn.Module) -> None:
        net.register_forward_pre_hook(lambda net, _: passing.append(net))
        net.register_forward_hook(lambda *_: passing.clear())
        for place, layer in enumerate(weighted(net)):
            if place not in but:
                disturb(layer)

    def disturb(layer: Weighted) -> None:
        right, respond = layer.weight.detach().clone(), layer.respond
        wrong = torch.zeros_like(right)  # not -0.0, which has a sign
        if signs:
            wrong.uniform_(0.1, 1, generator=generator).copysign_(right)

        def answer(activity: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
            if own_passes and not passing:
                return respond(activity, weight, bias)
            used = right + (weight - wrong)
            try:
                return respond(activity, used, bias)
            finally:
                used.data.copy_(wrong)  # what autograd has kept of it is wrong from now on, too

        layer.respond = answer
        layer.weight.data.copy_(wrong)

    return change
