"""One run, in a folder of its own: killed at any moment, it goes on bit for bit.

Train to each evaluation point and read validation there; at the end read the test images, once.
Every few seconds, and at the end, all that the run needs is put into its checkpoint: between two
batches, rows and all. A class of the user's own is not known from inside: its run begins anew.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from agents import checkpoint
from agents.learner import Diverged
from agents.making import pick_device
from agents.runs import folder as files
from agents.runs.folder import CHECKPOINT, CONFIG, DONE, FAILED, METRICS, Unreadable
from agents.runs.job import Job, Result, result_of
from agents.runs.learning import Learning, Progress
from agents.runs.origin import device_name, now, origin
from agents.runs.rows import Row, append_row, write_rows

SECONDS = 5.0  # from one checkpoint to the next: a kill costs no more work

Say = Callable[[str], None]  # for what the user should know, a sentence
Note = Callable[[Row], None]  # called with each row, those of the checkpoint too


class Unwritable(OSError):
    """A run's folder takes nothing; the message says why, and what to do."""


def run(
    job: Job, folder: Path, progress: Progress, say: Say = print, every: float = SECONDS,
    source: Mapping[str, Any] | None = None, note: Note | None = None,
) -> Result:  # fmt: skip
    """Begin a run in its folder, or go on with it, to its end.

    `every` is the seconds from one checkpoint to the next; `source` where the run comes from, if
    not from this process. Nobody else may be at work in the folder. Raises Unwritable.
    """
    threads = torch.get_num_threads()
    try:
        one = Run(job, folder, every, note or (lambda row: None))
        one.begin(say, source or origin())
        one.finish(one.train(progress))
    finally:
        torch.set_num_threads(threads)
    return result_of(files.read(folder))


class Run:
    """A run on its way: what learns, its folder and its clock."""

    def __init__(self, job: Job, folder: Path, every: float, note: Note):
        self.job, self.folder, self.every, self.note = job, folder, every, note
        self._started = self._saved = time.monotonic()

    def begin(self, say: Say, source: Mapping[str, Any]) -> None:
        """Take over a good checkpoint and mend what is damaged beside it, or begin anew."""
        begins = self.job.settings is None or not (self.folder / CHECKPOINT).exists()
        if not begins:
            self._say_what_is_damaged(say)
        self._tidy(begins)
        if not self._has_config():
            self._write_config(source)  # before anything can fail: a failed run is a run
        self.learning = Learning(self.job)
        if not self._goes_on(say):
            self._tidy(begins=True)
            self._write_config(source)
            self.learning = Learning(self.job)
        with writing(self.folder):
            write_rows(self.folder / METRICS, self.learning.lived.rows)
        torch.set_num_threads(self.learning.lived.threads)
        self._started -= self.learning.lived.seconds
        for row in self.learning.lived.rows:
            self.note(row)

    def _tidy(self, begins: bool) -> None:
        """Take away what a kill left half written, and if the run begins what was left of it.

        One that is mended is not done until it is.
        """
        old = (FAILED, DONE, CHECKPOINT, METRICS, CONFIG) if begins else (FAILED, DONE)
        with writing(self.folder):
            for name in old:
                (self.folder / name).unlink(missing_ok=True)
            for name in (CONFIG, METRICS, CHECKPOINT, DONE, FAILED):
                for stray in self.folder.glob(f".{name}.*"):
                    stray.unlink()

    def _goes_on(self, say: Say) -> bool:
        """Take over the checkpoint, if there is one; False if it is of no use."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return True
        try:
            self.learning.restore(*checkpoint.read(path))
        except (ValueError, KeyError, TypeError, RuntimeError) as fault:
            say(f"{self.job} begins anew, its checkpoint is of no use: {_first_line(fault)}")
            return False
        return True

    def _write_config(self, source: Mapping[str, Any]) -> None:
        machine = {
            "device_name": device_name(pick_device(self.job.device)),
            "threads": torch.get_num_threads(),
            "deterministic": torch.are_deterministic_algorithms_enabled(),
        }
        config = self.job.to_dict() | machine | dict(source) | {"started": now()}
        with writing(self.folder):
            files.write_json(self.folder / CONFIG, config)

    def _say_what_is_damaged(self, say: Say) -> None:
        try:
            for fault in files.read(self.folder).faults:
                say(f"{self.job}: {fault}")
        except Unreadable as fault:
            say(f"{self.job} gets a new {CONFIG}: {fault}")

    def _has_config(self) -> bool:
        try:
            files.read_config(self.folder)
        except Unreadable:
            return False
        return True

    def train(self, progress: Progress) -> int | None:
        """Go through the evaluation points that are left; the trial at which the run diverged."""
        try:
            for point in self.job.points[len(self.learning.lived.rows) :]:
                if self.learning.stopped():
                    break
                while not self.learning.learn(point, progress):
                    self._save_in_time()
                row = self.learning.read(point, self._seconds())
                with writing(self.folder):
                    append_row(self.folder / METRICS, row)
                self.note(row)
                self._save_in_time()
            self._save()
        except Diverged as end:
            return end.trial
        return None

    def finish(self, diverged: int | None) -> None:
        """Read the test images, and write what the run came to."""
        end = self.learning.end(diverged, self._seconds())
        with writing(self.folder):
            files.write_json(self.folder / DONE, asdict(end))

    def _seconds(self) -> float:
        return round(time.monotonic() - self._started, 3)

    def _save_in_time(self) -> None:
        if time.monotonic() - self._saved > self.every:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.job.settings is None:
            return
        self.learning.lived.seconds = self._seconds()
        state = self.learning.state()
        with writing(self.folder):
            checkpoint.write(self.folder / CHECKPOINT, *state)


def glance(job: Job, folder: Path) -> tuple[int, float | None]:
    """How far a run is, in trials, by its checkpoint, and its mean reward."""
    try:
        lived = checkpoint.read_facts(folder / CHECKPOINT)["run"]
    except (OSError, ValueError, KeyError):  # none yet, or none that is sound
        return 0, None
    last = lived["rows"][-1]["running_accuracy"] if lived["rows"] else None
    return min(lived["batches"] * job.batch, job.points[-1]), last


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong inside is the disk's fault, not the run's."""
    try:
        yield
    except OSError as fault:
        raise Unwritable(
            f"{folder} cannot be written ({fault.strerror or fault}): what is there is kept; mend "
            "that, and the same command goes on"
        ) from fault


def _first_line(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0]
