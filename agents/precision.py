"""How exactly products are made: matrix products and convolutions, forwards and backwards.

    float32  all 23 bits of the mantissa
    tf32     factors rounded to 10 bits, by a GPU's tensor cores; a CPU makes them in full
    bf16     factors rounded to 7 bits, by autocast

Weights, what they learn, costs and the optimiser stay float32 in all of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

PRECISIONS = ("float32", "tf32", "bf16")
PRODUCTS: Any = torch.backends.cuda.matmul
CUDNN: Any = torch.backends.cudnn
# Who makes them on a GPU, and the switch that tells how: the new one, which other code may have
# used, refuses the old one beside it.
SWITCHES = (
    ((PRODUCTS, CUDNN.conv), "fp32_precision", "ieee", "tf32")
    if hasattr(CUDNN, "conv")
    else ((PRODUCTS, CUDNN), "allow_tf32", False, True)  # before PyTorch 2.9
)


@contextmanager
def precision(name: str, device: torch.device) -> Iterator[None]:
    """Products inside are made at that precision."""
    if device.type != "cuda" and name != "bf16":
        yield
        return
    makers, switch, full, rounded = SWITCHES
    before = [getattr(maker, switch) for maker in makers]
    for maker in makers:
        setattr(maker, switch, full if name == "float32" else rounded)
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=name == "bf16"):
            yield
    finally:
        for maker, was in zip(makers, before, strict=True):
            setattr(maker, switch, was)
