"""The weight mirror's phases, in a net of any kind."""

import torch
from torch import nn

from agents.credit.weight_mirror import WeightMirror
from agents.weighted import weighted


def mirror(
    net: nn.Module,
    rule: WeightMirror | None = None,
    trials: int = 64,
    generator: torch.Generator | None = None,
) -> None:
    """One mirror phase, for after each step of the optimiser: B goes a part of the way to W.

    Each layer of a net swapped for the weight mirror is driven apart, by `trials` samples of noise
    in the shape of its last input, from `generator` (on the net's device; None: PyTorch's own).

    Differs from the suite's networks: which activation function follows a layer of any net is not
    known. So B follows the layer's linear answer W xi + b, not phi(W xi + b): it comes to W itself.
    """
    rule = rule or WeightMirror()
    driven = [layer for layer in weighted(net) if hasattr(layer, "presynaptic")]
    if not driven:
        raise ValueError(
            "no layer of this net has seen an input to mirror: swap(net, 'weight_mirror'), and let "
            "it answer once before its first mirror phase"
        )
    for layer in driven:
        rule.mirror(layer, nn.Identity(), trials, generator)
