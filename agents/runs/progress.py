"""How far the runs are: a bar on a terminal, elsewhere a line now and then."""

import sys
import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PERIOD = 10  # seconds between lines where there is no terminal


class Bar:
    """Shows trials done, trials a second, the time left and the mean reward."""

    def __init__(self, total: int, quiet: bool = False):
        self._total = total
        terminal = sys.stdout.isatty()
        self._bar = Progress(
            TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TimeRemainingColumn(),
            TextColumn("{task.fields[speed]:,.0f} trials/s  {task.description}"),
            disable=quiet or not terminal, console=Console(),
        )  # fmt: skip
        self._lines = not quiet and not terminal
        self._started = self._shown = time.monotonic()
        self._before: int | None = None  # trials that were done when this began

    def __enter__(self) -> "Bar":
        self._bar.start()
        self._task = self._bar.add_task("starting", total=self._total, speed=0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, trials: int, text: str) -> None:
        """Of `trials` done until now; `text` tells the rest."""
        if self._before is None:
            self._before = trials
        elapsed = time.monotonic() - self._started
        speed = (trials - self._before) / max(elapsed, 1e-9)
        self._bar.update(self._task, completed=trials, description=text, speed=speed)
        if self._lines and time.monotonic() - self._shown > PERIOD:
            self._shown = time.monotonic()
            left = (self._total - trials) / speed if speed else None
            ahead = "" if left is None else f"  {left:,.0f} s left"
            print(f"{trials / self._total:4.0%}  {speed:,.0f} trials/s{ahead}  {text}", flush=True)
