"""The grid of signals and credit rules as heat maps: test accuracy, and the angle to backprop."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agents.comparison.grid import summarise
from agents.comparison.heatmap import Cell
from agents.comparison.statistics import Estimate
from agents.report.gather import Entry
from agents.report.lines import in_order
from agents.report.tables import UNKNOWN, Table, degrees, percent
from agents.settings import Settings

SIGNALS, RULES = 2, 3  # less is no grid, nor is one that is half empty
NAMES, COLUMN, ROW, TOP = 176, 66, 24, 40  # pixels
DARK = 0.5  # shades from which on the text is light


@dataclass(frozen=True)
class Square:
    """A cell on paper."""

    x: int
    y: int
    shade: float  # 0..1
    text: str
    bold: bool
    on_dark: bool


@dataclass(frozen=True)
class Map:
    """One heat map."""

    title: str
    alt: str
    width: int
    height: int
    columns: tuple[tuple[int, tuple[str, ...]], ...]  # pixels, lines of text
    rows: tuple[tuple[int, str], ...]
    squares: tuple[Square, ...]


@dataclass(frozen=True)
class Heat:
    """The figure."""

    maps: tuple[Map, ...]
    caption: str
    table: Table


def heat(entries: Sequence[Entry]) -> Heat | None:
    """Heat maps of the cells that finished, or None if they are no grid."""
    cells = _cells(entries)
    signals = in_order((cell.signal, cell.credit) for cell in cells)
    rules = sorted({cell.credit for cell in cells})
    small = len(signals) < SIGNALS or len(rules) < RULES
    if small or 2 * len(cells) <= len(signals) * len(rules):
        return None
    lowest = min(cell.accuracy.value or 0 for cell in cells)
    highest = max(cell.accuracy.value or 0 for cell in cells)
    rise = max(highest - lowest, 0.01)
    maps = [_map(
        "test accuracy, %", cells, signals, rules,
        lambda cell: cell.accuracy.value and 100 * cell.accuracy.value,
        lambda value: (value / 100 - lowest) / rise,
    )]  # fmt: skip
    if any(cell.angle is not None for cell in cells):
        maps.append(_map(
            "angle to backprop, °", cells, signals, rules,
            lambda cell: cell.angle, lambda value: 1 - min(value, 90) / 90,
        ))  # fmt: skip
    return Heat(tuple(maps), _caption(cells), _table(cells))


def _cells(entries: Sequence[Entry]) -> list[Cell]:
    """One cell for each pair of a signal and a rule; of a search's many, none."""
    settings: dict[str, Settings] = {}
    for entry in entries:
        try:
            settings[entry.name] = Settings.from_dict(entry.config["settings"])
        except (KeyError, TypeError, ValueError):  # a rule or a class of the user's own
            continue
    by_name = {entry.name: list(entry.results) for entry in entries if entry.name in settings}
    cells = summarise(settings, by_name)
    once = len({(cell.signal, cell.credit) for cell in cells}) == len(cells)
    return cells if once else []


def _map(
    title: str, cells: Sequence[Cell], signals: list[str], rules: list[str],
    value_of: Callable[[Cell], float | None], shade_of: Callable[[float], float],
) -> Map:  # fmt: skip
    squares = []
    told = []
    accuracy = title.startswith("test")
    for cell in cells:
        value = value_of(cell)
        if value is None:
            continue
        shade = min(max(shade_of(value), 0), 1)
        text = f"{value:.1f}" if accuracy else f"{value:.0f}"
        told.append(f"{cell.credit} under {cell.signal} {text}")
        crosses = f" ×{cell.diverged}" if accuracy and cell.diverged else ""
        squares.append(Square(
            NAMES + COLUMN * signals.index(cell.signal), TOP + ROW * rules.index(cell.credit),
            round(0.08 + 0.92 * shade, 2), text + crosses,
            accuracy and bool(cell.carries_credit), shade > DARK,
        ))  # fmt: skip
    return Map(
        title, f"Heat map of {title}: {', '.join(told)}.",
        NAMES + COLUMN * len(signals), TOP + ROW * len(rules) + 2,
        tuple((NAMES + COLUMN * i + COLUMN // 2, tuple(name.split("_", 1)))
              for i, name in enumerate(signals)),
        tuple((TOP + ROW * i + ROW // 2, name.replace("_", " ")) for i, name in enumerate(rules)),
        tuple(squares),
    )  # fmt: skip


def _caption(cells: Sequence[Cell]) -> str:
    caption = "Rows are credit rules, columns signals. The stronger the colour, the better."
    if any(cell.carries_credit for cell in cells):
        caption += (
            " Bold: beats frozen hidden layers (readout only) under its own signal, by the 95 % "
            "interval of the paired difference."
        )
    if any(cell.diverged for cell in cells):
        caption += " ×n: n runs diverged, and count as chance."
    return caption


def _table(cells: Sequence[Cell]) -> Table:
    rows = tuple(
        (
            cell.credit, cell.signal, percent(cell.accuracy), degrees(Estimate(cell.angle)),
            {None: UNKNOWN, True: "yes", False: "no"}[cell.carries_credit], str(cell.diverged),
        )
        for cell in cells
    )  # fmt: skip
    columns = (
        "credit rule", "signal", "test accuracy, %", "angle, °", "beats readout only", "diverged",
    )  # fmt: skip
    return Table(columns, rows, "Grid: mean over seeds, and interval", 2)
