"""The kinds of weighted layers: how each responds, and what goes back through it."""

from typing import Any

import torch
import torch.nn.functional as F
from torch.nn.grad import conv2d_input, conv2d_weight

from agents.weighted import Weighted

Pair = int | tuple[int, int]


class Linear(Weighted):
    """Fully connected: activity (B, ..., inputs) -> (B, ..., outputs), weight (outputs, inputs)."""

    def __init__(self, inputs: int, outputs: int, bias: bool = False):
        super().__init__((outputs, inputs), outputs, bias)

    @property
    def fan_in(self) -> int:
        return self.weight.shape[1]

    @property
    def fan_out(self) -> int:
        return self.weight.shape[0]

    def respond(self, activity, weight, bias):
        return F.linear(activity, weight, bias)

    def below(self, error, activity, feedback):
        return error @ feedback

    def product(self, error, activity):
        # In rows, of which an image without a batch is one.
        return error.reshape(-1, error.shape[-1]).T @ activity.reshape(-1, activity.shape[-1])

    def offset(self, error):
        return error.reshape(-1, error.shape[-1]).sum(0)


class Conv2d(Weighted):
    """Convolution: activity (B, Ci, H, W) -> (B, Co, H', W'), weight (Co, Ci / groups, kh, kw).

    Kernel, stride, padding and dilation are numbers, or pairs (vertical, horizontal).
    """

    def __init__(
        self, inputs: int, outputs: int, kernel: Pair, stride: Pair = 1, padding: Pair = 0,
        bias: bool = False, dilation: Pair = 1, groups: int = 1,
    ):  # fmt: skip
        kernel = kernel if isinstance(kernel, tuple) else (kernel, kernel)
        super().__init__((outputs, inputs // groups, *kernel), outputs, bias)
        self.stride, self.padding, self.dilation, self.groups = stride, padding, dilation, groups
        self.alike = not bias and not self._leaves_out

    @property
    def fan_in(self) -> int:
        return self.weight[0].numel()

    @property
    def fan_out(self) -> int:
        return self.weight[:, 0].numel() // self.groups

    @property
    def _steps(self) -> Any:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def _leaves_out(self) -> bool:
        """Does it look at one place at a time, and not at all of them?"""
        one = self.weight.shape[2:] == (1, 1) and self.padding in (0, (0, 0))
        return one and self.stride not in (1, (1, 1))

    def respond(self, activity, weight, bias):
        return F.conv2d(activity, weight, bias, *self._steps)

    def below(self, error, activity, feedback):
        return conv2d_input(activity.shape, feedback, error, *self._steps)

    def product(self, error, activity):
        shape = (error.shape[1], *self.weight.shape[1:])
        stride, *steps = self._steps
        if self._leaves_out:
            # Take what is seen first: of few maps, oneDNN (issue 6035) writes past its memory where
            # it leaves places out by itself.
            down, right = stride if isinstance(stride, tuple) else (stride, stride)
            activity, stride = activity[..., ::down, ::right], 1
        return conv2d_weight(activity, shape, error, stride, *steps)


class LocallyConnected2d(Weighted):
    """Convolution without weight sharing: weight (P, Co, Ci*k*k) for P output positions.

    activity (B, Ci, H, W) -> (B, Co, H', W'); `size` is (H, W).
    """

    alike = False

    def __init__(
        self, inputs: int, outputs: int, kernel: int, size: tuple[int, int], stride: int = 1,
        padding: int = 0, bias: bool = False,
    ):  # fmt: skip
        self.window = {"kernel_size": kernel, "stride": stride, "padding": padding}
        self.size = size
        height, width = ((n + 2 * padding - kernel) // stride + 1 for n in size)
        self.grid = (height, width)
        super().__init__((height * width, outputs, inputs * kernel**2), outputs, bias)

    @property
    def fan_in(self) -> int:
        return self.weight.shape[2]

    @property
    def fan_out(self) -> int:
        return self.weight.shape[1] * self.window["kernel_size"] ** 2

    def respond(self, activity, weight, bias):
        patches = F.unfold(activity, **self.window)  # (B, Ci*k*k, P)
        a = torch.einsum("poi,bip->bop", weight, patches).unflatten(2, self.grid)
        return a if bias is None else a + bias[:, None, None]

    def below(self, error, activity, feedback):
        patches = torch.einsum("poi,bop->bip", feedback, error.flatten(2))
        return F.fold(patches, self.size, **self.window)

    def product(self, error, activity):
        patches = F.unfold(activity, **self.window)
        return torch.einsum("bop,bip->poi", error.flatten(2), patches)
