"""Scales from values to pixels, and the ticks on them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

LINE = 15.0  # pixels, the height of a line of text
TICKS = 4  # at least, where there are finer ones
LEAST_ERROR = 2e-3  # smaller errors are drawn as this one: the log of none is infinite


@dataclass(frozen=True)
class Axis:
    """Where a value stands: `bend` makes the scale, `low` stands at the pixel `start`."""

    low: float
    high: float
    start: float
    end: float
    bend: Callable[[float], float]

    def __call__(self, value: float) -> float:
        low, high = self.bend(self.low), self.bend(self.high)
        inside = min(max(value, self.low), self.high)
        part = (self.bend(inside) - low) / (high - low)
        return round(self.start + part * (self.end - self.start), 1)


@dataclass(frozen=True)
class Measure:
    """What a chart shows over trials: its limits, its scale, and how it is written."""

    name: str
    low: float
    high: float
    ticks: tuple[float, ...]
    bend: Callable[[float], float]
    scale: float
    unit: str
    levels: Mapping[str, float] = field(default_factory=dict)  # horizontal lines, by name

    def tick(self, value: float) -> str:
        """A tick's text."""
        return f"{self.scale * value:g}{self.unit}"

    def text(self, value: float) -> str:
        """A value's text."""
        return f"{self.scale * value:.1f}{self.unit}"


def accuracy(least: float, best: float, levels: Mapping[str, float]) -> Measure:
    """Accuracy (0..1) by the log of the error, so that the best are told apart."""
    low = max(least - 0.05 * (best - least), 0)
    top = _log_error(low) + 1.08 * (_log_error(best) - _log_error(low))
    high = 1 - math.exp(-max(top, _log_error(low) + 0.02))
    coarse = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
    finer = [[step * k / 100 for k in range(100 // step)] for step in (5, 2, 1)]
    inside = [[tick for tick in ticks if low <= tick <= high] for ticks in (coarse, *finer)]
    ticks = next((ticks for ticks in inside if len(ticks) >= TICKS), inside[-1])
    return Measure("validation accuracy", low, high, tuple(ticks), _log_error, 100, " %", levels)


def _log_error(accuracy: float) -> float:
    return -math.log(max(1 - accuracy, LEAST_ERROR))


def angle(most: float) -> Measure:
    """Degrees, from along backprop to across it, or beyond."""
    ticks = tuple(range(0, 181, 15 if most <= 60 else 30))
    high = next(high for high in (60, 95, 125, 180) if most <= high)
    return Measure("angle to backprop", 0, high, ticks, float, 1, "°")


def log_ticks(x: Axis, apart: float) -> list[float]:
    """1, 2 and 5 of every power of ten, or fewer where they would stand too close, in pixels."""
    powers = range(math.floor(math.log10(x.low)), math.ceil(math.log10(x.high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [d * 10.0**k for k in powers for d in digits if x.low <= d * 10**k <= x.high]
        gaps = [x(after) - x(before) for before, after in pairwise(ticks)]
        if gaps and min(gaps) >= apart:
            return ticks
    return [x.low, x.high]


def with_room(ticks: Sequence[float], y: Axis) -> list[float]:
    """From the top down, those that leave room for the text of the one above."""
    kept: list[float] = []
    for tick in sorted(ticks, reverse=True):
        fits = y.low <= tick <= y.high
        if fits and (not kept or y(tick) - y(kept[-1]) > 1.5 * LINE):
            kept.append(tick)
    return kept


def short(trials: float) -> str:
    """So many trials in few letters: 1.5k, 2M."""
    for letter, unit in (("M", 1e6), ("k", 1e3)):
        if trials >= unit:
            return f"{trials / unit:.3g}{letter}"
    return f"{trials:.3g}"
