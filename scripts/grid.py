"""Every credit rule under every signal: the suite's main figure.

Runs all cells with the settings that scripts/search.py chose for them, prints a table, and writes
grid.csv (one row a run) and grid.png (heat maps of test accuracy and of the angle to backprop).

    python scripts/grid.py --sizes 64,32 --batch 32 --epochs 80
"""

from dataclasses import dataclass
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import credit_envs

credit_envs.require_agents()

from agents.comparison.grid import grid
from agents.comparison.heatmap import Cell
from agents.comparison.options import Options, script


@dataclass(frozen=True)
class Args(Options):
    """Run the grid on one environment, network and budget."""

    agents: str = "grid"
    """"grid": every cell; or some of them, as names or "signal+credit", separated by commas."""
    seeds: int = 5
    """Runs of each cell; seed 100 and up, the same for all."""
    out: Path = Path("results/grid")
    """Folder of the figures; finished runs in it are not run again."""


def main(args: Args) -> None:
    """Run, and say what came out and where it is."""
    cells = grid(args, args.seeds, args.out)
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table(cells))
    console.print(f"Heat maps: {args.out / 'grid.png'}", soft_wrap=True)


def table(cells: list[Cell]) -> Table:
    """Test accuracy in %, with its interval, one row per rule and one column per signal."""
    signals = list(dict.fromkeys(cell.signal for cell in cells))
    shown = Table(
        "credit rule", *signals, box=SIMPLE_HEAD,
        caption="Test accuracy, % [Student t 95 %]; *: beats frozen hidden layers; x: diverged",
    )  # fmt: skip
    for rule in dict.fromkeys(cell.credit for cell in cells):
        by_signal = {cell.signal: cell for cell in cells if cell.credit == rule}
        shown.add_row(rule, *(_text(by_signal.get(signal)) for signal in signals))
    return shown


def _text(cell: Cell | None) -> str:
    if cell is None:
        return ""
    mean, low, high = cell.accuracy.value, cell.accuracy.low, cell.accuracy.high
    text = f"{100 * (mean or 0):.1f}"
    if low is not None and high is not None:
        text += f" [{100 * max(low, 0):.1f}, {100 * min(high, 1):.1f}]"
    return text + "*" * bool(cell.carries_credit) + f" x{cell.diverged}" * bool(cell.diverged)


if __name__ == "__main__":
    script(main, Args)
