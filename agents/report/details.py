"""Per agent its settings, commands and runs, for those who want to make them again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.report.gather import Entry
from agents.report.tables import UNKNOWN, Table
from agents.runs.folder import Record


@dataclass(frozen=True)
class Detail:
    """One agent."""

    name: str
    runs: str
    facts: tuple[tuple[str, str], ...]
    commands: tuple[str, ...]
    table: Table


def detail(entry: Entry, root: Path) -> Detail:
    """What its runs' config.json and ends say; their folders are below `root`."""
    config = entry.config
    commands = dict.fromkeys(
        str(record.config.get("command") or UNKNOWN) for record in entry.records
    )
    count = len(entry.records)
    return Detail(
        entry.name, "1 run" if count == 1 else f"{count} runs",
        (*_settings(config["settings"]), *_origin(entry.records)),
        tuple(commands), _table(entry.records, root),
    )  # fmt: skip


def _settings(settings: dict[str, Any] | None) -> list[tuple[str, str]]:
    if settings is None:
        return [("settings", "a class of the user's own")]
    return [(name.replace("_", " "), _plain(value)) for name, value in settings.items()]


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        rest = [f"{name} {_plain(inner)}" for name, inner in value.items() if name != "name"]
        return f"{value.get('name', '')}{' (' + ', '.join(rest) + ')' if rest else ''}"
    if isinstance(value, list):
        return "-".join(map(str, value)) or UNKNOWN
    return value or UNKNOWN if isinstance(value, str) else json.dumps(value)


def _origin(records: Sequence[Record]) -> list[tuple[str, str]]:
    """Device, versions and commit: all that its runs have."""
    named = {
        "device": lambda c: c.get("device_name") or c["device"],
        "versions": lambda c: _plain(c.get("versions") or {}).strip(" ()"),
        "commit": lambda c: (
            (c.get("commit") or UNKNOWN)[:12] + (", changed" * bool(c.get("dirty")))
        ),
    }
    return [
        (name, "; ".join(dict.fromkeys(str(of(record.config)) for record in records)))
        for name, of in named.items()
    ]


def _table(records: Sequence[Record], root: Path) -> Table:
    ordered = sorted(records, key=lambda record: record.config["seed"])
    columns = ("seed", "status", "started", "folder", "validation, %", "test, %", "minutes")
    return Table(columns, tuple(_row(record, root) for record in ordered), "", 4)


def _row(record: Record, root: Path) -> tuple[str, ...]:
    end, rows = record.end, record.rows
    test = None if end is None else end.test_accuracy
    seconds = end.seconds if end else rows[-1].seconds if rows else None
    return (
        str(record.config["seed"]), record.status,
        str(record.config.get("started") or UNKNOWN)[:16].replace("T", " "),
        str(record.folder.relative_to(root)),
        f"{100 * rows[-1].validation_accuracy:.1f}" if rows else UNKNOWN,
        UNKNOWN if test is None else f"{100 * test:.1f}",
        UNKNOWN if seconds is None else f"{seconds / 60:.1f}",
    )  # fmt: skip
