"""How large a measurement is, and the made-up images that it steps through.

Speed does not depend on what images show: random ones of MNIST's and CIFAR-100's shapes need no
download. They are cached like any other data set, in a folder that is thrown away.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import gymnasium as gym
import numpy as np

from credit_envs.dataset import Dataset
from credit_envs.datasets import DATASETS
from credit_envs.digests import pixel_digests
from credit_envs.sources import Images, Shape


@dataclass(frozen=True)
class Scale:
    """How large the measurement is: repeats, slices of time, images, and all other sizes."""

    repeats: int = 9
    seconds: float = 0.2  # of one side's slice
    gray: str = "MadeUp28Reward-v0"  # like MNIST
    colour: str = "MadeUp32Reward-v0"  # like CIFAR-100
    cached: str = "CIFAR100Reward-v0"  # opened from the user's own cache
    largest: int = 2**30  # of any other size
    device: str = "cpu"  # of the cases that can run on either
    gymnax_python: str = ""
    environment: dict[str, str] = field(default_factory=dict)  # the user's, of new processes

    def size(self, wanted: int) -> int:
        """A batch, a layer, a number of environments: as wanted, if that is not too large."""
        return min(wanted, self.largest)


DRY = Scale(
    repeats=2, seconds=0.001, gray="MadeUp8Reward-v0", colour="MadeUp12Reward-v0",
    cached="DigitsReward-v0", largest=8,
)  # fmt: skip
"""So small that nothing is measured, only run."""


@dataclass(frozen=True)
class MadeUp:
    """Random pixels and labels."""

    classes: int
    train: int
    test: int
    lossy: bool = False

    def read(self, shape: Shape) -> tuple[Images, Images]:
        """Training and test images."""
        rng = np.random.default_rng(0)

        def part(count: int) -> Images:
            pixels = rng.integers(256, size=(count, *shape), dtype=np.uint8)
            labels = rng.integers(self.classes, size=count)
            return Images(pixels, labels, pixel_digests(pixels, labels), "a random generator")

        return part(self.train), part(self.test)


def _row(name: str, shape: Shape, classes: int, train: int, test: int) -> Dataset:
    source = MadeUp(classes, train, test)
    return Dataset(name, source, shape, classes, train, test, None, None)


ROWS = (
    _row("MadeUp28", (28, 28, 1), 10, 60_000, 10_000),
    _row("MadeUp32", (32, 32, 3), 100, 50_000, 10_000),
    _row("MadeUp8", (8, 8, 1), 10, 200, 20),
    _row("MadeUp12", (12, 12, 3), 10, 200, 20),
)


@contextmanager
def made_up_images() -> Iterator[dict[str, str]]:
    """Inside, the made-up data sets are there like any other; gives the environment from before."""
    before = dict(os.environ)
    for row in ROWS:
        DATASETS[row.name] = row
        gym.register(
            id=f"{row.name}Reward-v0",
            entry_point="credit_envs.env:RewardEnv",
            vector_entry_point="credit_envs.vector:RewardVectorEnv",
            kwargs={"dataset": row.name},
        )
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        os.environ["CREDIT_ENVS_CACHE"] = folder
        try:
            yield before
        finally:
            os.environ.pop("CREDIT_ENVS_CACHE")
            os.environ.update(before)
            for row in ROWS:
                del DATASETS[row.name], gym.registry[f"{row.name}Reward-v0"]
