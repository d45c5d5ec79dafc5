"""How much slower is learning from reward than learning from labels?

Runs agents on one environment, paired by seed, prints a table, and writes report.html (a page to
look at and send on), summary.json (the table's figures and what they rest on), curves.csv and
curves.png.

    python scripts/compare.py --env MNISTReward-v0 --agents supervised,q_agrel --seeds 5
"""

import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

import credit_envs

try:
    credit_envs.require_agents()
except ImportError as fault:
    sys.exit(f"error: {fault}")

from agents.comparison.claims import parse  # noqa: E402
from agents.comparison.compare import compare  # noqa: E402
from agents.comparison.costs import costs  # noqa: E402
from agents.comparison.options import Options, script  # noqa: E402
from agents.comparison.table import table  # noqa: E402
from agents.report import write_report  # noqa: E402


@dataclass(frozen=True)
class Args(Options):
    """Compare agents on one environment, network and budget."""

    seeds: int = 5
    """Runs of each agent; seed 100 and up, the same for all. Under 5 no interval is given."""
    claims: str = ""
    """Declared before the runs: "a>b", or "a~b:0.5" for within half a point; commas between."""
    out: Path = Path("results/compare")
    """Folder of the figures; finished runs in it are not run again."""


def main(args: Args) -> None:
    """Compare, and say what came out and where it is."""
    claims = parse(args.claims)
    result = compare(args, args.seeds, args.out, claims)
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table(result.rows))
    console.print(costs(result.rows))
    if result.unsearched:
        console.print(
            f"Default settings, since none were searched for on this task: "
            f"{', '.join(result.unsearched)}. scripts/search.py finds them."
        )
    write_report(args.out / "runs", args.out / "report.html", claims)
    console.print(f"Learning curves: {result.picture}", soft_wrap=True)
    console.print(f"Report: {args.out / 'report.html'}", soft_wrap=True)


if __name__ == "__main__":
    script(main, Args)
