"""What is measured, against what, and how: two sides take turns.

On a machine that others use, too, a time says little. So each repeat runs a slice of one side and
then a slice of the other, and its figure is their ratio: whatever slows one slows both. Shown are
the repeats' median and quartiles.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from agents.speed.images import Clock, Scale

Step = Callable[[], object]
Run = Callable[[int, Clock], float]  # so many steps -> seconds by that clock


class Reading(NamedTuple):
    """One repeat: the figure that has a target, and what it was made of."""

    figure: float
    ours: float
    theirs: float


Sample = Callable[[], Reading]


@dataclass(frozen=True)
class Case:
    """One line of the table; `prepare` builds both sides and returns what measures a repeat."""

    name: str
    what: str
    against: str
    unit: str  # of both sides
    prepare: Callable[[Scale], Sample]
    least: float | None = None  # the target of the figure
    most: float | None = None
    figure: str = "x"  # the figure's unit; x: the ratio of the sides

    def met(self, figure: float) -> bool | None:
        """Whether a figure reaches the target; None without one."""
        if self.least is None and self.most is None:
            return None
        return (self.least is None or figure >= self.least) and (
            self.most is None or figure <= self.most
        )


class Missing(Exception):
    """A case cannot be measured here; the message says what it needs."""


class Side(NamedTuple):
    """What takes its turn: `run` times steps, each of which makes so many `items`."""

    run: Run
    items: float


def side(step: Step, items: float, wait: Step = lambda: None) -> Side:
    """A side that repeats `step`; `wait` returns once the device has done all of them."""

    def run(steps: int, clock: Clock) -> float:
        wait()
        began = clock()
        for _ in range(steps):
            step()
        wait()
        return clock() - began

    return Side(run, items)


def race(ours: Side, theirs: Side, scale: Scale) -> Sample:
    """Measure items per second of both sides, in slices of about `scale.seconds` each."""
    first, second = _slice(ours, scale), _slice(theirs, scale)

    def sample() -> Reading:
        a, b = first(), second()
        return Reading(a / b, a, b)

    return sample


def _slice(side: Side, scale: Scale) -> Callable[[], float]:
    """Find how many steps make a slice, which warms the side up, too."""
    steps = 1
    while side.run(steps, scale.clock) < scale.seconds / 2:
        steps *= 2

    def rate() -> float:
        return steps * side.items / side.run(steps, scale.clock)

    return rate
