"""A comparison that is looked at: its runs, its table, and its report."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from agents.comparison import compare as comparison
from agents.comparison.claims import parse
from agents.comparison.compare import Comparison
from agents.comparison.costs import costs
from agents.comparison.options import Options
from agents.comparison.table import table
from agents.own import Maker
from agents.report import write_report


@dataclass(frozen=True)
class Comparing(Options):
    """Compare agents on one environment, network and budget."""

    seeds: int = 5
    """Runs of each agent; seed 100 and up, the same for all. Under 5 no interval is given."""
    claims: str = ""
    """Declared before the runs: "a>b", or "a~b:0.5" for within half a point; commas between."""
    out: Path = Path("results/compare")
    """Folder of the figures; finished runs in it are not run again."""


def compare(args: Comparing, own: Mapping[str, Maker] | None = None) -> Comparison:
    """Run every agent, print the table, and write report.html and the figures into `args.out`.

    `own` has agents of your own by name, each as its class, or as a function that makes one: it is
    called with (observation_space, action_space, seed). They are answered with rewards only. Runs
    are made in processes; a class of a notebook or a script gets there, too.
    """
    claims, out = parse(args.claims), Path(args.out)
    result = comparison.compare(args, args.seeds, out, claims, own or {})
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table(result.rows))
    console.print(costs(result.rows))
    if result.unsearched:
        console.print(
            f"Default settings, since none were searched for on this task: "
            f"{', '.join(result.unsearched)}. scripts/search.py finds them."
        )
    write_report(out / "runs", out / "report.html", claims)
    console.print(f"Learning curves: {result.picture}", soft_wrap=True)
    console.print(f"Report: {out / 'report.html'}", soft_wrap=True)
    return result
