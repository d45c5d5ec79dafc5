"""The weight mirror (Akrout et al., NeurIPS 2019, eq. 7): noise shows the feedback its layer.

    e_l = phi'(a_l) * (e_{l+1} B_{l+1})                       errors come down through B
    y = phi(W_{l+1} xi + b_{l+1}),   xi ~ N(0, s^2)           mirror mode: no image, no error
    B_{l+1} <- (1 - d) B_{l+1} + d y^T xi / s^2               trial mean; then E B -> diag(E phi') W

After every batch each layer is driven apart, by noise of its own on the units below it, and B
follows what goes in and comes out, with a memory of 1/d batches. W is seen only through the layer's
answers. Where the answer is linear B becomes W; under ReLU without bias W/2, whatever s. A kernel's
weight meets its input in several places: their number divides the sum. Sigmoid units answer about
1/2 to everything, which makes y^T xi noisy: wide layers of them are mirrored poorly.

B is late: learning rates that backpropagation stands can be too large here (digits: from .2 on;
even an exact copy of W that is one batch late fails at .4).

A mirror phase costs about one more forward pass of all layers but the first; it shows no image, so
`passes` does not count it.

Differs from the paper: Gaussian noise instead of uniform, so that the row-wise gain is E phi' for
every smooth phi (Stein's identity). B forgets at the rate it learns, which bounds it; the published
code rescales a copy and B grows without end. B starts at zero instead of random, so that hidden
layers wait for what their feedback has to say; there is no mirroring before the first trial.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from agents import whole
from agents.chance import Source, normal
from agents.credit.base import CreditRule, upper
from agents.credit.noise import check_noise
from agents.responses import responses
from agents.weighted import Weighted


@dataclass(frozen=True)
class WeightMirror(CreditRule):
    """Feedback weights follow the correlation of noise with the layer's response to it.

    `rate` is d, the part of B that each batch makes anew, `noise` the standard deviation s of xi.
    """

    name = "weight_mirror"
    stackable = True

    rate: float = 0.01
    noise: float = 0.1

    def __post_init__(self):
        check_noise(self.noise)
        if not 0 < self.rate <= 1:
            raise ValueError(
                f"rate is the part of B made anew by a batch, in 0..1, got {self.rate}"
            )

    def prepare(self, net, generator):
        for layer in upper(net):
            layer.feedback = nn.Parameter(torch.zeros_like(layer.weight), requires_grad=False)
            layer.register_forward_pre_hook(_keep_shape)

    def learn(self, net, trial):
        phi = responses(net)
        for layer in upper(net):
            self.mirror(layer, phi[layer], len(trial.images), trial.generator)

    @torch.no_grad()
    def mirror(self, layer: Weighted, phi: nn.Module, trials: int, generator: Source) -> None:
        """Drive one layer by noise, once, and let its feedback follow what it answers."""
        xi = self.draw(layer, trials, generator)
        seen = layer.each(lambda one, xi: self.reflection(one, phi, xi), xi)
        layer.feedback.lerp_(whole.mean(seen.to(layer.feedback)), self.rate)

    def draw(self, layer: Weighted, trials: int, generator: Source) -> Tensor:
        """Noise xi (trials, ...) in place of the layer's input."""
        shape: Any = layer.presynaptic
        return normal(layer.weight.new_empty((trials, *shape)), self.noise, generator)

    def reflection(self, layer: Weighted, phi: nn.Module, xi: Tensor) -> Tensor:
        """What these trials of noise say of the layer's weights: y^T xi / s^2, trial mean."""
        y = phi(layer.respond(xi, layer.weight, layer.bias))
        xi = xi.to(y)  # which autocast makes of fewer bits
        taps = layer.product(torch.ones_like(y[:1]), torch.ones_like(xi[:1]))
        # A tap that only ever meets padding has met nothing: its sum is zero, and stays so.
        return layer.product(y, xi) / (len(xi) * self.noise**2 * taps.clamp(min=1))


def _keep_shape(layer, inputs):
    layer.presynaptic = inputs[0].shape[1:]  # of one trial
