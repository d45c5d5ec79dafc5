"""Direct feedback alignment (Nokland 2016; a baseline of Lansdell et al. 2020).

    e_l = phi'(a_l) * (e_L D_{l+1}),   D random and fixed, one row per output unit

Each layer's input gets the output's own error e_L, without a stop on the way. D_{l+1} has the
shape of W_{l+1}, but answers to the K outputs: a convolution's is (K, Ci, k, k), and goes over a
map that shows e_L / sqrt(P) at each of the layer's P positions, or e_L itself (`scaled=False`,
BioTorch's code). Below that input (pooling, batch
norm, dropout, phi') the error goes by the ordinary derivative. A skip path beside a layer carries
what it carries: D stands for the way through the layer only.

D is drawn as feedback alignment draws B, N(0, 2 / (fan-in + fan-out)), so that with one hidden
layer both rules are the same. With the 1 / sqrt(P) an error is as long after D as before it, about,
whether the layer has one position or a thousand, as it is after He's W: one learning rate suits
dense layers and convolutions.

Differs from Lansdell's convolutional form: its D has an entry per class and unit of the map, here
the taps are shared, and only a locally connected layer's D knows the position.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from agents.credit.base import CreditRule, upper
from agents.credit.stages import cut
from agents.layers import LocallyConnected2d
from agents.weighted import Weighted, weighted


@dataclass(frozen=True)
class DirectFeedbackAlignment(CreditRule):
    """Feedback weights carry the output's error straight to each layer's input, and stay.

    Set `scaled` to divide the error by the root of the positions that it is shown at.
    """

    scaled: bool = True

    name = "direct_feedback_alignment"
    stackable = True
    layerwise = False
    largest_rate = 0.4  # its errors are large from the first trial on

    def prepare(self, net, generator):
        outputs = weighted(net)[-1].fan_out
        for layer in upper(net):
            layer.feedback = direct_feedback(layer, outputs, generator)
            layer.reciprocal = layer is weighted(net)[-1]  # whose D stands where W does
        cut(upper(net))

    def assign(self, net, trial):
        (error,) = torch.autograd.grad(trial.loss, trial.output)  # (B, K)
        sources = [layer.source for layer in upper(net)]
        errors = [
            layer.below(self.shown(error, layer), layer.arrived, layer.feedback)
            for layer in upper(net)
        ]
        torch.autograd.backward([trial.output, *sources], [error, *errors])

    def shown(self, error: Tensor, layer: Weighted) -> Tensor:
        """The output's error (B, K) at every position of a layer's answer."""
        positions = layer.answered.shape[2:]
        error = error.view(*error.shape, *[1] * len(positions)).expand(-1, -1, *positions)
        return error / positions.numel() ** 0.5 if self.scaled else error


def direct_feedback(layer: Weighted, outputs: int, generator: torch.Generator) -> nn.Parameter:
    """D: as random feedback of the layer would be drawn, had it as many maps as the net outputs."""
    shape = list(layer.weight.shape)
    maps = 1 if isinstance(layer, LocallyConnected2d) else 0  # which axis of the weights
    fan_out = layer.fan_out // shape[maps] * outputs
    shape[maps] = outputs
    draw = torch.empty(shape, dtype=layer.weight.dtype)
    draw.normal_(0, (2 / (layer.fan_in + fan_out)) ** 0.5, generator=generator)
    return nn.Parameter(draw, requires_grad=False)
