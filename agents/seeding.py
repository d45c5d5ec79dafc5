"""One seed, and from it a generator for each thing that is drawn: none disturbs another."""

import numpy as np
import torch

DRAWN = ("weights", "feedback", "exploration", "dropout", "noise")


def generators(seed: int, device: torch.device) -> dict[str, torch.Generator]:
    """Independent generators by name; weights and feedback are drawn alike for every device."""
    children = np.random.SeedSequence(seed).spawn(len(DRAWN))
    return {
        name: torch.Generator("cpu" if name in ("weights", "feedback") else device).manual_seed(
            int(child.generate_state(1, np.uint64)[0] >> 1)  # torch takes 63 bits
        )
        for name, child in zip(DRAWN, children, strict=True)
    }
