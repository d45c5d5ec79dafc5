"""A figure from end to end: its runs, its rows, its picture."""

from pathlib import Path

from agents.comparison.options import make_folder
from agents.making import pick_device
from agents.presets.figure import Figure
from agents.reproduction import needs, scaling
from agents.reproduction.plan import Plan, Planned
from agents.reproduction.results import Record, record
from agents.runs.sweep import How, run_all


def reproduce(
    figure: Figure, quick: bool, how: How, out: Path, rows: Path, device: str = "auto",
    seeds: int = 0,
) -> Record:  # fmt: skip
    """Run what is not there yet, and write its rows to `rows`. Raises ValueError, Failed.

    Runs are kept in `out`. `seeds` is their number, 0: the figure's own.
    """
    if seeds < 0:
        raise ValueError(f"seeds is the number of runs of each line, 1 or more, got {seeds}")
    place = pick_device(device)
    if not quick:
        needs.check(figure, place, insists=device == "cpu")
    planned = _plan(Plan(figure, quick, str(place), seeds))
    make_folder(out)
    results = run_all([one.job for one in planned], out, how)
    made = record(planned, results, out)
    make_folder(rows)
    made.write(rows)
    if figure.level:
        scaling.draw(figure, made, made.path(rows).with_suffix(".png"))
    return made


def _plan(plan: Plan) -> list[Planned]:
    try:
        return plan.runs()
    except (ConnectionError, FileNotFoundError) as fault:
        raise ValueError(
            f"{plan.figure.name} needs images that are not here: {fault}. CREDIT_ENVS_MIRROR names "
            "a folder with a copy of the Hub's files, CREDIT_ENVS_CACHE one with a filled cache"
        ) from fault
