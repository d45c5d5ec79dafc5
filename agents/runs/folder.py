"""A run's folder: what it holds, and how it is read back without its agent.

    <root>/<env>/<agent>/<key>/seed-<n>/
        config.json         what was run, with what, on what, by which command
        metrics.csv         a row per evaluation point, appended
        last.safetensors    the agent and all that the run needs to go on, the rows too
        done                JSON: what it came to. Or:
        failed              JSON: why it could not go on

Files are written whole or not at all; only metrics.csv grows, and so may end in a torn row. What
is damaged is said in one sentence, and what is good beside it is kept.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from agents.checkpoint import replace
from agents.runs.rows import MENDED, Row, ended_early, read_rows

FORMAT = "credit-envs run 1"
CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.csv", "last.safetensors"
DONE, FAILED, LOCK = "done", "failed", "lock"


class Unreadable(ValueError):
    """A folder's config.json tells nothing; the message says why, and what to do."""


@dataclass(frozen=True)
class End:
    """What a finished run came to."""

    test_accuracy: float | None  # 0..1; diverged: chance; None: not read
    diverged: int | None  # the trial at which it diverged
    seconds: float
    env_steps: int  # answers of the world
    presentations: int  # images shown
    forward_passes: int
    multiply_adds: int | None  # in matrix products and convolutions; None: a class of the user's
    change_angle: float | None  # degrees, mean of a watched run; None: nothing to compare


@dataclass(frozen=True)
class Record:
    """One run, as its folder tells."""

    folder: Path
    config: dict[str, Any]
    rows: tuple[Row, ...]
    end: End | None  # None: it is not finished
    failed: str | None  # why it could not go on
    faults: tuple[str, ...] = ()  # what is damaged, a sentence each

    @property
    def status(self) -> str:
        """One of "done", "diverged", "failed", "unfinished"."""
        if self.end is not None:
            return "done" if self.end.diverged is None else "diverged"
        return "unfinished" if self.failed is None else "failed"


def find(root: Path) -> tuple[list[Record], list[str]]:
    """Every run below a folder, in order, and what cannot be read or is damaged, said."""
    records, faults = [], []
    for path in sorted(root.glob(f"**/{CONFIG}")):
        try:
            records.append(read(path.parent))
        except Unreadable as fault:
            faults.append(str(fault))
        else:
            faults.extend(records[-1].faults)
    if old := next(root.glob("**/seed-*.json"), None):
        faults.append(
            f"{old} and its like are of a version before runs had folders: delete them, and their "
            "runs are made again"
        )
    return records, faults


def read(folder: Path) -> Record:
    """One run. Raises Unreadable if its config.json is not there, damaged or of another version."""
    config = read_config(folder)
    faults: list[str] = []
    rows = read_rows(folder / METRICS, faults)
    end = _read_end(folder / DONE, faults)
    if end is not None and not whole(rows, end, config) and not faults:
        faults.append(f"{folder / METRICS} has not the rows of a finished run: {MENDED}")
    failed = None if end else _read_json(folder / FAILED, faults).get("error")
    return Record(folder, config, rows, end, failed, tuple(faults))


def whole(rows: Sequence[Row], end: End, config: Mapping[str, Any]) -> bool:
    """Has a finished run a row for each point it came to?"""
    if end.diverged is not None:
        batch = config["batch"]
        read = [batch * ceil(point / batch) < end.diverged for point in config["points"]]
        return len(rows) >= sum(read)
    patience = config.get("protocol", {}).get("patience", 0)
    return ended_early(rows, patience) or len(rows) == len(config["points"])


def read_config(folder: Path) -> dict[str, Any]:
    """What was run. Raises Unreadable."""
    path = folder / CONFIG
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError as fault:
        raise Unreadable(f"{folder} is no run: it has no {CONFIG}") from fault
    except (ValueError, OSError) as fault:
        raise Unreadable(
            f"{path} is damaged ({fault}): delete the folder, and the run is made again"
        ) from fault
    found = config.get("format") if isinstance(config, dict) else None
    if found != FORMAT:
        raise Unreadable(
            f"{path} is of the format {found!r}, this version reads {FORMAT!r}: read it with the "
            "version that wrote it, or move the folder away and the run is made again"
        )
    numbers = [config.get("batch"), *(config.get("points") or [None])]
    if not all(isinstance(number, int) for number in numbers):
        raise Unreadable(
            f"{path} is damaged (it lacks batch or points): delete the folder, and the run is made "
            "again"
        )
    return config


def _read_end(path: Path, faults: list[str]) -> End | None:
    plain = _read_json(path, faults)
    try:
        end = End(**plain) if plain else None
        if end and not all(isinstance(value, int | float | None) for value in plain.values()):
            raise TypeError("it holds what is no number")
        return end
    except TypeError as fault:
        faults.append(f"{path} is of another version ({fault}): {MENDED}")
        return None


def _read_json(path: Path, faults: list[str]) -> dict[str, Any]:
    """An object, empty if it is not there or damaged; that is added to `faults`."""
    try:
        plain = json.loads(path.read_text())
        if not isinstance(plain, dict):
            raise ValueError("no JSON object")
    except FileNotFoundError:
        return {}
    except (ValueError, OSError) as fault:
        faults.append(f"{path} is damaged ({fault}): {MENDED}")
        return {}
    return plain


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a small JSON file, whole or not at all."""
    replace(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
