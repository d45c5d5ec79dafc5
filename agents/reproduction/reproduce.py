"""A figure from end to end: its runs, its rows, its picture."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from agents.comparison.options import make_folder
from agents.making import pick_device
from agents.presets.figure import LEFT, Figure
from agents.reproduction import coding, needs, scaling
from agents.reproduction.plan import Plan
from agents.reproduction.results import Record, joined, record
from agents.runs.sweep import How, run_all


def reproduce(
    figure: Figure, quick: bool, how: How, out: Path, rows: Path, device: str = "auto",
    seeds: int = 0, lines: tuple[str, ...] = (),
) -> Record:  # fmt: skip
    """Run what is not there yet, and write its rows to `rows`. Raises ValueError, Failed.

    Runs are kept in `out`. `seeds` is their number, 0: the figure's own. Of some `lines` only, the
    rows of the others stay.
    """
    if seeds < 0:
        raise ValueError(f"seeds is the number of runs of each line, 1 or more, got {seeds}")
    _check_lines(figure, lines)
    place = pick_device(device)
    if not quick:
        needs.check(figure, place, insists=device == "cpu")
    make_folder(out)
    make_folder(rows, "rows")  # before hours of runs
    plan = Plan(figure, quick, str(place), seeds, lines)
    made = _made(plan, out, how)
    if lines:
        made = joined(made, plan, rows)
    made.write(rows)
    picture = made.path(rows).with_suffix(".png")
    if figure.level:
        scaling.draw(figure, made, picture)
    if figure.unit == LEFT:
        coding.draw(figure, made, picture)
    return made


def _check_lines(figure: Figure, lines: tuple[str, ...]) -> None:
    names = [line.name for line in figure.lines]
    if unknown := [name for name in lines if name not in names]:
        raise ValueError(
            f"{figure.name} has no line {unknown[0]!r}: choose of {', '.join(map(repr, names))}"
        )
    if lines and (figure.unit == LEFT or figure.level):
        raise ValueError(
            f"{figure.name} is a picture of all its lines: run it whole, without --lines"
        )
    if lines and figure.reference and figure.reference not in lines:
        raise ValueError(
            f"{figure.name} counts trials to a level that {figure.reference!r} sets: name it in "
            "--lines, too"
        )


def _made(plan: Plan, out: Path, how: How) -> Record:
    """Make the runs that are missing."""
    if plan.figure.unit == LEFT:
        with _images_of(plan.figure):
            coded = coding.runs(plan)
        return coding.record(coded, plan.quick, out, how)
    with _images_of(plan.figure):
        planned = plan.runs()
    if not planned:
        raise ValueError(
            f"{plan.figure.name} --quick has no run of {', '.join(map(repr, plan.lines))}, which "
            "takes more epochs: choose another line, or leave out --quick"
        )
    results = run_all([one.job for one in planned], out, how)
    return record(planned, results, out)


@contextmanager
def _images_of(figure: Figure) -> Iterator[None]:
    """Images are opened inside."""
    try:
        yield
    except (ConnectionError, FileNotFoundError) as fault:
        raise ValueError(
            f"{figure.name} needs images that are not here: {fault}. CREDIT_ENVS_MIRROR names "
            "a folder with a copy of the Hub's files, CREDIT_ENVS_CACHE one with a filled cache"
        ) from fault
