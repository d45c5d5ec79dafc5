"""Figures of what changes over trials: validation accuracy, and the angle to backprop.

Few agents stand in one chart, each named at its line's end. Many stand in small charts side by
side, one per credit rule, all on one scale, with a colour per signal.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agents.comparison.statistics import MIN_SEEDS, Estimate
from agents.comparison.task import SUPERVISED
from agents.report.axes import Measure, accuracy, angle
from agents.report.chart import Chart, Line, Paper, chart
from agents.report.gather import Entry
from agents.report.lines import COLOURS, angle_line, colour_of, coloured, in_order, learning_line
from agents.report.tables import Table, degrees, percent

WIDE = Paper(880, 440, left=56, right=262, labelled=True)
NARROW = Paper(360, 330, left=46, right=14)
SMALL = Paper(180, 150, left=38, right=8, top=26, bottom=24, apart=30)


@dataclass(frozen=True)
class Curves:
    """A figure: one chart for wide paper and the same for narrow, or many small ones."""

    title: str
    caption: str
    wide: Chart | None
    narrow: Chart | None
    small: tuple[Chart, ...]
    key: tuple[tuple[str, str], ...]  # colour, name
    table: Table


def learning(entries: Sequence[Entry], chance: float, level: float | None) -> Curves | str:
    """Validation accuracy over trials, or in a sentence why there is no curve."""
    lines = [learning_line(entry, colour, chance) for entry, colour in coloured(entries)]
    lines = [line for line in lines if line.trials]
    if max((len(line.trials) for line in lines), default=0) < 2:
        return "Validation was read only once in these runs: there is no curve to show."
    lasts = [line.last for line in lines if line.last is not None]
    levels = {"chance": chance} | ({} if level is None else {"criterion": level})
    least = min(value for line in lines for seed in line.seeds for _, value in seed)
    measure = accuracy(min(least, chance), max(*lasts, *levels.values()), levels)
    caption = (
        f"Mean over seeds; {_band(lines)} Thin lines: single seeds; ×: a run diverged, and counts "
        "as chance from there on. The scale is logarithmic in the error."
    )
    beside = [line.faint() for line in lines if line.name == SUPERVISED]
    return _figure("Learning curves", caption, entries, lines, measure, percent, beside)


def angles(entries: Sequence[Entry]) -> Curves | str:
    """Degrees between a rule's weight changes and backprop's over trials, or why there are none."""
    lines = [angle_line(entry, colour) for entry, colour in coloured(entries)]
    lines = [line for line in lines if line.trials]
    if max((len(line.trials) for line in lines), default=0) < 2:
        return ""
    most = max(value for line in lines for seed in line.seeds for _, value in seed)
    caption = (
        "Angle between what a rule makes the hidden layers' weights do and what backprop would, "
        f"0° being backprop itself and 90° nothing in common. Mean over seeds; {_band(lines)}"
    )
    return _figure("Angle to backprop", caption, entries, lines, angle(most), degrees)


def _band(lines: Sequence[Line]) -> str:
    fewest, most = (pick(len(line.seeds) for line in lines) for pick in (min, max))
    band = "band: 95 % Student t interval"
    if fewest >= MIN_SEEDS:
        return f"{band}."
    if most < MIN_SEEDS:
        return f"no band: under {MIN_SEEDS} seeds there is no interval."
    return f"{band}, where there are {MIN_SEEDS} seeds or more."


def _figure(
    title: str, caption: str, entries: Sequence[Entry], lines: Sequence[Line], measure: Measure,
    text: Callable[[Estimate], str], beside: Sequence[Line] = (),
) -> Curves:  # fmt: skip
    """One chart, or many small ones, in each of which the lines `beside` stand too."""
    table = _table(title, lines, text)
    if len(entries) > len(COLOURS):
        caption += "".join(f" Dashed in each: {line.name}." for line in beside)
        cells = {entry.name: entry.cell for entry in entries}
        small = _small(title, lines, measure, cells, beside)
        key = tuple((colour_of(signal), signal) for signal in in_order(cells.values()))
        return Curves(title, caption, None, None, small, key, table)
    ordered = sorted(lines, key=lambda line: -(line.last or 0))
    key = tuple((line.colour, f"{line.name} {measure.text(line.last or 0)}") for line in ordered)
    alt = _alt(title, ordered, measure)
    wide, narrow = (chart(lines, measure, paper, _span(lines), alt) for paper in (WIDE, NARROW))
    return Curves(title, caption, wide, narrow, (), key, table)


def _small(
    title: str, lines: Sequence[Line], measure: Measure, cells: Mapping[str, tuple[str, str]],
    beside: Sequence[Line],
) -> tuple[Chart, ...]:  # fmt: skip
    """A chart for each credit rule."""
    rules = sorted({cells[line.name][1] for line in lines})
    panels = {rule: [line for line in lines if cells[line.name][1] == rule] for rule in rules}
    span = _span(lines)
    return tuple(
        chart([*beside, *panel], measure, SMALL, span, _alt(f"{title}, {rule}", panel, measure),
              rule.replace("_", " "))
        for rule, panel in panels.items()
    )  # fmt: skip


def _span(lines: Sequence[Line]) -> tuple[int, int]:
    trials = [at for line in lines for at in line.trials]
    return min(trials), max(trials)


def _alt(title: str, lines: Sequence[Line], measure: Measure) -> str:
    ends = [f"{line.name} {measure.text(line.last)}" for line in lines if line.last is not None]
    return f"{title}: {measure.name} over trials. At the end: {', '.join(ends)}."


def _table(title: str, lines: Sequence[Line], text: Callable[[Estimate], str]) -> Table:
    """Trials downwards, an agent a column."""
    by_line = [dict(zip(line.trials, line.means, strict=True)) for line in lines]
    trials = sorted({at for known in by_line for at in known})
    rows = tuple(
        (f"{at:,}", *(text(known.get(at, Estimate(None))) for known in by_line)) for at in trials
    )
    unit = "in %" if text is percent else "in degrees"
    return Table(
        ("trials", *(line.name for line in lines)), rows, f"{title}, {unit}: mean and interval", 0
    )
