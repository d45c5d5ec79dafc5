"""How fast is it? Each case against another way to do the same, side by side in one run.

python scripts/speed.py --json speed.json
python scripts/speed.py --only numpy q_agrel
"""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

import credit_envs

credit_envs.require_agents()

from agents.checkpoint import replace as write_whole
from agents.comparison.options import script
from agents.speed import chosen
from agents.speed.case import Case
from agents.speed.images import DRY, Scale
from agents.speed.measure import measure, report, with_kept
from agents.speed.picture import picture
from agents.speed.table import heading, notes, table


@dataclass(frozen=True)
class Args:
    """Measure speed, and say which targets are met."""

    only: tuple[str, ...] = ("stepping", "options", "learning", "opening", "peers", "seeds")
    """Names of cases or of groups of them; beside these groups there are gpu, growth and host."""
    json: Path | None = None
    """File to write everything to."""
    keep: bool = False
    """Keep what the file has of other cases; each says of what commit it is."""
    picture: Path | None = None
    """File to draw growth into, images per second against batch and width."""
    quick: bool = False
    """A third of the repeats."""
    dry: bool = False
    """Run everything once in miniature, on the CPU: figures mean nothing."""
    cpu_time: bool = False
    """Count the processes' CPU time, on one thread, instead of the wall clock's: for a machine that
    others use, too. Not for a GPU."""
    gymnax_python: str = ""
    """A Python with gymnax, which does not go with our gymnasium."""

    def scale(self) -> Scale:
        """How large the measurement is."""
        device = "cuda" if torch.cuda.is_available() else "cpu"
        scale = DRY if self.dry else Scale(device=device)
        if self.quick:
            scale = replace(scale, repeats=-(-scale.repeats // 3))
        if self.cpu_time:
            scale = replace(scale, clock=time.process_time)
        return replace(scale, gymnax_python=self.gymnax_python)


def main(args: Args) -> None:
    """Measure, show and write."""
    cases, scale = chosen(args.only), args.scale()
    if args.cpu_time:
        torch.set_num_threads(1)
    with Progress(transient=True) as bar:
        task = bar.add_task("", total=len(cases) * scale.repeats)

        def progress(case: Case, done: int) -> None:
            before = cases.index(case) * scale.repeats
            bar.update(task, description=case.name, completed=before + done)

        results = measure(cases, scale, progress)
    told = report(results, scale)
    console = Console(width=None if Console().is_terminal else 100)
    console.print(heading(told), table(results), *notes(results), sep="\n")
    if args.picture:
        picture(results, args.picture, heading(told))
    if args.json and args.keep:
        told = with_kept(told, json.loads(args.json.read_text()))
    if args.json:
        write_whole(args.json, (json.dumps(told, indent=1) + "\n").encode())


if __name__ == "__main__":
    script(main, Args)
