"""What a weighted layer is: one whose error comes down through `feedback` weights of its own.

Every weighted layer has one autograd function. Forward is what PyTorch does. Backward is the
papers' picture: the error e (dcost/da of this layer) goes down through the feedback weights B,
and the change of the weight is error times presynaptic activity, whatever B is:

    e_below = phi'(a_below) * (e @ B)        dW = e^T h

With `feedback = None` the layer's own weights carry the error: that is backpropagation. All
else (activation functions, pooling, batch norm, residual branches) is ordinary PyTorch.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn


class Carry(torch.autograd.Function):
    """One weighted layer in both directions."""

    @staticmethod
    def forward(ctx, layer, activity, weight, bias, feedback):
        """Respond as the forward weights say."""
        ctx.layer = layer
        ctx.save_for_backward(activity, feedback)
        return layer.respond(activity, weight, bias)

    @staticmethod
    def backward(ctx, error):  # pyright: ignore[reportIncompatibleMethodOverride]
        """Send the error down through the feedback weights and leave the weight its change."""
        # Under autocast the error has fewer bits, and the products are made in as many.
        activity, feedback = (saved.to(error.dtype) for saved in ctx.saved_tensors)
        layer = ctx.layer
        _, down, change, bias, reciprocal = ctx.needs_input_grad
        if layer.keeps_error:
            layer.error = error
        below = layer.below(error, activity, feedback) if down else None
        if layer.keeps_sent:
            layer.sent = below
        product = layer.product(error, activity) if change or reciprocal else None
        offset = layer.offset(error) if bias else None
        # A feedback weight that learns sees the same local product (Kolen & Pollack); a copy,
        # because whatever scales one gradient in place (clipping) must not scale it twice.
        mirrored = product.clone() if product is not None and reciprocal else None
        return None, below, product if change else None, offset, mirrored


class Weighted(nn.Module):
    """A layer with forward weights `weight`, and `feedback` weights of its own or None."""

    alike = True  # PyTorch's own backward gives the same bits, and is as good where B is W
    reciprocal = True  # feedback stands for the weights, entry by entry; direct feedback does not
    weight: nn.Parameter
    # nn.Parameter of weight's shape, or None: the weights themselves. Rules that let no error
    # through a layer (`stages.cut`) may give it direct feedback, of another shape.
    feedback: Any
    fixed = False  # is feedback fixed, whatever its `requires_grad` says?
    error: Tensor  # of the last backward pass, where `keeps_error` is set
    sent: Tensor  # what that error became below the layer, where `keeps_sent` is set
    source: Tensor  # these three of the last forward pass, where `stages.cut` cuts the net
    arrived: Tensor
    answered: Tensor

    def __init__(self, weight_shape: tuple[int, ...], outputs: int, bias: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(weight_shape))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.register_parameter("feedback", None)
        self.keeps_error = self.keeps_sent = False

    @property
    def fan_in(self) -> int:
        """Number of presynaptic units of one unit."""
        raise NotImplementedError

    @property
    def fan_out(self) -> int:
        """Number of postsynaptic units of one unit."""
        raise NotImplementedError

    def respond(self, activity: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The pre-activation a = W h + b."""
        raise NotImplementedError

    def below(self, error: Tensor, activity: Tensor, feedback: Tensor) -> Tensor:
        """The error of the layer's input (activity's shape): error carried down by `feedback`."""
        raise NotImplementedError

    def product(self, error: Tensor, activity: Tensor) -> Tensor:
        """Error times presynaptic activity, summed over the batch (feedback's shape)."""
        raise NotImplementedError

    def offset(self, error: Tensor) -> Tensor:
        """The bias's change: error summed over the batch and all places, (outputs,)."""
        return error.transpose(0, 1).flatten(1).sum(1)

    def each(self, rule: Callable[..., Tensor], *batches: Tensor) -> Tensor:
        """`rule(layer, *batches)`, worked out for each net by itself where there are several."""
        return rule(self, *batches)

    def forward(self, activity: Tensor) -> Tensor:
        """Respond, and remember the way back."""
        if self.feedback is None and self.alike and not self.keeps_error:
            return self.respond(activity, self.weight, self.bias)
        feedback = self.weight.detach() if self.feedback is None else self.feedback
        if self.fixed or not self.weight.requires_grad:
            feedback = feedback.detach()  # nor may it walk away from a weight that stands still
        return Carry.apply(self, activity, self.weight, self.bias, feedback)


def weighted(net: nn.Module) -> list[Weighted]:
    """The weighted layers, from the image up to the output."""
    return [layer for layer in net.modules() if isinstance(layer, Weighted)]


def xavier(layer: Weighted) -> float:
    """Xavier's standard deviation for a layer's weights, sqrt(2 / (fan-in + fan-out))."""
    return (2 / (layer.fan_in + layer.fan_out)) ** 0.5
