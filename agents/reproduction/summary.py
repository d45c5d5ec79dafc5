"""What the rows of a figure say: line by line, published beside ours, and which goals are reached.

Accuracies and errors are in %, in the figure's unit.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from agents.comparison import statistics
from agents.comparison.statistics import MIN_SEEDS, Estimate, Ratio
from agents.presets.figure import LEFT, Figure, Goal, Line
from agents.reproduction.results import Record, Row


@dataclass(frozen=True)
class Shown:
    """One line of a figure."""

    line: Line
    ours: dict[str, list[float]]
    """By protocol: every seed, in the figure's unit."""
    diverged: int
    stops: list[float | None]
    """Epochs to early stopping, by seed."""
    stop_ratio: Ratio
    rise_ratio: Ratio
    hit_ratio: Ratio
    """How many times as long as the reference: to the stop, to the last rise before it, and by
    our own count."""
    measured: dict[str, list[float]]


@dataclass(frozen=True)
class Verdict:
    """What became of a goal; None: not to be said of a quick figure, or of so few seeds."""

    goal: str
    reached: bool | None


def summarise(figure: Figure, record: Record) -> list[Shown]:
    """A line for each of the figure's that was run."""
    ran = {row["line"] for row in record.rows}
    return [_shown(figure, line, record.rows) for line in figure.lines if line.name in ran]


def not_run(figure: Figure, record: Record) -> list[str]:
    """The lines of a full figure that are still to be run; a quick one leaves long ones out."""
    ran = {row["line"] for row in record.rows}
    return [line.name for line in figure.lines if not (record.quick or line.name in ran)]


def _shown(figure: Figure, line: Line, rows: Sequence[Row]) -> Shown:
    own = [row for row in rows if row["line"] == line.name]
    reference = [row for row in rows if row["line"] == figure.reference]
    stops, hits = (_by_seed(own, *what) for what in (("stop", "published"), ("hit", "own")))
    reference_stops = _by_seed(reference, "stop", "published")
    reference_hits = _by_seed(reference, "hit", "own")
    horizon = statistics.censoring_horizon(list(reference_hits.values()), _last_seen(reference))
    return Shown(
        line,
        {protocol: _values(figure, own, protocol) for protocol in figure.protocols},
        sum(row["diverged"] is not None for row in own),
        list(stops.values()),
        _ratio(stops, reference_stops, figure.epochs),
        # A run that did not stop may have risen for the last time so long before its end.
        _ratio(
            _rises(figure, stops), _rises(figure, reference_stops), figure.epochs - figure.patience
        ),
        _ratio(hits, reference_hits, horizon),
        _measured(own),
    )


def _last_seen(rows: Sequence[Row]) -> float:
    """Trials after which no hit is seen any more: readings are one an epoch, or more."""
    own = [row for row in rows if row["protocol"] == "own"]
    return max((row["budget"] * max(1 - 2 / row["epochs"], 0) for row in own), default=0)


def _by_seed(rows: Sequence[Row], what: str, protocol: str) -> dict[int, float | None]:
    return {row["seed"]: row.get(what) for row in rows if row["protocol"] == protocol}


def _rises(figure: Figure, stops: dict[int, float | None]) -> dict[int, float | None]:
    return {seed: stop and stop - figure.patience for seed, stop in stops.items()}


def _ratio(
    times: dict[int, float | None], reference: dict[int, float | None], horizon: float
) -> Ratio:
    seeds = [seed for seed in times if seed in reference]
    pairs = [times[seed] for seed in seeds], [reference[seed] for seed in seeds]
    known = any(time is not None for time in (*pairs[0], *pairs[1]))
    return statistics.ratio(*pairs, horizon) if known else Ratio(None)


def _values(figure: Figure, rows: Sequence[Row], protocol: str) -> list[float]:
    chosen = sorted((r for r in rows if r["protocol"] == protocol), key=lambda r: r["seed"])
    return [_in_unit(figure, row) for row in chosen]


def _in_unit(figure: Figure, row: Row) -> float:
    """What a run reached, as the figure has it."""
    if figure.unit == LEFT:
        return 100 * row["left"]
    return 100 * (row["accuracy"] if figure.unit == "accuracy" else 1 - row["accuracy"])


def _measured(rows: Sequence[Row]) -> dict[str, list[float]]:
    names = dict.fromkeys(name for row in rows for name in row["measured"])
    return {n: [row["measured"][n] for row in rows if n in row["measured"]] for n in names}


def interval(values: Sequence[float]) -> Estimate:
    """Mean of the seeds and its interval, which fewer than 5 seeds have not."""
    return statistics.mean_interval(values)


def verdicts(figure: Figure, record: Record, lines: Sequence[Shown]) -> list[Verdict]:
    """Which goals are reached, by the means of the figure's first protocol."""
    ours = {shown.line.name: shown.ours[figure.protocols[0]] for shown in lines}
    return [
        Verdict(say(figure, goal), None if record.quick else _reached(figure, goal, ours))
        for goal in figure.goals
    ]


def _reached(figure: Figure, goal: Goal, ours: dict[str, list[float]]) -> bool | None:
    """Of each line's mean over its seeds."""
    own, other = ours.get(goal.line, []), ours.get(goal.of, [])
    if len(own) < MIN_SEEDS or (goal.of and len(other) < MIN_SEEDS):
        return None
    sign = 1 if figure.unit == "accuracy" else -1
    mean = fmean(own)
    if goal.kind == "bound":
        return sign * (mean - goal.points) >= 0
    if goal.kind == "above":
        return _above(sign * (mean - fmean(other)), goal.points)
    published = figure.line(goal.line).published
    target = fmean(other) if goal.kind == "near" else published and published.value
    assert target is not None, f"{figure.name} has no published number for {goal.line}"
    return abs(mean - target) <= goal.points


def _above(difference: float, points: float) -> bool:
    return difference >= points if points else difference > 0


def say(figure: Figure, goal: Goal) -> str:
    """A goal in words."""
    better = "above" if figure.unit == "accuracy" else "below"
    if goal.kind == "bound":
        sign = ">=" if figure.unit == "accuracy" else "<="
        return f"{goal.line} {sign} {goal.points:g}"
    if goal.kind == "published":
        return f"{goal.line} within {goal.points:g} of published"
    if goal.kind == "near":
        return f"{goal.line} within {goal.points:g} of {goal.of}"
    by = f" by {goal.points:g}" if goal.points else ""
    return f"{goal.line} {better} {goal.of}{by}"
