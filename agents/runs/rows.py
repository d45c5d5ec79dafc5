"""metrics.csv: a row per evaluation point of a run, appended one by one."""

import csv
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any

from agents.checkpoint import replace
from agents.runs.early_stopping import epochs_to_stop

MENDED = "the run is mended from its checkpoint when its command is given again"


@dataclass(frozen=True)
class Row:
    """An evaluation point of a run."""

    trials: int
    validation_accuracy: float  # 0..1, or that of another split, as the protocol says
    running_accuracy: float  # mean reward since the row before, exploration included
    change_angle: float | None  # degrees from backprop since then; None: not watched, or no angle
    seconds: float  # since the start, without the time in which it was not run


COLUMNS = tuple(field.name for field in fields(Row))


def ended_early(rows: Sequence[Row], patience: int) -> bool:
    """Whether so many points brought no rise; with a patience of 0 a run never ends before time."""
    accuracies = [row.validation_accuracy for row in rows]
    return patience > 0 and epochs_to_stop(accuracies, patience) is not None


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write all rows anew."""
    replace(path, "".join([_line(COLUMNS), *(_line(astuple(row)) for row in rows)]).encode())


def append_row(path: Path, row: Row) -> None:
    """Add a row. The run's checkpoint holds it too, so nothing waits for the disk here."""
    with path.open("a") as file:
        file.write(_line(astuple(row)))


def _line(values: tuple[Any, ...]) -> str:
    return ",".join("" if value is None else str(value) for value in values) + "\n"


def read_rows(path: Path, faults: list[str]) -> tuple[Row, ...]:
    """The good rows, which end at the first bad one; what is bad is added to `faults`."""
    try:
        heading, *lines = path.read_text().splitlines(keepends=True) or [""]
    except FileNotFoundError:
        return ()
    except (ValueError, OSError) as fault:
        faults.append(f"{path} cannot be read ({fault}): {MENDED}")
        return ()
    if heading != _line(COLUMNS):
        faults.append(f"{path} is damaged in its heading: {MENDED}")
        return ()
    rows: list[Row] = []
    for line in lines:
        row = _row(line)
        if row is None or (rows and row.trials <= rows[-1].trials):
            faults.append(f"{path} is damaged in row {len(rows) + 1}, those above count: {MENDED}")
            break
        rows.append(row)
    return tuple(rows)


def _row(line: str) -> Row | None:
    """A row, or None if it is none, or torn: half a number may be a number, too."""
    try:
        trials, validation, running, angle, seconds = next(csv.reader([line]))
        row = Row(
            int(trials), float(validation), float(running), float(angle) if angle else None,
            float(seconds),
        )  # fmt: skip
    except (ValueError, csv.Error):
        return None
    finite = isfinite(row.running_accuracy) and isfinite(row.seconds)
    sound = row.trials > 0 and 0 <= row.validation_accuracy <= 1 and finite
    return row if sound and 0 <= (row.change_angle or 0) <= 180 and line.endswith("\n") else None
