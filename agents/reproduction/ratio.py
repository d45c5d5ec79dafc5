"""How many times as long as from labels: all BrainProp figures in one table, by both counts."""

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.presets import FIGURES, RATIO_OF
from agents.reproduction.results import RHO, Record, read
from agents.reproduction.summary import summarise
from agents.reproduction.table import UNKNOWN, ratios, stops_text
from agents.runs.early_stopping import PATIENCE

AGENT = "BrainProp"
PUBLISHED = "BrainProp 1 to 3.5 times, Q-AGREL 1.5 to 2.5 times (abstracts)"


def ratio_rows(records: Sequence[Record]) -> list[tuple[str, ...]]:
    """Of each figure: its name, epochs to the last rise and the stop, and each ratio."""
    rows = []
    for record in records:
        figure = FIGURES[record.figure]
        lines = {shown.line.name: shown for shown in summarise(figure, record)}
        name = f"{figure.name}{' (QUICK)' if record.quick else ''}"
        rows.append((name, stops_text(figure, lines[AGENT]), *ratios(figure, lines[AGENT])))
    return rows


def table(folder: Path, quick: bool) -> Table:
    """The ratio of every BrainProp figure that has rows."""
    shown = Table(title="Times as long as backprop from labels", caption_justify="left")
    shown.box, shown.title_style = SIMPLE_HEAD, "bold"
    counts = ("ratio, to the stop", "to the last rise", "ours")
    for heading in ("figure", "epochs: last rise, stop", *counts):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for row in ratio_rows([read(path) for path in paths(folder, quick)]):
        shown.add_row(*row)
    shown.caption = (
        f"Published: {PUBLISHED}. Their code stops when test accuracy has not risen for {PATIENCE} "
        f"epochs ({UNKNOWN}: too few epochs for it); no source at hand says whether the published "
        "epochs have this wait in them, which is the same for both and draws their ratio to 1. "
        f"Ours: trials until validation stays {100 * RHO:g} % of the way from chance to backprop's "
        "last accuracy."
    )
    return shown


def paths(folder: Path, quick: bool) -> list[Path]:
    """The records there are of the BrainProp figures."""
    end = ".quick.json" if quick else ".json"
    return [path for name in RATIO_OF if (path := folder / f"{name}{end}").exists()]
