"""The page: what stands on it, in which order."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from agents.algorithms import ALGORITHMS
from agents.checkpoint import replace as write_whole
from agents.comparison import records as searched
from agents.comparison.claims import Claim
from agents.comparison.costs import costs
from agents.comparison.statistics import evaluation_points, mean_interval
from agents.comparison.summary import summarise
from agents.comparison.table import table
from agents.comparison.task import SUPERVISED, Row, Task
from agents.report.curves import Curves, angles, learning
from agents.report.details import Detail, detail
from agents.report.gallery import Gallery, gallery
from agents.report.gather import Comparison, Entry, gather
from agents.report.heat import Heat, heat
from agents.report.tables import Table, from_terminal, percent
from agents.report.words import Answer, answer, compared, counted, troubles
from agents.right import chance
from agents.runs.early_stopping import epoch_points
from agents.runs.folder import find
from agents.settings import Settings
from credit_envs.dataset import Dataset
from credit_envs.registration import row_of


@dataclass(frozen=True)
class Section:
    """A comparison on the page; a figure that cannot be drawn is a sentence that says why."""

    title: str
    compared: str
    answer: Answer
    learning: Curves | str
    figures: Table | None
    costs: Table | None
    heat: Heat | None
    angles: Curves | str
    gallery: Gallery | str
    details: tuple[Detail, ...]


def write_report(runs: Path, out: Path, claims: Sequence[Claim] = ()) -> None:
    """Write the page about all runs below a folder. Raises ValueError for no folder, OSError.

    `claims` that were declared before the runs are judged wherever both their agents ran.
    """
    if not runs.is_dir():
        raise ValueError(f"{str(runs)!r} is no folder: give one that has runs below it")
    made = page(runs, claims).encode()
    try:
        write_whole(out, made)
    except OSError as fault:
        raise OSError(f"out {str(out)!r} cannot be written: {fault.strerror}") from fault


def page(runs: Path, claims: Sequence[Claim] = ()) -> str:
    """The page as HTML."""
    records, faults = find(runs)
    comparisons, left_out = gather(records)
    placed = list({r.folder: r for c in comparisons for r in c.records}.values())
    templates = Environment(
        loader=PackageLoader("agents.report"), autoescape=True, trim_blocks=True,
        lstrip_blocks=True, undefined=StrictUndefined,
    )  # fmt: skip
    templates.filters["breakable"] = breakable
    return templates.get_template("page.html").render(
        folder=str(runs),
        made=datetime.now().astimezone(),
        counted=counted(placed),
        sections=[_section(comparison, runs, claims) for comparison in comparisons],
        troubles=troubles(placed, [*faults, *left_out]),
    )


def breakable(name: str) -> Markup:
    """A name that may be broken between its parts, escaped."""
    return Markup(re.sub(r"([_/:])|(?=[+])", r"\1<wbr>", str(escape(name))))


def _section(comparison: Comparison, root: Path, claims: Sequence[Claim]) -> Section:
    comparison = replace(comparison, entries=_ordered(comparison.entries))
    entries = [entry for entry in comparison.entries if entry.results]
    details = tuple(detail(entry, root) for entry in comparison.entries)
    try:
        row = row_of(comparison.env)
    except (ValueError, OSError) as fault:
        unknown = Answer(f"No figures: {fault}.")
        return Section(
            comparison.title, compared(comparison), unknown, "", None, None, None, "", "", details
        )
    rows = _rows(comparison, entries, row, claims)
    level = rows[0]["protocol"]["level"] if rows else None
    return Section(
        comparison.title, compared(comparison), answer(comparison, rows),
        learning(entries, chance(comparison.env), level) if entries else "",
        from_terminal(table(rows)) if rows else _last(entries, comparison.reads),
        from_terminal(costs(rows)) if rows else None,
        heat(entries) if rows else None,
        angles(entries) if entries else "",
        gallery(comparison.env, entries) if entries else "",
        details,
    )  # fmt: skip


def _ordered(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    """Supervised, others that learn from labels, then from reward; the best of each first."""

    def last(entry: Entry) -> float:
        finals = [result.validation[-1] for result in entry.results if result.validation]
        return mean_interval(finals).value or 0

    def place(entry: Entry) -> tuple[bool, bool, float]:
        return entry.name != SUPERVISED, entry.learns_from != "label", -last(entry)

    return tuple(sorted(entries, key=place))


def _rows(
    comparison: Comparison, entries: Sequence[Entry], row: Dataset, claims: Sequence[Claim]
) -> list[Row]:
    """The rows of summary.json; none of a search, or before a run has finished."""
    if not comparison.reads_test or not entries:
        return []
    results = [result for entry in entries for result in entry.results]
    cells = {
        entry.name: {
            "signal": entry.cell[0], "credit": entry.cell[1], "learns_from": entry.learns_from,
            "network": comparison.network, "settings": entry.config["settings"],
            "batch": comparison.batch,
        }
        for entry in entries
    }  # fmt: skip
    judged = [claim for claim in claims if {claim.agent, claim.other} <= set(cells)]
    return summarise(results, _task(comparison, row), cells, judged)


def _task(comparison: Comparison, row: Dataset) -> Task:
    """What compare.py would say of it, read off the points at which validation was read."""
    batch, budget, images = comparison.batch, comparison.points[-1], row.train - row.train // 10
    epochs = budget // images if budget % images < batch else 0
    points = evaluation_points(images, epochs * images, batch) if epochs else ()
    if not points or not set(points) <= set(comparison.points):
        points = comparison.points
    return Task(
        comparison.env, chance(comparison.env), epochs or budget / images, points,
        comparison.device, _frozen(comparison, epochs), epoch_points(images, epochs, batch),
    )  # fmt: skip


def _frozen(comparison: Comparison, epochs: int) -> float | None:
    """Supervised's accuracy as the search left it, if this task was searched."""
    for settings in filter(None, (entry.config["settings"] for entry in comparison.entries)):
        if settings["signal"] in ALGORITHMS:  # whose optimiser is its own
            continue
        with suppress(ValueError, TypeError):  # a network of the user's own
            known = Settings(
                network=settings["network"], sizes=tuple(settings["sizes"]),
                optimizer=settings["optimizer"],
            )  # fmt: skip
            return searched.criterion(comparison.env, known, comparison.batch, epochs)
    return None


def _last(entries: Sequence[Entry], split: str) -> Table | None:
    """What there is of runs that do not end on test: the last accuracy that they read."""
    rows = tuple(
        (entry.name, str(len(entry.results)),
         percent(mean_interval([r.validation[-1] for r in entry.results if r.validation])))
        for entry in entries
    )  # fmt: skip
    columns = ("agent", "seeds", f"last {split} accuracy, %")
    return Table(columns, rows, "Runs that diverged are not in the mean.") if rows else None
