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


@contextmanager
def precision(name: str, device: torch.device) -> Iterator[None]:
    """Products inside are made at that precision."""
    if device.type != "cuda" and name != "bf16":
        yield
        return
    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = name != "float32"
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=name == "bf16"):
            yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before
