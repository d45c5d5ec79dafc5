"""One page about many runs: figures, tables, settings, and what went wrong.

python scripts/report.py results/digits --out report.html
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

import credit_envs

credit_envs.require_agents()

from agents.comparison.claims import parse
from agents.comparison.options import script
from agents.report import write_report


@dataclass(frozen=True)
class Args:
    """Write one self-contained HTML file about all runs below a folder."""

    runs: tyro.conf.Positional[Path]
    """Any folder with runs below it, of one environment or several."""
    out: Path = Path("report.html")
    """The file; it needs no network and no script, and opens from disk."""
    claims: str = ""
    """What was declared before the runs, as compare.py takes it."""


def main(args: Args) -> None:
    """Write the page, and say where it is."""
    write_report(args.runs, args.out, parse(args.claims))
    print(f"Report: {args.out}")


if __name__ == "__main__":
    script(main, Args)
