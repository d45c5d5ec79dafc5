"""What the figures of one comparison are made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agents.runs.job import Result

SUPERVISED = "supervised"

Row = dict[str, Any]  # of summary.json
Runs = Mapping[int, "Result"]  # one agent's runs by seed


@dataclass(frozen=True)
class Task:
    """What all runs of a comparison share."""

    env: str
    chance: float
    """Accuracy of guessing, 0..1."""
    epochs: float
    points: tuple[int, ...]
    """Trials at which readings count for hitting times; the last one is the budget of every run."""
    device: str
    supervised_final: float | None = None
    """S as frozen in benchmarks/criteria.csv, 0..1; None: taken from the supervised runs here."""
    epoch_points: tuple[int, ...] = ()
    """Trials at the end of each epoch; none: too few epochs for early stopping."""

    @property
    def trials(self) -> int:
        """Budget of every run."""
        return self.points[-1]
