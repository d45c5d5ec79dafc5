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


def ratio_rows(records: Sequence[Record]) -> list[tuple[str, str, str, str]]:
    """Of each figure: its name, epochs to early stopping, and the ratio by both counts."""
    rows = []
    for record in records:
        figure = FIGURES[record.figure]
        lines = {shown.line.name: shown for shown in summarise(figure, record)}
        name = f"{figure.name}{' (QUICK)' if record.quick else ''}"
        rows.append((name, stops_text(lines[AGENT]), *ratios(figure, lines[AGENT])))
    return rows


def table(folder: Path, quick: bool) -> Table:
    """The ratio of every BrainProp figure that has rows."""
    shown = Table(title="Times as long as backprop from labels", caption_justify="left")
    shown.box, shown.title_style = SIMPLE_HEAD, "bold"
    for heading in ("figure", "epochs to early stop", "ratio, their count", "ratio, ours"):
        shown.add_column(heading, justify="left" if heading == "figure" else "right")
    for row in ratio_rows([read(path) for path in paths(folder, quick)]):
        shown.add_row(*row)
    shown.caption = (
        f"Published: {PUBLISHED}, by epochs to early stopping with patience {PATIENCE} on the test "
        f"images, the wait itself counted ({UNKNOWN}: too few epochs for it). Ours: trials until "
        f"validation stays {100 * RHO:g} % of the way from chance to backprop's last accuracy. The "
        "wait, the same for both, draws the first count towards 1."
    )
    return shown


def paths(folder: Path, quick: bool) -> list[Path]:
    """The records there are of the BrainProp figures."""
    end = ".quick.json" if quick else ".json"
    return [path for name in RATIO_OF if (path := folder / f"{name}{end}").exists()]
