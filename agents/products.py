"""Counts what a piece of work costs, in matrix products and convolutions."""

from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry


class Products(TorchDispatchMode):
    """Counts the operations of products as torch.utils.flop_counter does.

    Its own FlopCounterMode follows the modules as well, and so cannot see torch.autograd.grad.
    """

    total = 0

    @property
    def multiply_adds(self) -> int:
        """A multiplication and the addition of its product are two operations."""
        return self.total // 2

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Do it, and count it."""
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func.overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out
