"""One run as one of many: it is left alone if done, and its failure is kept, not raised."""

import os
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout

from agents.runs import folder as files
from agents.runs.board import Board
from agents.runs.executors import Requeued
from agents.runs.folder import FAILED, LOCK, Unreadable
from agents.runs.job import Job, Result, result_of
from agents.runs.learning import Progress
from agents.runs.origin import now
from agents.runs.run import Unwritable, run, writing


class Failed(RuntimeError):
    """What was asked for could not be done; the message says what, and why."""


@dataclass(frozen=True)
class Outcome:
    """What became of a job: a result, or why there is none. Neither: another is at work on it."""

    result: Result | None = None
    failed: str | None = None
    said: tuple[str, ...] = ()  # on the way


def unseen(trials: int, accuracy: float) -> None:
    """Progress that nobody looks at: a sweep reads it from the runs' folders."""


@dataclass(frozen=True)
class Attempt(Requeued):
    """Makes a run, wherever it is called: in a process of a pool, or on a machine of a cluster."""

    job: Job
    root: Path
    source: Mapping[str, Any]  # as in `run`
    threads: int  # PyTorch's, for each run
    deterministic: bool = False  # the same bits on a GPU at every call, if more slowly
    waits: bool = False  # for another that is at work in the folder; else it is left to that one
    retry: bool = False  # even if it failed before
    board: bool = False  # for TensorBoard, too
    progress: Progress = unseen

    def __call__(self) -> Outcome:
        """Begin it or go on with it. Raises Unwritable: the other runs could not be kept either."""
        torch.set_num_threads(self.threads)
        torch.use_deterministic_algorithms(self.deterministic)
        if self.deterministic:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS asks for it
        folder = self.job.folder(self.root)
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            try:
                held = FileLock(folder / LOCK, timeout=-1 if self.waits else 0).acquire()
            except Timeout:
                return Outcome()
        with held:
            return earlier(self.job, self.root, self.retry) or self._run(folder)

    def _run(self, folder: Path) -> Outcome:
        said: list[str] = []
        try:
            with Board(folder, self.board) as board:
                result = run(
                    self.job, folder, self.progress, said.append, source=self.source,
                    note=board.add,
                )  # fmt: skip
        except Unwritable:
            raise
        except Exception as fault:
            why = blame(self.job, fault)
            content = {"error": why, "at": now(), "traceback": traceback.format_exc()}
            with writing(folder):
                files.write_json(folder / FAILED, content)
            return Outcome(failed=why, said=tuple(said))
        return Outcome(result, said=tuple(said))


def earlier(job: Job, root: Path, retry: bool) -> Outcome | None:
    """What an earlier call came to; None: the run is to be begun, gone on with, or mended.

    An agent that was given as an argument may have changed, so it is run again.
    """
    if job.own is not None:
        return None
    try:
        record = files.read(job.folder(root))
    except Unreadable:
        return None
    if record.end is not None and not record.faults:
        return Outcome(result_of(record))
    if record.failed is not None and not retry:
        return Outcome(failed=f"it failed before, --retry tries again: {record.failed}")
    return None


def blame(job: Job | str, fault: Exception) -> str:
    """What went wrong, and on which line of a user's own "module:Class"."""
    agent = job if isinstance(job, str) else job.agent
    module = agent.partition(":")[0].rpartition("+")[2].rpartition(".")[2]
    trace = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in trace if Path(frame.filename).stem == module]
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    return " ".join(f"{type(fault).__name__}: {fault}{place}".split())
