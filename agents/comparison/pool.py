"""Many runs on the cores there are: each in a process of its own, kept on disk when it is done."""

import json
import os
import queue
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import torch
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from agents.checkpoint import replace
from agents.comparison.run import Job, Result, run

PERIOD = 10  # seconds between lines of progress where there is no terminal

_said: Any = None  # a worker's line to the parent: (trials, name, validation accuracy)


class Failed(RuntimeError):
    """A run could not be finished; the message says which, and why."""


def run_all(jobs: Sequence[Job], points: tuple[int, ...], folder: Path | None) -> list[Result]:
    """Run the jobs side by side, with a progress bar; results in the order of the jobs.

    What `folder` already holds is not run again, and each result is there as soon as it is done,
    so a killed comparison goes on where it was.
    """
    results = {job: kept for job in jobs if (kept := _kept(job, points, folder))}
    todo = [job for job in jobs if job not in results]
    if todo:
        results |= _in_processes(todo, points, folder)
    return [results[job] for job in jobs]


def _in_processes(
    todo: Sequence[Job], points: tuple[int, ...], folder: Path | None
) -> dict[Job, Result]:
    context = get_context("spawn")
    said = context.Queue()
    workers = 1 if any(job.device != "cpu" for job in todo) else min(cores(), len(todo))
    others = active_children()
    with ProcessPoolExecutor(workers, context, _listen, (said,)) as pool:
        try:
            with _deaf_to_ctrl_c():
                futures = {job: pool.submit(_run, job, points, folder) for job in todo}
            _watch(list(futures.values()), said, len(todo) * points[-1])
            return {job: future.result() for job, future in futures.items()}
        except BrokenProcessPool as fault:
            raise Failed(
                "a run's process was killed from outside, perhaps for want of memory; finished "
                "runs are kept"
            ) from fault
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()).difference(others):
                process.terminate()
            raise


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C: it is for their parent to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _listen(said: Any) -> None:
    global _said
    _said = said
    torch.set_num_threads(1)  # one run a core: faster than one run on all cores
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # it was killed: nobody else would end this process


def _run(job: Job, points: tuple[int, ...], folder: Path | None) -> Result:
    def progress(trials: int, accuracy: float) -> None:
        _said.put((trials, f"{job.agent} seed {job.seed}", accuracy))

    try:
        result = run(job, points, progress)
    except Exception as fault:
        if job.settings is not None:
            raise
        raise Failed(f"{job.agent} with seed {job.seed}: {blame(job.agent, fault)}") from fault
    if result.diverged is not None:  # the bar counts the trials that will not be run
        _said.put((points[-1] - sum(result.trials[-1:]), f"{job.agent} diverged", 0.0))
    if folder is not None:
        replace(_path(job, points, folder), json.dumps(asdict(result)).encode())
    return result


def blame(agent: str, fault: Exception) -> str:
    """What went wrong in a user's own "module:Class", and on which line of the module."""
    module = agent.partition(":")[0].rpartition(".")[2]
    trace = traceback.extract_tb(fault.__traceback__)
    own = [frame for frame in trace if Path(frame.filename).stem == module]
    place = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    return f"{type(fault).__name__}: {fault}{place}"


def _path(job: Job, points: tuple[int, ...], folder: Path) -> Path:
    name = job.agent.replace(":", "_").replace("/", "_")
    return folder / name / f"{job.key()}-{points[-1]}" / f"seed-{job.seed}.json"


def _kept(job: Job, points: tuple[int, ...], folder: Path | None) -> Result | None:
    """The result of an earlier call; a user's own class may have changed, so it is run again."""
    if folder is None or job.settings is None:
        return None
    try:
        plain = json.loads(_path(job, points, folder).read_text())
        return Result(**plain | {k: tuple(plain[k]) for k in ("trials", "validation")})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None  # not there, or not whole: run it


def _watch(futures: list[Future], said: Any, total: int) -> None:
    """Show how far the runs are, until all are done; raise the error of the first to fail."""
    bar = Progress(
        TextColumn("{task.percentage:>3.0f} %"), BarColumn(), TimeRemainingColumn(),
        TextColumn("{task.fields[speed]:,.0f} trials/s  {task.description}"),
        disable=not sys.stdout.isatty(), console=Console(),
    )  # fmt: skip
    start = shown = time.monotonic()
    done = 0
    with bar:
        task = bar.add_task("starting", total=total, speed=0.0)
        while not all(future.done() for future in futures):
            for future in futures:
                if future.done():
                    future.result()
            try:
                trials, name, accuracy = said.get(timeout=0.2)
            except queue.Empty:
                continue
            done += trials
            speed = done / (time.monotonic() - start)
            text = f"{name}: validation {accuracy:.1%}"
            bar.update(task, completed=done, description=text, speed=speed)
            if bar.disable and time.monotonic() - shown > PERIOD:
                shown = time.monotonic()
                print(f"{done / total:4.0%}  {speed:,.0f} trials/s  {text}", flush=True)
        bar.update(task, completed=total)
