"""Which optimisers move weights and learning feedback alike, as Kolen-Pollack needs it."""

import copy
import warnings
from collections.abc import Iterable

from torch import Tensor, nn
from torch.optim import SGD, Optimizer

from agents.weighted import Weighted, weighted


def check_optimizer(optimizer: Optimizer, net: nn.Module) -> None:
    """Refuse an optimiser that would not draw learning feedback (Kolen-Pollack) to its weights.

    Raises ValueError for any but AdamW and SGD without momentum, and for feedback that it does not
    move as it moves the weight; warns where nothing decays. Other rules' nets pass.
    """
    groups = {id(p): group for group in optimizer.param_groups for p in group["params"]}
    weights = []
    for path, layer in net.named_modules():
        if not isinstance(layer, Weighted) or not _learns(layer):
            continue
        if not layer.weight.requires_grad:  # its feedback stands still as well
            continue
        if groups.get(id(layer.feedback)) is not groups.get(id(layer.weight)):
            raise ValueError(
                f"{path}.weight and {path}.feedback are not in one parameter group of the "
                "optimizer: make it after the swap, over net.parameters()"
            )
        weights.append(layer.weight)
    check_decay(optimizer, weights)


def check_decay(optimizer: Optimizer, weights: Iterable[Tensor]) -> None:
    """Refuse an optimiser that would not let W - B shrink by the decay of these weights alone."""
    their = {id(weight) for weight in weights}
    for group in optimizer.param_groups:
        if not their & {id(p) for p in group["params"]}:
            continue
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
    return layer.feedback is not None and layer.feedback.requires_grad and not layer.fixed
