"""Trials to a criterion against width and depth: each rule at its best rate, a line in logs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import inf, log, nan
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Picture
from scipy import stats

from agents.comparison.statistics import CONFIDENCE, MIN_SEEDS, Estimate, median_time
from agents.presets.figure import Figure
from agents.presets.ours import DEPTHS, WIDTHS
from agents.reproduction.results import Record

REFERENCE = "backprop"
SERIES = {"width": WIDTHS, "depth": DEPTHS}


@dataclass(frozen=True)
class Curve:
    """Trials of one rule over the sizes of one series, at each size's best rate."""

    rule: str
    series: str
    sizes: list[int]
    trials: list[list[float | None]]
    """Of each size, by seed; None: not reached."""
    slope: Estimate
    """Of log trials over log size: by which power the trials grow. No interval under 5 seeds."""
    relative: Estimate
    """The same of trials divided by backprop's at that size."""


def curves(figure: Figure, record: Record) -> list[Curve]:
    """Every rule over width and over depth."""
    rules = dict.fromkeys(line.settings.rule.name for line in figure.lines)
    return [_curve(figure, record, rule, series) for rule in rules for series in SERIES]


def _curve(figure: Figure, record: Record, rule: str, series: str) -> Curve:
    measured = _measured(figure, record, rule, series)
    backprop = _measured(figure, record, REFERENCE, series)
    relative = {size: _divided(times, backprop[size]) for size, times in measured.items()}
    return Curve(
        rule, series, list(measured), list(measured.values()), slope(measured), slope(relative)
    )


def _measured(
    figure: Figure, record: Record, rule: str, series: str
) -> dict[int, list[float | None]]:
    found = {sizes: _best(figure, record, rule, sizes) for sizes in SERIES[series]}
    return {_size(series, sizes): times for sizes, times in found.items() if times}


def _divided(times: Sequence[float | None], others: Sequence[float | None]) -> list[float | None]:
    pairs = zip(times, others, strict=True)
    return [a / b if a is not None and b is not None else None for a, b in pairs]


def _size(series: str, sizes: tuple[int, ...]) -> int:
    return sizes[0] if series == "width" else len(sizes)


def _best(figure: Figure, record: Record, rule: str, sizes: tuple[int, ...]) -> list[float | None]:
    """Trials by seed at the rate that lets most seeds get there, of such the soonest in median."""
    lines = {
        line.name for line in figure.lines
        if line.settings.rule.name == rule and line.settings.sizes == sizes
    }  # fmt: skip
    rows = sorted(
        (row for row in record.rows if row["line"] in lines),
        key=lambda row: (row["line"], row["seed"]),
    )
    by_rate = [[r["hit"] for r in group] for _, group in groupby(rows, lambda row: row["line"])]
    return min(by_rate, key=_merit, default=[])


def _merit(times: Sequence[float | None]) -> tuple[int, float]:
    return times.count(None), median_time(times) or inf


def slope(trials: dict[int, list[float | None]]) -> Estimate:
    """Of all seeds that reached the criterion; None where fewer than two sizes were reached."""
    points = [
        (log(size), log(time))
        for size, times in trials.items()
        for time in times
        if time is not None
    ]
    if len({x for x, _ in points}) < 2:
        return Estimate(None)
    fit: Any = stats.linregress(*np.array(points).T)
    whole = all(time is not None for times in trials.values() for time in times)
    if not whole or min(map(len, trials.values())) < MIN_SEEDS:
        return Estimate(fit.slope)
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(points) - 2)) * fit.stderr
    return Estimate(fit.slope, fit.slope - half, fit.slope + half, CONFIDENCE)


def sentences(figure: Figure, record: Record) -> list[str]:
    """The slopes in words."""
    return [f"{curve.rule}, {curve.series}: {_said(curve)}" for curve in curves(figure, record)]


def _said(curve: Curve) -> str:
    times = [median_time(seeds) for seeds in curve.trials]
    reached = ", ".join(
        f"{size}: {'not reached' if time is None else f'{time:,.0f}'}"
        for size, time in zip(curve.sizes, times, strict=True)
    )
    beside = "" if curve.rule == REFERENCE else f", {_power(curve.relative)} beside backprop's"
    return f"trials grow by the {_power(curve.slope)}{beside} ({reached})"


def _power(slope: Estimate) -> str:
    if slope.value is None:
        return "power -"
    interval = "" if slope.low is None else f" [{slope.low:.2f}, {slope.high:.2f}]"
    return f"power {slope.value:.2f}{interval}"


def draw(figure: Figure, record: Record, path: Path) -> None:
    """Write a PNG: trials against width and against depth, every seed and the median.

    A cross on top: that size was not reached.
    """
    picture = Picture(figsize=(10, 4), dpi=150)
    FigureCanvasAgg(picture)
    all_curves = curves(figure, record)
    panels = picture.subplots(1, 2, sharey=True)
    for axes, series in zip(panels, SERIES, strict=True):
        _scales(axes, series)
        _panel(axes, [curve for curve in all_curves if curve.series == series])
    lines = panels[0].get_legend_handles_labels()
    picture.legend(*lines, loc="lower center", ncols=len(lines[0]), frameon=False)
    quick = "   QUICK: one seed" if record.quick else ""
    title = f"Trials to {100 * figure.level:g} % on the digits{quick}"
    picture.suptitle(title, x=0.01, ha="left", fontweight="bold")
    picture.tight_layout(rect=(0, 0.07, 1, 1))  # the legend's room
    picture.savefig(path)


def _scales(axes: Axes, series: str) -> None:
    axes.set_xscale("log", base=2)
    sizes = [_size(series, sizes) for sizes in SERIES[series]]
    axes.set_xticks(sizes, list(map(str, sizes)))
    axes.set_yscale("log")
    axes.set_xlabel({"width": "units in each of two layers", "depth": "layers of 32 units"}[series])
    axes.set_ylabel("trials")


def _panel(axes: Axes, shown: Sequence[Curve]) -> None:
    for number, curve in enumerate(shown):
        colour, label = f"C{number}", curve.rule.replace("_", " ")
        medians = [median_time(times) for times in curve.trials]
        heights = [nan if median is None else median for median in medians]  # nan breaks the line
        axes.plot(curve.sizes, heights, "o-", color=colour, label=label)
        for size, times, median in zip(curve.sizes, curve.trials, medians, strict=True):
            known = [time for time in times if time is not None]
            axes.plot([size] * len(known), known, ".", color=colour, alpha=0.4)
            if median is None:
                axes.plot(
                    size, 0.98, "x", color=colour, mew=2, transform=axes.get_xaxis_transform()
                )
