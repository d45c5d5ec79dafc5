"""What do fewer bits cost? The same agents at another precision and at float32, seed by seed.

Prints a table and writes precision.csv (one row a run).

    python scripts/precision.py --sizes 64,32 --batch 32 --epochs 80
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import credit_envs

credit_envs.require_agents()

from agents.comparison.compare import FIRST_SEED
from agents.comparison.options import Options, make_folder, script
from agents.comparison.plan import Plan
from agents.comparison.records import write_table
from agents.comparison.statistics import Estimate, mean_interval, paired_difference
from agents.precision import PRECISIONS
from agents.runs.job import Result
from agents.runs.sweep import run_all

COLUMNS = ("agent", "precision", "seed", "test_accuracy", "diverged")
REFERENCE = PRECISIONS[0]

Runs = dict[tuple[str, str], list[Result]]  # by agent and precision, in the order of their seeds


@dataclass(frozen=True)
class Args(Options):
    """Run agents at two precisions on one environment, network and budget."""

    agents: str = "supervised,q_agrel,reward_prediction+kolen_pollack,feedback_alignment"
    """Names or cells "signal+credit", separated by commas."""
    precision: str = "bf16"
    """What is set beside float32: bf16, or on a GPU tf32."""
    seeds: int = 5
    """Runs of each; seed 100 and up, the same for all."""
    out: Path = Path("results/precision")
    """Folder of the figures; finished runs in it are not run again."""


def main(args: Args) -> None:
    """Run, and say what came out and where it is."""
    if args.precision == REFERENCE or None in args.cells().values():
        raise ValueError(
            "precision is set beside float32, for agents of the suite: choose tf32 or bf16, and "
            f"no class of your own, got {args.precision} for {args.agents}"
        )
    seeds = range(FIRST_SEED, FIRST_SEED + args.seeds)
    plan = Plan(args, seeds, {"precision": (REFERENCE, args.precision)})
    jobs = sorted(plan.jobs(), key=lambda job: list(args.cells()).index(job.agent))
    make_folder(args.out)
    results = run_all(jobs, args.out / "runs", args)
    found: Runs = {}
    for job, result in zip(jobs, results, strict=True):
        assert job.settings is not None
        found.setdefault((job.agent, job.settings.precision), []).append(result)
    _write(found, args.out / "precision.csv")
    Console(width=None if Console().is_terminal else 100).print(table(found))


def _write(found: Runs, path: Path) -> None:
    rows = [
        asdict(result) | {"precision": precision}
        for (_, precision), results in found.items()
        for result in results
    ]
    write_table(path, COLUMNS, [{column: row[column] for column in COLUMNS} for row in rows])


def table(found: Runs) -> Table:
    """Test accuracy in %, and how far it is from float32's, in points."""
    shown = Table(
        "agent", "precision", "test accuracy, %", "from float32, points", "diverged",
        box=SIMPLE_HEAD, caption="[Student t 95 %]",
    )  # fmt: skip
    for (agent, precision), results in found.items():
        own, reference = _accuracies(results), _accuracies(found[agent, REFERENCE])
        apart = "" if precision == REFERENCE else _text(paired_difference(own, reference), "+.2f")
        diverged = sum(result.diverged is not None for result in results)
        shown.add_row(agent, precision, _text(mean_interval(own), ".2f"), apart, str(diverged))
    return shown


def _accuracies(results: Sequence[Result]) -> list[float]:
    return [100 * float(result.test_accuracy or 0) for result in results]


def _text(estimate: Estimate, form: str) -> str:
    mean, low, high = estimate.value, estimate.low, estimate.high
    brackets = "" if low is None or high is None else f" [{low:{form}}, {high:{form}}]"
    return f"{mean:{form}}{brackets}"


if __name__ == "__main__":
    script(main, Args)
