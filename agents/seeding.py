"""One seed, and from it a generator for each thing that is drawn: none disturbs another."""

from numbers import Integral
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

DRAWN = ("weights", "feedback", "exploration", "dropout", "noise")


def generators(seed: int, device: torch.device) -> dict[str, torch.Generator]:
    """Independent generators by name; weights and feedback are drawn alike for every device."""
    children = np.random.SeedSequence(plain_seed(seed)).spawn(len(DRAWN))
    return {
        name: torch.Generator("cpu" if name in ("weights", "feedback") else device).manual_seed(
            int(child.generate_state(1, np.uint64)[0] >> 1)  # torch takes 63 bits
        )
        for name, child in zip(DRAWN, children, strict=True)
    }


def plain_seed(seed: int) -> int:
    """The seed as Python's own int, which a file can hold. Raises ValueError."""
    if not isinstance(seed, Integral) or seed < 0:
        raise ValueError(f"seed is a whole number, 0 or more, got {seed!r}")
    return int(seed)


def go_on(generator: torch.Generator, state: Tensor) -> None:
    """Draw from here what comes after `state`.

    A state of another kind of device means nothing to this one: it is a seed then.
    """
    if state.shape == generator.get_state().shape:
        generator.set_state(state)
    else:
        generator.manual_seed(crc32(bytes(state.numpy())))
