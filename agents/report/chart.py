"""From lines over trials to places on paper: paths and labels, in pixels.

Colours are names, which the page's style gives a value by day and one by night.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from agents.comparison.statistics import Estimate
from agents.report.axes import LINE, Axis, Measure, log_ticks, short, with_room

LONGEST = 25  # letters in a line of a label

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One agent's values over trials."""

    name: str
    colour: str
    trials: tuple[int, ...]
    means: tuple[Estimate, ...]
    seeds: tuple[tuple[Point, ...], ...]
    crosses: tuple[Point, ...] = ()  # where a run diverged

    @property
    def last(self) -> float | None:
        """The last mean that is known."""
        return next((e.value for e in reversed(self.means) if e.value is not None), None)

    def faint(self) -> "Line":
        """Its mean alone, for comparison."""
        means = tuple(Estimate(mean.value) for mean in self.means)
        return Line(self.name, "faint", self.trials, means, ())


@dataclass(frozen=True)
class Paper:
    """A chart's size and margins, in pixels."""

    width: int
    height: int
    left: int
    right: int
    top: int = 14
    bottom: int = 42
    apart: int = 44  # from one tick of trials to the next, at least
    labelled: bool = False  # lines are named at their ends


@dataclass(frozen=True)
class Drawn:
    """A line on paper."""

    colour: str
    mean: str
    band: str
    seeds: tuple[str, ...]
    crosses: tuple[Point, ...]


@dataclass(frozen=True)
class Label:
    """A line's name, and the height of the line's end, to which another line leads."""

    colour: str
    text: tuple[str, ...]
    end: float
    place: float


@dataclass(frozen=True)
class Chart:
    """All that the template draws."""

    paper: Paper
    title: str
    alt: str
    y_name: str
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    levels: tuple[tuple[float, str], ...]
    lines: tuple[Drawn, ...]
    labels: tuple[Label, ...]


def chart(
    lines: Sequence[Line], measure: Measure, paper: Paper, span: tuple[int, int], alt: str,
    title: str = "",
) -> Chart:  # fmt: skip
    """Place the lines of one chart, whose trials `span` limits."""
    x = Axis(*span, paper.left, paper.width - paper.right, math.log)
    y = Axis(measure.low, measure.high, paper.height - paper.bottom, paper.top, measure.bend)
    return Chart(
        paper, _cut(title, 30), alt, measure.name,
        tuple((x(tick), short(tick)) for tick in log_ticks(x, paper.apart)),
        tuple((y(tick), measure.tick(tick)) for tick in with_room(measure.ticks, y)),
        tuple((y(level), name) for name, level in measure.levels.items()),
        tuple(_drawn(line, x, y) for line in lines),
        _labels(lines, measure, y) if paper.labelled else (),
    )  # fmt: skip


def _drawn(line: Line, x: Axis, y: Axis) -> Drawn:
    points = list(zip(line.trials, line.means, strict=True))
    up = [(at, e.high) for at, e in points if e.high is not None]
    down = [(at, e.low) for at, e in points if e.low is not None]
    return Drawn(
        line.colour,
        _path([(at, e.value) for at, e in points if e.value is not None], x, y),
        _path([*up, *reversed(down)], x, y) + "Z" if len(up) > 1 else "",
        tuple(_path(seed, x, y) for seed in line.seeds),
        tuple((x(at), y(value)) for at, value in line.crosses),
    )


def _path(points: Iterable[Point], x: Axis, y: Axis) -> str:
    places = [f"{x(at):g} {y(value):g}" for at, value in points]
    return f"M{'L'.join(places)}" if places else ""


def _labels(lines: Sequence[Line], measure: Measure, y: Axis) -> tuple[Label, ...]:
    """Names in the order of the ends, pushed down, then up, where they would overlap."""
    known = [(line.last, line) for line in lines if line.last is not None]
    known.sort(key=lambda pair: -pair[0])
    texts = [_text(line.name, measure.text(last)) for last, line in known]
    halves = [LINE * len(text) / 2 for text in texts]
    places = [y(last) for last, _ in known]
    edge = -math.inf
    for i, half in enumerate(halves):
        places[i] = max(places[i], edge + half)
        edge = places[i] + half
    edge = y.start + LINE
    for i in reversed(range(len(places))):
        places[i] = min(places[i], edge - halves[i])
        edge = places[i] - halves[i]
    return tuple(
        Label(line.colour, text, y(last), round(place, 1))
        for (last, line), text, place in zip(known, texts, places, strict=True)
    )


def _text(name: str, value: str) -> tuple[str, ...]:
    """A name and its last value; a cell's "+" begins a second line."""
    first, plus, second = name.partition("+")
    lines = [_cut(part) for part in (first, plus + second) if part]
    return (*lines[:-1], f"{lines[-1]}  {value}")


def _cut(text: str, longest: int = LONGEST) -> str:
    """Without its middle if it is too long: agents of one name differ at the end."""
    half = (longest - 1) // 2
    return text if len(text) <= longest else f"{text[:half]}…{text[-half:]}"
