"""The results as a table of 100 columns."""

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.speed.measure import Left, Result


def table(results: Sequence[Result | Left]) -> Table:
    """One line per case: the two sides, the figure with its quartiles, and whether it is met."""
    shown = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False, show_edge=False)
    for heading in ("what", "against"):
        shown.add_column(heading)
    for heading in ("ours", "theirs", "median\n[quartiles]", "target", "met"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for result in results:
        if isinstance(result, Left):
            shown.add_row(result.what, result.against, "-", "-", "-", "-", "no")
        else:
            shown.add_row(*_row(result))
    return shown


def notes(results: Sequence[Result | Left]) -> list[str]:
    """Why cases were left out."""
    return [f"{left.name}: {left.missing}" for left in results if isinstance(left, Left)]


def _row(result: Result) -> list[str]:
    unit = result.figure_unit
    figure = f"{short(result.figure)} {unit}\n[{short(result.low)}, {short(result.high)}]"
    target = "-"
    if result.least is not None:
        target = f">= {short(result.least)}"
    if result.most is not None:
        target = f"<= {short(result.most)}"
    met = {True: "yes", False: "NO", None: "-"}[result.met]
    sides = [f"{short(side)}\n{result.unit}" for side in (result.ours, result.theirs)]
    return [result.what, result.against, *sides, figure, target, met]


def short(number: float) -> str:
    """Three digits, and k or M for thousands and millions."""
    for size, letter in ((1e6, " M"), (1e3, " k")):
        if abs(number) >= 10 * size or (size == 1e6 and abs(number) >= size):
            return f"{number / size:.3g}{letter}"
    return f"{number:.3g}" if abs(number) < 1000 else f"{number:,.0f}"


def heading(told: dict[str, Any]) -> str:
    """Where it was measured, of what `measure.report` tells."""
    device, versions = told["device"], told["versions"]
    words = [
        f"{device['cpu']}, {device['cores']} cores",
        f"{told['threads']} threads",
        told["clock"],
    ]
    words += [device["gpu"]] if device["gpu"] else []
    return ", ".join(words + [f"{name} {number}" for name, number in versions.items() if number])
