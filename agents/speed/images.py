"""How large a measurement is, and the made-up images that it steps through.

Speed does not depend on what images show: random ones of MNIST's and CIFAR-100's shapes need no
download.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from credit_envs import from_arrays, register

Clock = Callable[[], float]  # seconds


@dataclass(frozen=True)
class Scale:
    """How large the measurement is: repeats, slices of time, and all other sizes."""

    repeats: int = 9
    seconds: float = 0.2  # of one side's slice
    largest: int = 2**30  # of any other size
    cached: str = "CIFAR100Reward-v0"  # opened from the user's own cache
    device: str = "cpu"  # of the cases that can run on either
    gymnax_python: str = ""
    clock: Clock = time.perf_counter  # or another function of the module time

    def size(self, wanted: int) -> int:
        """A batch, a layer, a number of environments: as wanted, if that is not too large."""
        return min(wanted, self.largest)

    @property
    def gray(self) -> str:
        """Id of an environment like MNIST's."""
        return made_up(self.size(28), 1, 10, min(60_000, 50 * self.largest))

    @property
    def colour(self) -> str:
        """Id of an environment like CIFAR-100's."""
        return made_up(self.size(32), 3, 100, min(50_000, 50 * self.largest))


DRY = Scale(repeats=2, seconds=0.001, largest=8, cached="DigitsReward-v0")
"""So small that nothing is measured, only run."""


@cache
def made_up(side: int, channels: int, classes: int, count: int) -> str:
    """Register an environment of random square images, and return its id."""
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(count, side, side, channels), dtype=np.uint8)
    labels = np.arange(count) % classes
    name = f"MadeUp{side}x{side}x{channels}Reward-v0"
    register(name, from_arrays(images, labels, test=(images[:classes], labels[:classes])))
    return name
