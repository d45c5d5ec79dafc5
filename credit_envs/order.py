"""Which images a pass shows, and which come first: imbalanced classes, classes in stages."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from credit_envs.rewards import check_count, is_number
from credit_envs.stream import KEPT, ORDER, STAGES, Stream


@dataclass(frozen=True)
class Order:
    """What a pass is made of; without options, of every image of the split once, shuffled.

    A pass shows the kept images of each class, the same ones in all passes. With stages they come
    a few classes at a time, every stage shuffled by itself; the next pass begins with the first
    stage again. Classes are the images' own, whatever the rewards make of their labels.
    """

    imbalance: float | Sequence[float] = 1.0
    """How many times more images class 0 keeps than class K - 1, geometrically fewer from class to
    class (class 0 keeps all); or the K shares, in 0..1, of their images that the classes keep."""
    classes_per_stage: int | None = None
    """Classes that come together, drawn by the seed; the last stage has what is left."""
    stage_passes: int = 1
    """How often a stage shows each of its images before the next begins."""

    def __post_init__(self) -> None:
        shares = self.imbalance
        if isinstance(shares, list | tuple) or (isinstance(shares, np.ndarray) and shares.ndim):
            object.__setattr__(self, "imbalance", checked_shares(shares))
        elif not is_number(self.imbalance) or self.imbalance < 1:
            raise ValueError(
                f"imbalance={self.imbalance!r} is no ratio of 1 or more: give one, or the share of "
                "its images that each class keeps."
            )
        stage, passes = self.classes_per_stage, self.stage_passes
        if stage is not None:
            check_count("classes_per_stage", stage, 1)
        check_count("stage_passes", passes, 1)
        if passes > 1 and stage is None:
            raise ValueError(f"stage_passes={passes} needs stages: give classes_per_stage.")

    def shares(self, classes: int) -> NDArray[np.float64]:
        """Return the share of its images that each class keeps, (K,)."""
        if not isinstance(self.imbalance, tuple):
            return float(self.imbalance) ** (-np.arange(classes) / (classes - 1))  # pyright: ignore
        if len(self.imbalance) != classes:
            raise ValueError(f"imbalance has {len(self.imbalance)} shares for {classes} classes.")
        return np.array(self.imbalance)


class Composition:
    """The passes over a split that an `Order` asks for."""

    size: int
    """Trials of a pass."""

    def __init__(self, order: Order, labels: NDArray[np.int64], classes: int) -> None:
        self._order, self._labels, self._classes = order, labels, classes
        self._drawn, self._held = None, []
        if order.classes_per_stage is not None and order.classes_per_stage > classes:
            raise ValueError(
                f"classes_per_stage={order.classes_per_stage} is more than the {classes} classes."
            )
        there, shares = np.bincount(labels, minlength=classes), order.shares(classes)
        # A class that keeps a share, however small, keeps an image.
        kept = np.maximum(np.rint(there * shares), np.minimum(there, shares > 0))
        self._kept = kept.astype(np.int64)
        self.size = int(self._kept.sum()) * order.stage_passes
        if not self.size:
            raise ValueError("imbalance keeps no image of this split: give larger shares.")

    def shuffle(self, stream: Stream, number: int) -> NDArray[np.int64]:
        """Return the images of pass `number`, in the order in which they are shown, (size,)."""
        rng, times = stream.child(ORDER, number), self._order.stage_passes
        return np.concatenate(
            [rng.permutation(stage) for stage in self._stages(stream) for _ in range(times)]
        )

    def _stages(self, stream: Stream) -> list[NDArray[np.int64]]:
        """Return the kept images of each stage, which belong to the stream."""
        if self._drawn != (stream, stream.begun):
            self._drawn, self._held = (stream, stream.begun), self._draw(stream)
        return self._held

    def _draw(self, stream: Stream) -> list[NDArray[np.int64]]:
        rng, step = stream.child(KEPT), self._order.classes_per_stage or self._classes
        images = [
            rng.permutation(np.flatnonzero(self._labels == label))[:count]
            for label, count in enumerate(self._kept)
        ]
        labels = stream.child(STAGES).permutation(self._classes)
        starts = range(0, self._classes, step)
        return [np.concatenate([images[k] for k in labels[at : at + step]]) for at in starts]


def checked_shares(shares: Sequence[float] | NDArray[np.float64]) -> tuple[float, ...]:
    """Return the shares as floats, or raise if one is no number in 0..1."""
    for share in shares:
        if not is_number(share) or not 0 <= share <= 1:
            raise ValueError(f"imbalance has the share {share!r}, which is not in 0..1.")
    return tuple(map(float, shares))
