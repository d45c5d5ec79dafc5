"""The comparison from end to end: settings, runs, figures, picture."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agents.checkpoint import replace as write_whole
from agents.comparison import records
from agents.comparison.claims import Claim, check
from agents.comparison.given import packed
from agents.comparison.options import Options, epoch_of, make_folder
from agents.comparison.picture import draw
from agents.comparison.statistics import evaluation_points
from agents.comparison.summary import curves, summarise
from agents.comparison.task import Row, Task
from agents.making import pick_device
from agents.own import Maker
from agents.right import chance
from agents.runs.early_stopping import epoch_points
from agents.runs.job import Job, Result
from agents.runs.sweep import run_all
from agents.settings import Settings

READING = ("env", "agent", "seed", "trials", "validation_accuracy")
FIRST_SEED = 100  # seeds below tune, these report


@dataclass(frozen=True)
class Comparison:
    """What a comparison leaves: rows for the table, and where its files are."""

    rows: list[Row]
    picture: Path
    unsearched: list[str]  # agents whose settings nobody searched for on this task


def compare(
    options: Options, seeds: int, out: Path, claims: Sequence[Claim] = (),
    own: Mapping[str, Maker] | None = None,
) -> Comparison:  # fmt: skip
    """Run every agent with every seed and write summary.json, curves.csv and curves.png.

    `own` has agents beside those that the options name.
    """
    if not isinstance(seeds, int) or seeds < 1:
        raise ValueError(f"seeds is the number of runs of each agent, 1 or more, got {seeds!r}")
    options.check()
    makers = packed(own or {}, options)
    cells = options.cells() | dict.fromkeys(makers)
    check(claims, cells)
    make_folder(out)
    chosen = {
        agent: settings and records.chosen(options.env, agent, settings, options.batch)
        for agent, settings in cells.items()
    }
    settings = {agent: chosen[agent] or cells[agent] for agent in cells}
    device = str(pick_device(options.device))
    epoch = epoch_of(options.env)
    points = evaluation_points(epoch, options.epochs * epoch, options.batch)
    epochs = epoch_points(epoch, options.epochs, options.batch)
    read = tuple(sorted({*points, *epochs}))
    jobs = [
        Job(
            options.env, agent, settings[agent], seed, options.batch, read, device, watched=True,
            own=makers.get(agent),
        )
        for agent in cells
        for seed in range(FIRST_SEED, FIRST_SEED + seeds)
    ]  # fmt: skip
    results = run_all(jobs, out / "runs", options)
    reference = Settings(
        network=options.network, sizes=options.hidden_sizes(), optimizer=options.optimizer
    )
    frozen = records.criterion(options.env, reference, options.batch, options.epochs)
    task = Task(options.env, chance(options.env), options.epochs, points, device, frozen, epochs)
    described = {agent: _described(chosen, options) for agent, chosen in settings.items()}
    rows = summarise(results, task, described, claims)
    _write(rows, results, options, out)
    unsearched = [a for a in cells if cells[a] and not chosen[a]]
    return Comparison(rows, out / "curves.png", unsearched)


def _described(settings: Settings | None, options: Options) -> dict[str, Any]:
    if settings is None:
        own = {"signal": "own", "credit": "own", "learns_from": "reward", "network": "own"}
        return own | {"settings": None, "batch": options.batch}
    return {
        "signal": settings.signal,
        "credit": settings.rule.name,
        "learns_from": settings.learns_from,
        "network": records.network_name(settings),
        "settings": settings.to_dict(),
        "batch": options.batch,
    }


def _write(rows: list[Row], results: Sequence[Result], options: Options, out: Path) -> None:
    write_whole(out / "summary.json", json.dumps(rows, indent=1, allow_nan=False).encode())
    records.write_table(out / "curves.csv", READING, curves(results, options.env))
    protocol = rows[0]["protocol"]
    draw(results, options.env, protocol["chance"], protocol["level"], out / "curves.png")
