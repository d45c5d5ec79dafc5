"""The whole grid, signal x credit rule: how well each cell learns, and how like backprop.

Every cell runs with the settings that the search chose for it, on the same seeds; validation and
test are read once, at the end.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from agents.comparison import records
from agents.comparison.compare import FIRST_SEED
from agents.comparison.controls import READOUT_ONLY, beats
from agents.comparison.heatmap import Cell, draw
from agents.comparison.options import Options, epoch_of, make_folder
from agents.comparison.statistics import mean_interval
from agents.making import pick_device
from agents.runs.job import Job, Result
from agents.runs.sweep import run_all
from agents.settings import Settings

RUN = ("signal", "credit", "lr", "init", "seed", "test_accuracy", "change_angle", "diverged")
COSTS = ("seconds", "env_steps", "presentations", "forward_passes", "multiply_adds")


def grid(options: Options, seeds: int, out: Path) -> list[Cell]:
    """Run every cell with every seed, and write grid.csv and grid.png."""
    if seeds < 1:
        raise ValueError(f"seeds is the number of runs of each cell, 1 or more, got {seeds}")
    epoch = epoch_of(options.env)  # first of all: an unknown environment was searched by nobody
    settings = _searched(options)
    options.check()
    make_folder(out)
    device = str(pick_device(options.device))
    points = (options.epochs * epoch,)
    jobs = [
        Job(options.env, agent, chosen, seed, options.batch, points, device, watched=True)
        for agent, chosen in settings.items()
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
    ]
    results = run_all(jobs, out / "runs", options)
    by_agent = {agent: [r for r in results if r.agent == agent] for agent in settings}
    cells = summarise(settings, by_agent)
    _write(settings, by_agent, out / "grid.csv")
    draw(cells, f"{options.env}, {seeds} seeds", out / "grid.png")
    return cells


def _searched(options: Options) -> dict[str, Settings]:
    """The chosen settings of every cell. Raises ValueError where nobody searched."""
    found = {}
    for agent, settings in options.cells().items():
        if settings is None:
            raise ValueError(f"{agent} is no cell of the grid: compare.py takes classes")
        found[agent] = records.chosen(options.env, agent, settings, options.batch)
    missing = [agent for agent, chosen in found.items() if chosen is None]
    if missing:
        raise ValueError(
            f"nobody searched settings on this task for {', '.join(missing)}: scripts/search.py "
            "does, with the same options"
        )
    return found


def summarise(settings: dict[str, Settings], results: dict[str, list[Result]]) -> list[Cell]:
    """One cell per agent; its seeds are those of the control, in the same order."""
    control = {
        chosen.signal: _accuracies(results[agent])
        for agent, chosen in settings.items()
        if chosen.rule.name == READOUT_ONLY
    }
    return [
        Cell(
            chosen.signal,
            chosen.rule.name,
            mean_interval(_accuracies(results[agent])),
            _mean([result.change_angle for result in results[agent]]),
            sum(result.diverged is not None for result in results[agent]),
            _beats(_accuracies(results[agent]), control.get(chosen.signal), chosen),
        )
        for agent, chosen in settings.items()
    ]


def _accuracies(results: Sequence[Result]) -> list[float]:
    return [float(result.test_accuracy or 0) for result in results]


def _beats(own: list[float], control: list[float] | None, chosen: Settings) -> bool | None:
    if control is None or chosen.rule.name == READOUT_ONLY:
        return None
    return beats(own, control)


def _mean(angles: Sequence[float | None]) -> float | None:
    known = [angle for angle in angles if angle is not None]
    return float(np.mean(known)) if known else None


def _write(settings: dict[str, Settings], results: dict[str, list[Result]], path: Path) -> None:
    columns, rows = (*RUN, *COSTS), []
    for agent, chosen in settings.items():
        cell = {"signal": chosen.signal, "credit": chosen.rule.name}
        for result in results[agent]:
            found = {"lr": chosen.lr, "init": chosen.init, "seconds": round(result.seconds, 1)}
            row = asdict(result) | cell | found
            rows.append({column: row[column] for column in columns})
    records.write_table(path, columns, rows)
