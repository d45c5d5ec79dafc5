"""Many runs, side by side: what is done is not run again, what is unfinished goes on.

A run that fails or diverges neither stops the others nor disappears. Two sweeps may work in one
folder: a run that another is making is left to it, and its result read at the end.
"""

import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from agents.runs.attempt import Attempt, Failed, Outcome, earlier
from agents.runs.board import writer_class
from agents.runs.executors import deaf_to_ctrl_c, local, plain, slurm
from agents.runs.job import Job, Result
from agents.runs.origin import origin
from agents.runs.progress import Bar
from agents.runs.run import Unwritable, glance
from agents.runs.sent import sent

LOOK = 0.1  # seconds between two looks for finished runs
GLANCE = 1.0  # seconds between two looks at the checkpoints of the others


@dataclass(frozen=True)
class How:
    """How runs are made: what comes out does not depend on it."""

    workers: int = 0
    """Runs at once on this machine; 0: one a core, or one a GPU."""
    threads: int = 1
    """PyTorch's threads in each run: small networks only wait for a second one."""
    deterministic: bool = False
    """Only kernels that give the same bits at every call: slower, and of use on a GPU alone."""
    executor: Literal["local", "slurm"] = "local"
    """Where runs are made: in processes on this machine, or as jobs on a SLURM cluster."""
    slurm: str = ""
    """What Submitit passes on to SLURM, such as timeout_min=60,slurm_partition=long."""
    retry: bool = False
    """Try runs again that failed before."""
    quiet: bool = False
    """Show no progress, only what came out."""
    tensorboard: bool = False
    """Write each run's curves for TensorBoard into its folder, too."""

    def check_how(self) -> None:
        """Refuse now what could not be done. Raises ValueError."""
        if self.workers < 0 or self.threads < 1:
            raise ValueError(
                f"workers is 0 or more and threads 1 or more, got {self.workers}, {self.threads}"
            )
        if self.executor not in ("local", "slurm"):  # in a file of options anything may stand
            raise ValueError(f"executor is local or slurm, got {self.executor!r}")
        plain(self.slurm)
        if self.tensorboard:
            writer_class()


def run_all(jobs: Sequence[Job], root: Path, how: How) -> list[Result]:
    """The results of all jobs, in their order. Raises Failed, at the end, if one has none."""
    outcomes = sweep(jobs, root, how)
    failed = [(job, o.failed) for job, o in zip(jobs, outcomes, strict=True) if o.failed]
    if failed:
        job, why = failed[0]
        raise Failed(f"{job}: {why}; {len(failed)} of {len(jobs)} runs failed, the others are kept")
    return [outcome.result for outcome in outcomes if outcome.result]


def sweep(jobs: Sequence[Job], root: Path, how: How) -> list[Outcome]:
    """Make the runs that are not there yet; what became of each job, in their order."""
    how.check_how()
    before = {job: earlier(job, root, how.retry) for job in jobs}
    outcomes = {job: outcome for job, outcome in before.items() if outcome}
    todo = [job for job in before if job not in outcomes]
    if todo:
        outcomes |= _make(todo, root, how)
    return [outcomes[job] for job in jobs]


def _make(todo: Sequence[Job], root: Path, how: How) -> dict[Job, Outcome]:
    total = sum(job.points[-1] for job in todo)
    try:
        on_gpu = any(job.on_gpu for job in todo)
        with executor(how, len(todo), on_gpu, root) as pool, Bar(total, how.quiet) as bar:
            watch = Watch(todo, root, bar)
            plan = Attempt(
                todo[0], root, origin(), how.threads, how.deterministic, retry=how.retry,
                board=how.tensorboard,
            )  # fmt: skip
            attempts = [replace(plan, job=job) for job in todo]
            watch.until_done(pool, attempts)
            left = [one for one in attempts if watch.outcomes[one.job] == Outcome()]
            watch.until_done(pool, [replace(one, waits=True, retry=False) for one in left])
            return watch.outcomes
    except BrokenProcessPool as fault:
        raise Failed(
            "a run's process ended early: it has said why, or was killed from outside, perhaps for "
            "want of memory; the same command goes on with what is unfinished"
        ) from fault
    except Unwritable as fault:
        raise Failed(str(fault)) from fault


def executor(how: How, runs: int, on_gpu: bool, root: Path) -> AbstractContextManager[Any]:
    """Anything with `submit`, whose futures know `done`, `result` and `cancel`."""
    if how.executor == "slurm":
        return slurm(root, how.slurm, how.threads, on_gpu)
    return local(how.workers, runs, on_gpu)


class Watch:
    """Waits for runs and shows how far they are, as their folders tell: wherever they are made."""

    def __init__(self, jobs: Sequence[Job], root: Path, bar: Bar):
        self.root, self.bar = root, bar
        self.outcomes: dict[Job, Outcome] = {}
        self._trials = {job: glance(job, job.folder(root))[0] for job in jobs}
        self._text = f"{len(jobs)} runs"
        self._glanced = time.monotonic()
        self._show()

    def until_done(self, pool: Any, attempts: Sequence[Attempt]) -> None:
        """Make the attempts and wait for them all."""
        with deaf_to_ctrl_c():
            futures = {one.job: pool.submit(_sent(one)) for one in attempts}
        try:
            while futures:
                for job in [job for job, future in futures.items() if future.done()]:
                    self._settle(job, _outcome(futures.pop(job)))
                if time.monotonic() - self._glanced > GLANCE:
                    self._glance(list(futures))
                time.sleep(LOOK)
        finally:
            for future in futures.values():
                future.cancel()

    def _settle(self, job: Job, outcome: Outcome) -> None:
        self.outcomes[job] = outcome
        for sentence in outcome.said:
            print(sentence, file=sys.stderr)
        if outcome != Outcome():
            self._trials[job] = job.points[-1]  # those that will not be run count as done
            self._text = f"{job}: {_became(outcome)}"
            self._show()

    def _glance(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            trials, running = glance(job, job.folder(self.root))
            if trials > self._trials[job] and running is not None:
                self._trials[job] = trials
                self._text = f"{job}: mean reward {running:.3f}"
        self._show()
        self._glanced = time.monotonic()

    def _show(self) -> None:
        self.bar.show(sum(self._trials.values()), self._text)


def _sent(attempt: Attempt) -> Callable[[], Outcome]:
    settings = attempt.job.settings
    return attempt if settings is None else sent(attempt, settings)


def _outcome(future: Any) -> Outcome:
    """What an attempt came to, even where the job that made it was lost on a cluster."""
    try:
        return future.result()
    except (BrokenProcessPool, Unwritable):
        raise
    except Exception as fault:
        last = str(fault).strip().splitlines()[-1:] or [""]
        return Outcome(failed=f"{type(fault).__name__}: {last[0]}")


def _became(outcome: Outcome) -> str:
    if outcome.result is None:
        return f"failed: {outcome.failed}"
    if outcome.result.diverged is not None:
        return f"diverged at trial {outcome.result.diverged:,}"
    return f"validation {outcome.result.validation[-1]:.1%}"
