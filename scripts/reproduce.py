"""The papers' figures, made again: published beside ours.

    python scripts/reproduce.py --list
    python scripts/reproduce.py akrout-mnist --quick
    python scripts/reproduce.py --all --quick

A name also stands for all figures that begin with it: brainprop, sign-symmetry. Finished runs are
kept, so a figure that was stopped goes on where it was. One row a run is written to
benchmarks/reproduce.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import credit_envs

credit_envs.require_agents()

from agents.comparison.options import script
from agents.presets import FIGURES, RATIO, chosen
from agents.presets.figure import LEFT
from agents.reproduction import coding, ratio, readme, scaling
from agents.reproduction.reproduce import reproduce
from agents.reproduction.results import FOLDER
from agents.reproduction.table import sentences, table
from agents.runs.attempt import Failed
from agents.runs.sweep import How


@dataclass(frozen=True)
class Args(How):
    """Reproduce figures of the papers."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Figures, or the beginnings of their names; "ratio": BrainProp's, and how much longer."""
    list: bool = False
    """Only say which figures there are, and what each costs."""
    all: bool = False
    """Every figure."""
    quick: bool = False
    """A small part of each, for a CPU: fewer epochs or images, one seed. Marked as that."""
    seeds: int = 0
    """Runs of each line, if not the figure's own number; seed 100 and up."""
    lines: tuple[str, ...] = ()
    """Only these lines of a figure, by their names; rows of its other lines stay."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:<i>."""
    readme: bool = False
    """Write README's table anew from the rows, when all is run."""
    out: Path = Path("results/reproduce")
    """Root of the runs' folders; finished runs in it are not run again."""
    rows: Path = FOLDER
    """Folder of the result rows, one file a figure."""


def main(args: Args) -> None:
    """Run the figures one after the other, and show each as it is done."""
    console = Console(width=None if Console().is_terminal else 100)
    if args.list or not (args.names or args.all or args.readme):
        console.print(listed())
        return
    names = tuple(FIGURES) if args.all else sum(map(chosen, args.names), ())
    missing = [why for name in dict.fromkeys(names) if (why := _one(name, args, console))]
    if args.all or RATIO in args.names:
        console.print(ratio.table(args.rows, args.quick))
    if args.readme:
        readme.write(args.rows)
    if missing:
        raise Failed(f"{len(missing)} of {len(names)} figures were not made: {'; '.join(missing)}")


def _one(name: str, args: Args, console: Console) -> str | None:
    """Make one figure; what was in the way, if others are to be made too."""
    figure = FIGURES[name]
    try:
        made = reproduce(
            figure, args.quick, args, args.out, args.rows, args.device, args.seeds, args.lines
        )
    except (Failed, ValueError) as fault:
        console.print(f"{name}: {fault}", markup=False)
        return str(fault)
    # Of all sizes at all rates, the slopes are enough.
    console.print(f"{figure.name}: {figure.about}" if figure.level else table(figure, made))
    more = scaling.sentences(figure, made) if figure.level else []
    more += coding.sentences() if figure.unit == LEFT else []
    for sentence in (*sentences(figure, made), *more):
        console.print(sentence, markup=False, highlight=False)
    console.print(f"Rows: {made.path(args.rows)}", soft_wrap=True)
    return None


def listed() -> Table:
    """What there is, and what it costs."""
    shown = Table(
        "figure", "what", box=SIMPLE_HEAD,
        caption="Minutes were measured, on one core; hours are guesses, a star: on a GPU.",
    )  # fmt: skip
    shown.add_column("full", justify="right")
    shown.add_column("quick", justify="right")
    for figure in FIGURES.values():
        full = f"{figure.hours:g} h{'*' if figure.gpu else ''}"
        shown.add_row(figure.name, figure.about, full, f"{figure.quick.seconds / 60:.0f} min")
    minutes = sum(figure.quick.seconds for figure in FIGURES.values()) / 60
    shown.add_row(RATIO, "how much longer from reward: all BrainProp figures", "", "")
    shown.add_row("--all", "everything, on one core", "", f"{minutes:.0f} min")
    return shown


if __name__ == "__main__":
    script(main, Args)
