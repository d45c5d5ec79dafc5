"""What does each credit rule need? Labels, the forward weights, other layers, other trials?

Measures every rule in the table by small experiments (agents/plausibility.py says which), prints
the cards and writes them to benchmarks/cards.csv.

    python scripts/cards.py
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import credit_envs

credit_envs.require_agents()

from agents.comparison.options import script
from agents.comparison.records import FOLDER, write_table
from agents.credit import RULES
from agents.laboratory import KINDS
from agents.plausibility import Card, card


@dataclass(frozen=True)
class Args:
    """Measure every credit rule."""

    out: Path = FOLDER / "cards.csv"
    """The file to write."""


def main(args: Args) -> None:
    """Measure, show and write."""
    cards = [card(rule) for rule in RULES]
    columns = [field.name for field in fields(Card)]
    write_table(args.out, columns, [asdict(one) for one in cards])
    Console(width=None if Console().is_terminal else 100).print(table(cards))


def table(cards: Sequence[Card]) -> Table:
    """One line per rule, 100 columns at most."""
    shown = Table(box=SIMPLE_HEAD, collapse_padding=True, pad_edge=False, show_edge=False)
    shown.add_column("rule", no_wrap=True)
    for heading, width in (
        ("needs\nlabel", 5), ("reads\nweights", 7), ("local\nspace", 5), ("local\ntrial", 7),
    ):  # fmt: skip
        shown.add_column(heading, min_width=width)
    for heading in ("net\nruns", "an-\nswers", "env\nsteps", "back-\nprops"):
        shown.add_column(heading, justify="right", min_width=5)
    shown.add_column("serves", min_width=8)
    for one in cards:
        *words, multiply_adds, serves = map(str, asdict(one).values())
        served = "all" if serves == " ".join(KINDS) else serves.replace("_", " ")
        shown.add_row(*words, f"{float(multiply_adds):.2f}", served)
    return shown


if __name__ == "__main__":
    script(main, Args)
