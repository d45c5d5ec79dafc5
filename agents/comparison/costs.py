"""What the figures cost, and the papers' own count of epochs, as a table for the terminal."""

from collections.abc import Sequence

from matplotlib.ticker import EngFormatter
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.comparison.summary import COSTS
from agents.comparison.table import UNKNOWN, interval_kinds, ratio_text
from agents.comparison.task import SUPERVISED, Row
from agents.runs.early_stopping import PATIENCE


def costs(rows: Sequence[Row]) -> Table:
    """One line per agent, 100 columns at most: sums over its runs; epochs over its seeds."""
    shown = Table(box=SIMPLE_HEAD, caption=_caption(rows), caption_justify="left")
    shown.collapse_padding, shown.pad_edge = True, False
    shown.add_column("agent", overflow="fold")
    headings = [cost.replace("_", "\n").replace("presentations", "presen-\ntations")
                for cost in COSTS]  # fmt: skip
    for heading in ("epochs to\nearly stop", "times as long\nas supervised", *headings):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        stop = row["epochs_to_early_stop"]
        median = UNKNOWN if stop["median"] is None else f"{stop['median']:g}"
        ratio = ratio_text(stop["ratio_to_supervised"], row["agent"])
        spent = (_short(row["protocol"][cost]) for cost in COSTS)
        shown.add_row(row["agent"].replace("+", "\n+"), median, ratio, *spent)
    return shown


def _short(cost: float | None) -> str:
    if not cost:
        return UNKNOWN  # nobody counted
    return EngFormatter(places=1, sep=" ")(cost) if cost >= 1 else f"{cost:.2f}"  # no milliseconds


def _caption(rows: Sequence[Row]) -> str:
    if all(row["epochs_to_early_stop"]["median"] is None for row in rows):
        stop = f"Early stop: by {rows[0]['epochs']:g} epochs, the median run of none had stopped"
    else:
        stop = "Early stop: the median run's, waiting included"
    stop = f"{stop} ({PATIENCE} epochs without a rise of validation)"
    others = [row for row in rows if row["agent"] != SUPERVISED]  # whose ratio is 1
    ratios = [row["epochs_to_early_stop"]["ratio_to_supervised"] for row in others]
    if any(ratio["coverage"] and ratio["value"] for ratio in ratios):
        stop += f"; brackets: {interval_kinds(ratios)}"
    return f"{stop}. Costs: all runs together."
