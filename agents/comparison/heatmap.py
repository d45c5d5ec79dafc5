"""The grid as a picture: one heat map of test accuracy, one of the angle to backprop."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure
from matplotlib.pyplot import get_cmap

from agents.comparison.statistics import Estimate

INK, FAINT = "#222222", "#777777"
ACCURACIES = Normalize(50, 100)  # %, below is as light as the lowest
ANGLES = Normalize(0, 90)  # degrees


@dataclass(frozen=True)
class Cell:
    """What all seeds of one signal and one credit rule came to."""

    signal: str
    credit: str
    accuracy: Estimate  # on test, 0..1; a diverged run counts as chance
    angle: float | None  # degrees between the rule's weight changes and backprop's, hidden layers
    diverged: int
    carries_credit: bool | None  # beats the control on the same seeds; None: it is the control


def draw(cells: Sequence[Cell], title: str, path: Path) -> None:
    """Write a PNG, 1500 px wide: rows are credit rules, columns signals.

    Bold: the rule beats frozen hidden layers under the same signal (95 % interval of the paired
    difference). An x and a number: so many runs diverged, and count as chance.
    """
    rules = list(dict.fromkeys(cell.credit for cell in cells))
    signals = list(dict.fromkeys(cell.signal for cell in cells))
    figure = Figure(figsize=(10, 1.5 + 0.33 * len(rules)), dpi=150)
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, sharey=True)
    accuracies = {_place(cell): 100 * float(cell.accuracy.value or 0) for cell in cells}
    angles = {_place(cell): cell.angle for cell in cells if cell.angle is not None}
    _panel(left, accuracies, (rules, signals), get_cmap("YlGnBu"), ACCURACIES)
    _panel(right, angles, (rules, signals), get_cmap("YlGnBu_r"), ANGLES)
    for cell in cells:
        _text(left, cell, accuracies, (rules, signals), ACCURACIES)
        _text(right, cell, angles, (rules, signals), ANGLES)
    left.set_yticks(range(len(rules)), [rule.replace("_", " ") for rule in rules], fontsize=9)
    left.set_title("test accuracy, %", fontsize=10, pad=6)
    right.set_title("angle of the weight changes to backprop's, degrees", fontsize=10, pad=6)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12, fontweight="bold")
    key = (
        "bold: beats frozen hidden layers (readout only)   x1: one run diverged (counts as chance)"
    )
    figure.text(0.01, 0.01, key, fontsize=8, color=FAINT)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path)


def _place(cell: Cell) -> tuple[str, str]:
    return cell.credit, cell.signal


def _panel(
    axes: Axes, values: dict[tuple[str, str], float], names: tuple[list[str], list[str]],
    colours: Colormap, scale: Normalize,
) -> None:  # fmt: skip
    """One heat map; what has no value stays white."""
    rules, signals = names
    table = np.array([[values.get((r, s), np.nan) for s in signals] for r in rules])
    axes.imshow(np.ma.masked_invalid(table), cmap=colours, norm=scale, aspect="auto")
    axes.set_xticks(range(len(signals)), [s.replace("_", "\n") for s in signals], fontsize=9)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for line in range(1, len(signals)):
        axes.axvline(line - 0.5, color="white", lw=2)
    for line in range(1, len(rules)):
        axes.axhline(line - 0.5, color="white", lw=2)


def _text(
    axes: Axes, cell: Cell, values: dict[tuple[str, str], float],
    names: tuple[list[str], list[str]], scale: Normalize,
) -> None:  # fmt: skip
    """The cell's figure, in an ink that its ground lets read."""
    value = values.get(_place(cell))
    if value is None:
        return
    accuracy = scale is ACCURACIES
    dark = scale(value) > 0.6 if accuracy else scale(value) < 0.4
    text = f"{value:.1f}" if accuracy else f"{value:.0f}"
    if accuracy and cell.diverged:
        text += f"  x{cell.diverged}"
    rules, signals = names
    axes.text(
        signals.index(cell.signal), rules.index(cell.credit), text, ha="center", va="center",
        fontsize=9, color="white" if dark else INK,
        fontweight="bold" if accuracy and cell.carries_credit else "normal",
    )  # fmt: skip
