"""How well do agents learn across environments?

Pools the runs of comparisons that scripts/compare.py has made, one folder an environment, prints a
table, and writes across.json: interquartile means of the normalised scores, how probably each agent
is better than each other one, and the share of runs above every score.

    python scripts/across.py results/digits results/mnist --out results/across
"""

import json
from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.console import Console

import credit_envs

credit_envs.require_agents()

from agents.checkpoint import replace as write_whole
from agents.comparison.across import left_out, read, summarise, table
from agents.comparison.options import make_folder, script


@dataclass(frozen=True)
class Args:
    """Pool comparisons across environments."""

    folders: tyro.conf.Positional[tuple[Path, ...]]
    """Folders of comparisons, two or more; each of another environment, all over the same seeds."""
    out: Path = Path("results/across")
    """Folder of the figures, across.json."""


def main(args: Args) -> None:
    """Pool, and say what came out and where it is."""
    comparisons = [read(folder) for folder in args.folders]
    rows = summarise(comparisons)
    make_folder(args.out)
    path = args.out / "across.json"
    write_whole(path, json.dumps(rows, indent=1, allow_nan=False).encode())
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table(rows))
    if missing := left_out(comparisons):
        console.print(f"Left out, since not in every folder: {', '.join(missing)}.")
    console.print(f"Figures: {path}", soft_wrap=True)


if __name__ == "__main__":
    script(main, Args)
