"""What does a sweep cost beside the runs themselves? Many tiny runs, and a ratio.

Work is the runs' own seconds, from a run's begin to its end, as their folders tell; the rest of
the workers' time is overhead: starting processes, imports, dealing out jobs, locks, waiting.

    python scripts/overhead.py --runs 200 --workers 2
"""

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import credit_envs

credit_envs.require_agents()

from agents.comparison.options import epoch_of, script
from agents.comparison.statistics import evaluation_points
from agents.runs.job import Job
from agents.runs.sweep import How, run_all
from agents.settings import settings_of

ENV, BATCH = "DigitsReward-v0", 32


@dataclass(frozen=True)
class Args:
    """Sweep tiny runs on the digits."""

    runs: int = 200
    """How many."""
    workers: int = 2
    """Runs at once."""
    epochs: int = 20
    """Length of each, in passes over the training images."""


def main(args: Args) -> None:
    """Sweep into a folder that is thrown away, and print the ratio."""
    if min(args.runs, args.workers, args.epochs) < 1:
        raise ValueError(
            "runs, workers and epochs are 1 or more, got "
            f"{args.runs}, {args.workers} and {args.epochs}"
        )
    settings = replace(settings_of("q_agrel"), sizes=(64, 32))
    points = evaluation_points(epoch_of(ENV), args.epochs * epoch_of(ENV), BATCH)
    jobs = [Job(ENV, "q_agrel", settings, seed, BATCH, points) for seed in range(args.runs)]
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        results = run_all(jobs, Path(folder), How(workers=args.workers))
        wall = time.monotonic() - began
    work = sum(result.seconds for result in results)
    overhead = args.workers * wall - work
    print(
        f"{args.runs} runs of {work / args.runs:.2f} s in {wall:.1f} s on {args.workers} workers: "
        f"overhead {overhead:.1f} s, {overhead / work:.1%} of the work"
    )


if __name__ == "__main__":
    script(main, Args)
