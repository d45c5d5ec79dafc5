"""Tables of text for the page: every figure has one, and the terminal's are taken over."""

from collections.abc import Sequence
from dataclasses import dataclass

import rich.table

from agents.comparison.statistics import Estimate

UNKNOWN = "–"


@dataclass(frozen=True)
class Table:
    """Text in rows and columns; the first column names the row."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    texts: int = 1  # so many columns from the left are words, the others figures


def from_terminal(shown: rich.table.Table) -> Table:
    """A table made for the terminal, its line breaks undone."""
    heads = [str(column.header).replace("-\n", "").replace("\n", " ") for column in shown.columns]
    cells = [[str(cell).replace("\n", "") for cell in column.cells] for column in shown.columns]
    texts = sum(column.justify == "left" for column in shown.columns)
    rows = tuple(zip(*cells, strict=True))
    return Table(tuple(head.strip() for head in heads), rows, str(shown.caption or ""), texts)


def percent(estimate: Estimate) -> str:
    """An accuracy with its interval, in %."""
    return _bracketed(estimate, 100, 1, 100)


def degrees(estimate: Estimate) -> str:
    """An angle with its interval."""
    return _bracketed(estimate, 1, 1, 180)


def _bracketed(estimate: Estimate, scale: float, digits: int, most: float) -> str:
    if estimate.value is None:
        return UNKNOWN
    text = f"{scale * estimate.value:.{digits}f}"
    if estimate.low is None or estimate.high is None:
        return text
    low, high = max(scale * estimate.low, 0), min(scale * estimate.high, most)
    return f"{text} [{low:.{digits}f}, {high:.{digits}f}]"


def listed(names: Sequence[str]) -> str:
    """Names in a sentence: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last
