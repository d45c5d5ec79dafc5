"""The same nets of plain torch.nn: what comes out of their autograd is the reference."""

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.networks.resnet import Residual
from agents.second_look import BatchNorm2d, Dropout


class Unshared(nn.Module):
    """A locally connected layer written as one small dense layer per position."""

    def __init__(self, layer: LocallyConnected2d):
        super().__init__()
        self.layer = [layer]  # in a list: not a module of this one
        self.weight = nn.Parameter(layer.weight.detach().clone())
        self.bias = None if layer.bias is None else nn.Parameter(layer.bias.detach().clone())

    def forward(self, images: Tensor) -> Tensor:
        (layer,) = self.layer
        k, stride, padding = layer.window.values()
        images = F.pad(images, [padding] * 4)
        windows = (
            images[:, :, y * stride : y * stride + k, x * stride : x * stride + k]
            for y in range(layer.grid[0])
            for x in range(layer.grid[1])
        )
        answers = [
            F.linear(window.flatten(1), weight, self.bias)
            for window, weight in zip(windows, self.weight, strict=True)
        ]
        return torch.stack(answers, 2).unflatten(2, layer.grid)


class Masked(nn.Module):
    """Dropout with the mask that another has just drawn."""

    def __init__(self, other: Dropout):
        super().__init__()
        self.other = [other]

    def forward(self, activity: Tensor) -> Tensor:
        return activity * self.other[0].mask


def twin(module: nn.Module) -> nn.Module:
    """The same net of plain torch.nn: what comes out of its autograd is the reference."""
    match module:
        case Linear():
            made = nn.Linear(module.fan_in, module.fan_out, module.bias is not None)
        case Conv2d():
            outputs, inputs, kernel, _ = module.weight.shape
            bias = module.bias is not None
            made = nn.Conv2d(inputs, outputs, kernel, module.stride, module.padding, bias=bias)
        case LocallyConnected2d():
            return Unshared(module)
        case BatchNorm2d():
            made = nn.BatchNorm2d(module.num_features, module.eps, module.momentum)
        case Dropout():
            return Masked(module)
        case Residual():
            return Residual(twin(module.branch), twin(module.shortcut))
        case nn.Sequential():
            return nn.Sequential(*map(twin, module))
        case _:
            return copy.deepcopy(module)
    made.to(next(module.parameters()).dtype)
    made.load_state_dict({name: module.state_dict()[name] for name in made.state_dict()})
    return made
