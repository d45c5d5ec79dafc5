"""Sign symmetry (Liao, Leibo & Poggio, AAAI 2016): feedback that knows only the signs of W.

    e_l = phi'(a_l) * (e_{l+1} B_{l+1}),   B = |M| * sign(W)

    sign_symmetry             |M| = c in every place                        (the paper's uSF)
    sign_symmetry_batchwise   M ~ N(0, c^2), drawn anew for every batch     (brSF)
    sign_symmetry_fixed       M ~ N(0, c^2), drawn once                     (frSF)

with c = sqrt(2 / (fan-in + fan-out)), the scale of the other rules' random feedback. The signs are
taken just before each forward pass, so those that carry the error are those that made it. A weight
of zero counts as positive.

Differs from the paper: magnitudes have the scale c (there 1, with steps of the gradient's sign
alone, "Batch Manhattan", to make up for it), and the step is the optimiser's.
"""

import torch
from torch import nn

from agents.chance import Source, normal_like
from agents.credit.base import CreditRule, random_feedback, upper
from agents.weighted import Weighted, xavier


class SignSymmetry(CreditRule):
    """Feedback weights have the signs of the forward weights, and all of a layer one magnitude."""

    name = "sign_symmetry"
    stackable = True
    transports_weights = True  # one bit of each

    def prepare(self, net, generator):
        for layer in upper(net):
            magnitude = torch.full_like(layer.weight, xavier(layer))
            layer.feedback = nn.Parameter(magnitude, requires_grad=False)

    def look(self, net, images, generator, before):
        for layer in upper(net):
            self.follow(layer, generator)
        return net(images)

    @torch.no_grad()
    def follow(self, layer: Weighted, generator: Source) -> None:
        """Take the signs of a layer's weights."""
        layer.feedback.copysign_(layer.weight)


class SignSymmetryFixed(SignSymmetry):
    """Magnitudes are random and stay as they are."""

    name = "sign_symmetry_fixed"
    stackable = True

    def prepare(self, net, generator):
        for layer in upper(net):
            random_feedback(layer, generator, learns=False)


class SignSymmetryBatchwise(SignSymmetryFixed):
    """Magnitudes are random, and others for every batch."""

    name = "sign_symmetry_batchwise"
    stackable = True

    @torch.no_grad()
    def follow(self, layer, generator):
        layer.feedback.copy_(normal_like(layer.weight, xavier(layer), generator))
        super().follow(layer, generator)
