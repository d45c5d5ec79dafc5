"""Which optimisers move weights and learning feedback alike, as Kolen-Pollack needs it."""

import copy
import warnings

from torch import nn
from torch.optim import SGD, Optimizer

from agents.layers import Weighted, weighted


def check_optimizer(optimizer: Optimizer, net: nn.Module) -> None:
    """Refuse an optimiser that would not draw learning feedback (Kolen-Pollack) to its weights.

    Raises ValueError for any but AdamW and SGD without momentum, and for feedback that it does not
    move as it moves the weight; warns where nothing decays. Other rules' nets pass.
    """
    layers = [(path, m) for path, m in net.named_modules() if isinstance(m, Weighted)]
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    for path, layer in layers:
        apart = groups.get(id(layer.feedback)) is not groups.get(id(layer.weight))
        if _learns(layer) and apart:
            raise ValueError(
                f"{path}.weight and {path}.feedback are not in one parameter group of the "
                "optimizer: make it after the swap, over net.parameters()"
            )
    if any(_learns(layer) for _, layer in layers):
        check_decay(optimizer)


def check_decay(optimizer: Optimizer) -> None:
    """Refuse an optimiser under which W - B does not shrink by the decay alone."""
    for group in optimizer.param_groups:
        plain = isinstance(optimizer, SGD) and not group["momentum"]
        if not plain and not group.get("decoupled_weight_decay", False):
            raise ValueError(
                "kolen_pollack needs an optimizer that gives weights and feedback the same decay "
                f"at every step, got {type(optimizer).__name__}: use torch.optim.AdamW, or SGD "
                "without momentum (Stable-Baselines3: policy_kwargs={'optimizer_class': AdamW})"
            )
        if not group["weight_decay"]:
            warnings.warn(
                "without weight_decay Kolen-Pollack's feedback keeps its distance from the "
                "weights: give the optimizer a weight_decay above 0",
                stacklevel=2,
            )


def held(net: nn.Module) -> list[Optimizer]:
    """The optimisers that modules keep as `.optimizer`, as those of Stable-Baselines3 do."""
    kept = (getattr(module, "optimizer", None) for module in net.modules())
    return [optimizer for optimizer in kept if isinstance(optimizer, Optimizer)]


def moved(optimizer: Optimizer, net: nn.Module) -> list[Weighted]:
    """The layers whose weights an optimiser moves."""
    its = {id(p) for group in optimizer.param_groups for p in group["params"]}
    return [layer for layer in weighted(net) if id(layer.weight) in its]


def take_in(optimizer: Optimizer, net: nn.Module) -> None:
    """Move learning feedback as its weight is moved: in the same group, from the same state on."""
    for group in optimizer.param_groups:
        its = {id(p) for p in group["params"]}
        for layer in weighted(net):
            if _learns(layer) and id(layer.weight) in its and id(layer.feedback) not in its:
                group["params"].append(layer.feedback)
                if layer.weight in optimizer.state:
                    state = copy.deepcopy(optimizer.state[layer.weight])
                    optimizer.state[layer.feedback] = state


def _learns(layer: Weighted) -> bool:
    return layer.feedback is not None and layer.feedback.requires_grad
