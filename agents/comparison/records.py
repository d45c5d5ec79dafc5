"""The search's results as small tables in the repository: settings.csv and criteria.csv."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents.checkpoint import replace as write_whole
from agents.settings import Settings

FOLDER = Path(__file__).parents[2] / "benchmarks"
CELL = ("env", "network", "optimizer", "batch", "agent")
SETTINGS = (*CELL, "lr", "init", "validation", "median", "tried", "on_edge", "epochs", "seeds")
CRITERION = ("env", "network", "optimizer", "batch", "epochs")
CRITERIA = (*CRITERION, "supervised_validation", "seeds")


def network_name(settings: Settings) -> str:
    """The network as the tables name it: "dense 500-300", "resnet18 64", "conv"."""
    sizes = "-".join(map(str, settings.network_sizes))
    return f"{settings.network} {sizes}".strip()


def read_table(path: Path) -> list[dict[str, str]]:
    """The rows of a table; none if there is no such file."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows under a heading, the whole file or none of it. Raises ValueError for extras."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(path, text.getvalue().encode())


def merge_rows(
    path: Path, columns: tuple[str, ...], keys: tuple[str, ...], rows: list[dict]
) -> None:
    """Write rows into a table, in the place of those with the same keys."""
    new = [{c: str(row[c]) for c in columns} for row in rows]
    replaced = {tuple(row[k] for k in keys) for row in new}
    old = [row for row in read_table(path) if tuple(row[k] for k in keys) not in replaced]
    write_table(path, columns, sorted(old + new, key=lambda row: tuple(row[k] for k in keys)))


def chosen(env: str, agent: str, settings: Settings, batch: int) -> Settings | None:
    """The settings that the search chose for a cell, or None if it was not searched.

    The column `init` has what was varied beside the rate: an algorithm's `varied`, for one of SB3.
    """
    cell = (env, network_name(settings), settings.optimizer, str(batch), agent)
    for row in read_table(FOLDER / "settings.csv"):
        if tuple(row[k] for k in CELL) == cell:
            kind = type(settings.choices[0])
            found = {"lr": float(row["lr"]), settings.varied: kind(row["init"])}
            return replace(settings, **found)
    return None


def criterion(env: str, settings: Settings, batch: int, epochs: int) -> float | None:
    """S, frozen: supervised's final validation accuracy on the tuning seeds; None: not searched."""
    task = (env, network_name(settings), settings.optimizer, str(batch), str(epochs))
    for row in read_table(FOLDER / "criteria.csv"):
        if tuple(row[k] for k in CRITERION) == task:
            return float(row["supervised_validation"])
    return None
