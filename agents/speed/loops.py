"""The yardstick: supervised learning as one writes it by hand in plain PyTorch.

torch.nn's own layers, autograd, cross-entropy, SGD, and images that lie in memory as bytes: no
environment, no agent, and of this suite only what scales the pixels.
"""

import copy
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agents.layers import Conv2d, Linear
from agents.second_look import BatchNorm2d, Dropout


def supervised(
    net: nn.Module, images: Tensor, labels: Tensor, batch: int, lr: float = 0.01
) -> Callable[[], None]:
    """Each call learns from the next batch of the shuffled images (n, H, W, C)."""
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    batches = shuffled(images, labels, batch)

    def step() -> None:
        pixels, classes = next(batches)
        loss = F.cross_entropy(net(pixels), classes)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def shuffled(images: Tensor, labels: Tensor, batch: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end, in a new order in each pass; what does not fill one is left out."""
    while True:
        for rows in torch.randperm(len(images), device=images.device).split(batch):
            if len(rows) == batch:
                yield images.index_select(0, rows), labels.index_select(0, rows)


def plain(module: nn.Module) -> nn.Module:
    """The same net of torch.nn's own layers, with the same weights."""
    if isinstance(module, nn.Sequential):
        return nn.Sequential(*map(plain, module))
    bias = getattr(module, "bias", None) is not None
    if isinstance(module, Linear):
        twin: nn.Module = nn.Linear(module.fan_in, module.fan_out, bias)
    elif isinstance(module, Conv2d):
        outputs, inputs, kernel, _ = module.weight.shape
        twin = nn.Conv2d(inputs, outputs, kernel, module.stride, module.padding, bias=bias)
    elif isinstance(module, BatchNorm2d):
        twin = nn.BatchNorm2d(module.num_features, module.eps, module.momentum)
    elif isinstance(module, Dropout):
        return nn.Dropout(module.p)
    else:
        return copy.deepcopy(module)
    twin.load_state_dict(module.state_dict())
    return twin
