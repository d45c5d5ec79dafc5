"""Many runs: agents x whatever is varied x seeds, here or on a SLURM cluster.

What is done is not run again, what is unfinished goes on; a run that fails stops no other.

    python scripts/sweep.py --agents q_agrel,supervised --vary lr=0.05,0.1,0.2 --seeds 5
    python scripts/sweep.py --file sweep.toml --executor slurm --slurm timeout_min=60

with sweep.toml such as

    agents = "q_agrel,supervised"
    epochs = 20
    seeds = 5

    [vary]
    lr = [0.05, 0.1, 0.2]
    sizes = [[64, 32], [500, 300]]
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import credit_envs

credit_envs.require_agents()

from agents.comparison.options import Options, make_folder, script
from agents.comparison.plan import OF_RULE, Plan, grid_of, read_plan
from agents.comparison.statistics import median_time
from agents.comparison.times import hit
from agents.runs.attempt import Failed, Outcome
from agents.runs.job import Job
from agents.runs.sweep import sweep


@dataclass(frozen=True)
class Args(Options):
    """Run agents with every combination of what is varied, on every seed."""

    vary: tuple[str, ...] = ()
    """What is varied, such as lr=0.05,0.1 optimizer=sgd,adam sizes=64-32,500-300 drops=5000, and
    settings of the credit rule, such as credit.noise=0.01,0.1."""
    seeds: int = 3
    """Runs of each combination."""
    first_seed: int = 100
    """The first of the seeds, which are the same for all."""
    watched: bool = False
    """Read how well rules are aligned with backprop, too."""
    level: float = 0.0
    """Validation accuracy, 0..1, the trials to which are shown, too; 0: none."""
    file: Path | None = None
    """A TOML file: any of these options, and a table [vary]; what it says counts."""
    out: Path = Path("results/sweep")
    """Root of the runs' folders."""


def main(args: Args) -> None:
    """Sweep, and say what came out."""
    grid = grid_of(args.vary)
    if args.file:
        plain, varied = read_plan(args.file)
        args, grid = _with(args, plain), grid | varied
    if args.seeds < 1:
        raise ValueError(f"seeds is the number of runs of a combination, 1 or more: {args.seeds}")
    if not 0 <= args.level < 1:
        raise ValueError(f"level is an accuracy in 0..1, or 0 for none, got {args.level}")
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    jobs = list(dict.fromkeys(Plan(args, seeds, grid, args.watched).jobs()))  # each once
    make_folder(args.out)
    outcomes = sweep(jobs, args.out, args)
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table(jobs, outcomes, list(grid), args.level))
    failed = [(job, o.failed) for job, o in zip(jobs, outcomes, strict=True) if o.failed]
    for job, why in failed:
        print(f"failed: {job}: {why}")
    print(f"Runs: {args.out}")
    if failed:
        raise Failed(f"{len(failed)} of {len(jobs)} runs failed, the others are kept")


def _with(args: Args, plain: dict[str, Any]) -> Args:
    kinds = {f.name: type(f.default) for f in fields(Args) if f.name not in ("file", "vary")}
    kinds["out"] = str
    for name, value in plain.items():
        if name not in kinds:
            raise ValueError(f"unknown option {name!r}: choose of {', '.join(kinds)}, [vary]")
        if type(value) is not kinds[name] and (type(value), kinds[name]) != (int, float):
            raise ValueError(f"{name} is of the type {kinds[name].__name__}, got {value!r}")
    return replace(args, **plain | {"out": Path(plain.get("out", args.out))})


def table(
    jobs: Sequence[Job], outcomes: Sequence[Outcome], varied: Sequence[str], level: float = 0.0
) -> Table:
    """A line for each combination: means over its seeds, in %, and median trials to `level`."""
    shown = Table(box=SIMPLE_HEAD, collapse_padding=True)
    for heading in ("agent", *varied):
        shown.add_column(heading, overflow="fold")
    trials = [f"trials to\n{100 * level:.4g} %"] if level else []
    for heading in ("validation", "test", *trials, "runs", "diverged", "failed"):
        shown.add_column(heading, justify="right")
    combinations: dict[tuple[str, ...], list[Outcome]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        name = (job.agent, *(_value(job, what) for what in varied))
        combinations.setdefault(name, []).append(outcome)
    for name, found in combinations.items():
        shown.add_row(*name, *_cells(found, level))
    return shown


def _cells(found: Sequence[Outcome], level: float) -> list[str]:
    results = [outcome.result for outcome in found if outcome.result]
    sound = [result for result in results if result.diverged is None]
    test = [r.test_accuracy for r in results if r.test_accuracy is not None]
    cells = [_percent([result.validation[-1] for result in sound]), _percent(test)]
    if level:
        median = median_time([hit(result, level) for result in results])
        cells.append("not reached" if median is None else f"{median:,.0f}")
    counts = len(found), len(results) - len(sound), len(found) - len(results)
    return cells + [str(count) for count in counts]


def _value(job: Job, name: str) -> str:
    if job.settings is None or name in ("env", "batch"):
        return str(getattr(job, name, "-"))
    if name == "epochs":
        return f"{job.points[-1]:,} trials"
    if name == "sizes":
        return "-".join(map(str, job.settings.network_sizes))
    if name.startswith(OF_RULE):
        return str(getattr(job.settings.rule, name.removeprefix(OF_RULE)))
    return str(getattr(job.settings, name))


def _percent(accuracies: Sequence[float]) -> str:
    return f"{100 * fmean(accuracies):.1f}" if accuracies else "-"


if __name__ == "__main__":
    script(main, Args)
