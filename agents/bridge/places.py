"""What the bridge finds in a net, and what it refuses."""

from collections import Counter
from typing import Any, NamedTuple

from torch import nn
from torch.nn.utils.parametrize import is_parametrized

KINDS = (nn.Linear, nn.Conv2d)
OTHERS = (
    nn.MultiheadAttention, nn.Transformer, nn.TransformerEncoderLayer, nn.TransformerDecoderLayer,
    nn.RNNBase, nn.RNNCellBase, nn.Bilinear, nn.Conv1d, nn.Conv3d, nn.ConvTranspose1d,
    nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


class Place(NamedTuple):
    """A layer to swap."""

    parent: nn.Module
    name: str  # in its parent
    path: str  # in the net
    module: Any  # nn.Linear or nn.Conv2d

    @property
    def padding(self) -> tuple[int, int]:
        """A convolution's padding in numbers: (vertical, horizontal)."""
        padding: Any = getattr(self.module, "padding", "valid")
        if padding == "same":
            down, right = _spread(self.module)
            return down // 2, right // 2
        return (0, 0) if padding == "valid" else padding


def places(net: nn.Module) -> list[Place]:
    """The layers to swap. Raises ValueError, TypeError for what would not learn as the rule says.

    A module that holds layers may have several names (Stable-Baselines3's policies call their one
    feature extractor by three): its layers are found once.
    """
    if not isinstance(net, nn.Module):
        raise TypeError(
            f"net is an nn.Module, got a {type(net).__name__}: a model of Stable-Baselines3 is "
            "swapped in its policy, swap(model.policy, rule)"
        )
    modules = list(net.named_modules())
    for path, module in modules:
        if isinstance(module, OTHERS):
            raise ValueError(
                f"{path or 'the net'} is a {type(module).__name__}, whose own weights would carry "
                "errors down: the bridge serves nets of nn.Linear and nn.Conv2d, without "
                "attention, recurrence, bilinear layers or other convolutions"
            )
    found = [
        Place(parent, name, f"{path}.{name}".lstrip("."), module)
        for path, parent in modules
        for name, module in parent._modules.items()
        if isinstance(module, KINDS)
    ]
    if not found:
        raise ValueError(
            "the net holds no nn.Linear or nn.Conv2d to swap: was it swapped before, or is it a "
            "single layer, which has none below to send errors to?"
        )
    _refuse_shared(net, found)
    for place in found:
        fault = _fault(place.module)
        if fault:
            raise ValueError(f"{place.path} {fault}")
    return found


def _refuse_shared(net: nn.Module, found: list[Place]) -> None:
    """Feedback is one layer's own."""
    owners = Counter(id(p) for m in net.modules() for p in m.parameters(recurse=False))
    homes = Counter(id(place.module) for place in found)
    for place in found:
        shared = any(owners[id(p)] > 1 for p in place.module.parameters())
        if shared or homes[id(place.module)] > 1:
            raise ValueError(
                f"{place.path} shares its weights with another place in the net: give each place "
                "a layer of its own, the feedback of one cannot follow two"
            )


def _fault(layer: Any) -> str:
    """Why this layer cannot be swapped, or nothing."""
    if set(layer._parameters) != {"weight", "bias"} or is_parametrized(layer):
        return (
            "has parametrised weights (weight norm, spectral norm, pruning ...): make them plain "
            "first, the rules' feedback follows the weights that learn"
        )
    if type(layer) not in KINDS:
        return (
            f"is a {type(layer).__name__}: only nn.Linear and nn.Conv2d themselves can be swapped, "
            "not what is derived from them (lazy layers: once the net has answered)"
        )
    if any(getattr(layer, hooks) for hooks in HOOKS):
        return "has hooks that a swap would lose: register them after it"
    if isinstance(layer, nn.Conv2d) and layer.padding_mode != "zeros":
        return (
            f"pads by {layer.padding_mode!r}, the suite's convolution by zeros only: let a module "
            "pad before it (nn.ReflectionPad2d, nn.CircularPad2d ...)"
        )
    if (
        isinstance(layer, nn.Conv2d)
        and layer.padding == "same"
        and any(spread % 2 for spread in _spread(layer))
    ):
        return (
            "pads one side more than the other (padding='same', even kernel): let an "
            "nn.ZeroPad2d pad before it"
        )
    return ""


def _spread(layer: nn.Conv2d) -> list[int]:
    """By how much the kernel reaches beyond one pixel, vertically and horizontally."""
    return [d * (k - 1) for d, k in zip(layer.dilation, layer.kernel_size, strict=True)]
