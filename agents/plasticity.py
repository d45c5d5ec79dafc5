"""Plasticity, the same for every rule: error times presynaptic activity, then a stock optimiser.

The product itself is made in `layers`; here is who takes the step.
"""

from typing import Any

import torch
from torch import nn

from agents.weighted import weighted

OPTIMIZERS = {"sgd": 0.05, "adam": 0.001, "adamw": 0.001}  # and the usual learning rate of each


def make_optimizer(
    net: nn.Module, name: str, lr: float, weight_decay: float = 0.0, **constants: Any
) -> torch.optim.Optimizer:
    """A `torch.optim` optimiser over what learns; its constants as PyTorch names them."""
    return optimizer_over(groups_of(net, weight_decay), name, lr, **constants)


def groups_of(net: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """What learns, in groups for an optimiser; only the weighted layers' weights decay."""
    kernels = {id(p) for layer in weighted(net) for p in (layer.weight, layer.feedback)}
    learning = [p for p in net.parameters() if p.requires_grad]
    return [
        {"params": [p for p in learning if id(p) in kernels], "weight_decay": weight_decay},
        {"params": [p for p in learning if id(p) not in kernels], "weight_decay": 0.0},
    ]


def optimizer_over(
    groups: list[dict[str, Any]], name: str, lr: float, **constants: Any
) -> torch.optim.Optimizer:
    """A `torch.optim` optimiser over groups of parameters."""
    if name == "sgd":
        return torch.optim.SGD(groups, lr=lr, **constants)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[name]
    # On a GPU the number of steps lies there, too: a graph can replay them.
    capturable = groups[0]["params"][0].device.type == "cuda"
    return kind(groups, lr=lr, capturable=capturable, **constants)


def take_step(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """One step, at the learning rate that its time has."""
    for group in optimizer.param_groups:
        group["lr"] = lr
    optimizer.step()
