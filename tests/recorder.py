"""A graph in software: the operations of a piece of work, recorded once and done again.

Stands for a CUDA graph where there is no GPU. Whatever the host said while recording (a number, a
shape, which branch) stays as it was, and each result is written to the memory that it had then.
"""

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

READS = {torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape}


class Recorder(TorchDispatchMode):
    """Has the methods of `agents.captured.CudaGraph`."""

    def __init__(self, agent):
        super().__init__()
        self.calls, self.done = [], False

    def aside(self, body):
        body()

    def capture(self, body):
        """Unlike a CUDA graph it has to do the work; so the first replay is done already."""
        self.done = True
        with self:
            body()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if READS & set(func.tags):
            raise RuntimeError(f"{func} reads values: a graph cannot")
        out = func(*args, **kwargs)
        self.calls.append((func, args, kwargs, out))
        return out

    def replay(self):
        if self.done:
            self.done = False
            return
        with torch.no_grad():
            for func, args, kwargs, out in self.calls:
                redo(func, args, kwargs, out)


def redo(func, args, kwargs, out):
    aliases = [result.alias_info for result in func._schema.returns]
    if any(alias is not None and not alias.is_write for alias in aliases):
        return  # a view of memory that has the new values already
    new = func(*args, **kwargs)
    for before, after in zip(tree_leaves(out), tree_leaves(new), strict=True):
        if isinstance(before, Tensor) and before is not after:
            before.copy_(after)
