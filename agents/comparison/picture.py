"""The comparison as a picture: every seed's learning curve, and each agent's mean."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

if TYPE_CHECKING:
    from agents.runs.job import Result

# Okabe and Ito's palette, told apart by the colour-blind, and four more; an agent keeps its own.
COLOURS = {
    "supervised": "#222222",
    "q_agrel": "#0072B2",
    "reinforce": "#D55E00",
    "learned_feedback": "#009E73",
    "readout_only": "#8C8C8C",
    "agrel": "#CC79A7",
    "brainprop": "#56B4E9",
    "lansdell": "#E69F00",
    "supervised_mse": "#6A51A3",
    "reward_prediction+kolen_pollack": "#C9A400",
    "reward_prediction+feedback_alignment": "#7A4B1E",
    "reward_prediction+readout_only": "#BDBDBD",
}
LEVEL_COLOUR = "#555555"
TICKS = (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
LEAST_ERROR = 2e-3  # smaller errors are drawn as this one: the log of none is infinite
TEXT_HEIGHT = 0.05  # of a line of text, as a part of the axes' height
TEXT_WIDTH = 0.0103  # of a letter, as a part of the figure's width


def draw(
    results: Sequence["Result"], title: str, chance: float, criterion: float | None, path: Path
) -> None:
    """Write a PNG, 1200 px wide: validation accuracy (0..1) by trials, one colour an agent.

    Thin: every seed, with an x where it diverged. Thick: the mean, to which a diverged run adds
    chance. Dashed: `criterion`, the accuracy that counts as learned; dotted: `chance`.
    """
    figure = Figure(figsize=(8, 4.6), dpi=150)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    labels = []  # (text, accuracy at the end, colour)
    for agent, colour in colours_of(list(dict.fromkeys(run.agent for run in results))).items():
        end = _curves(axes, [run for run in results if run.agent == agent], chance, colour)
        name, plus, rest = agent.partition("+")
        text = f"{name}  {100 * end:.1f}" + (f"\n{plus}{rest}" if plus else "")
        labels.append((text, end, colour))
    labels += _levels(axes, chance, criterion)
    _scales(axes, max(chance - 0.08, 0), max(level for _, level, _ in labels))
    longest = max(len(line) for text, _, _ in labels for line in text.split("\n"))
    axes.set_position((0.09, 0.115, 0.885 - TEXT_WIDTH * longest, 0.785))
    _name_ends(axes, labels)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", pad=10)
    key = "thin: a seed   thick: their mean   x: diverged"
    axes.set_title(key, loc="right", fontsize=8, color=LEVEL_COLOUR, pad=10)
    figure.savefig(path)


def colours_of(agents: Sequence[str]) -> dict[str, str]:
    """A colour for each: its own for a well-known agent, one of those left for another."""
    left = [colour for agent, colour in COLOURS.items() if agent not in agents] or [LEVEL_COLOUR]
    others = [agent for agent in agents if agent not in COLOURS]
    spare = {agent: left[i % len(left)] for i, agent in enumerate(others)}
    return {agent: COLOURS.get(agent) or spare[agent] for agent in agents}


def _curves(axes: Axes, runs: Sequence["Result"], chance: float, colour: str) -> float:
    """Draw one agent's runs; return its mean accuracy at the end."""
    trials = max((run.trials for run in runs), key=len)
    full = np.full((len(runs), len(trials)), chance)  # (seeds, points)
    for accuracies, run in zip(full, runs, strict=True):
        accuracies[: len(run.validation)] = run.validation
        axes.plot(run.trials, _drawable(run.validation), color=colour, lw=0.7, alpha=0.35)
        if run.diverged is not None:
            last = run.validation[-1] if run.validation else chance
            axes.plot(max(run.diverged, 1), last, "x", color=colour, ms=7, mew=2, zorder=4)
    mean = full.mean(0)
    axes.plot(trials, _drawable(mean), color=colour, lw=2.2, solid_capstyle="round", zorder=3)
    return float(mean[-1]) if len(mean) else chance


def _levels(axes: Axes, chance: float, criterion: float | None) -> list[tuple[str, float, str]]:
    """Draw the accuracies that nothing depends on; return their labels."""
    levels = [("chance", chance, ":")]
    if criterion is not None:
        levels.append(("criterion", criterion, "--"))
    for _, level, style in levels:
        axes.axhline(level, color=LEVEL_COLOUR, lw=1, ls=style, zorder=2)
    return [(f"{name}  {100 * level:.1f}", level, LEVEL_COLOUR) for name, level, _ in levels]


def _scales(axes: Axes, low: float, best: float) -> None:
    """Log trials; accuracy by the log of the error, so that the best are told apart."""
    rise = _height(_drawable(best)) - _height(low)
    high = float(_accuracy_at(_height(low) + 1.12 * rise))
    axes.set_xscale("log")
    axes.margins(x=0.02)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_yscale("function", functions=(_height, _accuracy_at))
    axes.set_ylim(low, high)
    axes.set_yticks(_ticks(low, high))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda accuracy, _: f"{100 * accuracy:.3g} %"))
    axes.set_xlabel("trials (images seen)")
    axes.set_ylabel("validation accuracy (log scale of the error)")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color="#E6E6E6", lw=0.8)
    axes.set_axisbelow(True)


def _height(accuracy: ArrayLike) -> NDArray[np.float64]:
    return -np.log(np.maximum(1 - np.asarray(accuracy), 1e-9))  # matplotlib asks for that of 1


def _accuracy_at(height: ArrayLike) -> NDArray[np.float64]:
    return 1 - np.exp(-np.asarray(height))


def _drawable(accuracy: ArrayLike) -> NDArray[np.float64]:
    return np.minimum(accuracy, 1 - LEAST_ERROR)


def _ticks(low: float, high: float) -> list[float]:
    """From the top down, those that leave room for the text of the one above."""
    room = TEXT_HEIGHT * (_height(high) - _height(low))
    kept = []
    for tick in reversed([tick for tick in TICKS if low <= tick <= high]):
        if not kept or _height(kept[-1]) - _height(tick) > room:
            kept.append(tick)
    return kept


def _name_ends(axes: Axes, labels: Sequence[tuple[str, float, str]]) -> None:
    """Name the lines at their ends, best on top, pushed down where they would overlap."""
    low, high = (_height(limit) for limit in axes.get_ylim())
    ceiling = 1.05  # of the next label, in parts of the axes' height
    for text, accuracy, colour in sorted(labels, key=lambda label: -label[1]):
        end = float((_height(_drawable(accuracy)) - low) / (high - low))
        half = TEXT_HEIGHT * (1 + text.count("\n")) / 2
        place = min(end, ceiling - half)
        ceiling = place - half
        axes.plot(
            (1.005, 1.03), (end, place), transform=axes.transAxes, color=colour, lw=0.9,
            clip_on=False,
        )  # fmt: skip
        axes.text(
            1.037, place, text, transform=axes.transAxes, color=colour, va="center", fontsize=9,
            fontweight="normal" if colour == LEVEL_COLOUR else "bold", linespacing=1.1,
        )  # fmt: skip
