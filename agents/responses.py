"""What follows a weighted layer: its units' activation function."""

from torch import nn

from agents.weighted import Weighted

ACTIVATIONS = (nn.ReLU, nn.Tanh, nn.Sigmoid, nn.Identity)


def responses(net: nn.Module) -> dict[Weighted, nn.Module]:
    """Each weighted layer's activation function, from the image up; identity where none follows."""
    modules = [module for module in net.modules() if not list(module.children())]
    following = [*modules[1:], nn.Identity()]
    return {
        layer: after if isinstance(after, ACTIVATIONS) else nn.Identity()
        for layer, after in zip(modules, following, strict=True)
        if isinstance(layer, Weighted)
    }
