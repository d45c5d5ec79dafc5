"""How the variance left falls: each line's runs, their mean and its interval."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from matplotlib.ticker import EngFormatter

from agents.comparison.picture import COLOURS, LEVEL_COLOUR
from agents.presets.figure import Figure
from agents.reproduction.results import Record, Row
from agents.reproduction.summary import interval

MEAN_IMAGE = 100  # % of the variance that it leaves
MOST = 140  # % that are shown: a net may do worse than the mean image


def sentences() -> list[str]:
    """What the numbers are."""
    return [
        "Variance left: |x - output|^2 of the test images, over that of their mean image (100 %: "
        "chance), where validation was best."
    ]


def draw(figure: Figure, record: Record, path: Path) -> None:
    """Write a PNG: thin, each seed; thick, their mean; shaded, its interval."""
    picture = Picture(figsize=(8, 4.6), dpi=150)
    FigureCanvasAgg(picture)
    axes = picture.subplots()
    for line, colour in zip(figure.lines, COLOURS.values(), strict=False):
        rows = [row for row in record.rows if row["line"] == line.name]
        _curve(axes, line.name, rows, colour)
    axes.axhline(MEAN_IMAGE, color=LEVEL_COLOUR, lw=1, ls=":")
    axes.text(0.01, MEAN_IMAGE - 1, "the mean image", color=LEVEL_COLOUR, fontsize=9, va="top",
              transform=axes.get_yaxis_transform())  # fmt: skip
    _scales(axes)
    quick = "   QUICK: one seed" if record.quick else ""
    axes.set_title(f"{figure.about}{quick}", loc="left", fontweight="bold", fontsize=11)
    picture.tight_layout()
    picture.savefig(path)


def _curve(axes: Axes, name: str, rows: Sequence[Row], colour: str) -> None:
    """One line's runs. One that diverged ends early, and counts as the mean image from there on."""
    trials = max((row["trials"] for row in rows), key=len)
    if not trials:
        return  # all diverged before their first reading
    curves = np.full((len(rows), len(trials)), float(MEAN_IMAGE))  # (seeds, points)
    for curve, row in zip(curves, rows, strict=True):
        curve[: len(row["curve"])] = 100 * np.array(row["curve"])
        axes.plot(trials, curve, color=colour, lw=0.7, alpha=0.4)
    estimates = [interval(list(values)) for values in curves.T]
    axes.plot(trials, curves.mean(0), color=colour, lw=2.2, label=name)
    bands = np.array([(e.low, e.high) for e in estimates if e.low is not None], dtype=float)
    if len(bands):
        axes.fill_between(trials, *bands.T, color=colour, alpha=0.15, lw=0)


def _scales(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_ylim(top=MOST)
    axes.set_xlabel("images seen (in the table each run counts where it is lowest)")
    axes.set_ylabel("variance left on validation, %")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
