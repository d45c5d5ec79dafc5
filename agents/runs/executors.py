"""Where runs are made: in processes here, or on a SLURM cluster."""

import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import torch

LOGS = "slurm"  # below the runs' root: what SLURM's jobs print, and Submitit's own files
TIMEOUTS = 1000  # so often a job that ran out of time is put into the queue again


@contextmanager
def local(workers: int, most: int, on_gpu: bool) -> Iterator[Any]:
    """A pool of processes, which end with this one. No workers: as many as there is room for."""
    if sys.modules["__mp_main__"].__name__ == "__mp_main__":  # in the process of a run itself
        sys.exit(
            "runs are made in processes, and each begins by importing your script: put what "
            "starts them below if __name__ == '__main__':"
        )
    context = get_context("spawn")
    gpus = torch.cuda.device_count() if on_gpu else 0
    count = min(workers or gpus or cores(), most)
    others = active_children()
    with ProcessPoolExecutor(count, context, _prepare, (context.Value("i"), gpus)) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            for process in set(active_children()).difference(others):
                process.terminate()
            raise


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def deaf_to_ctrl_c() -> Iterator[None]:
    """Processes started meanwhile do not hear Ctrl-C: it is for their parent to end them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _prepare(started: Any, gpus: int) -> None:
    """A new worker takes the next GPU in turn, and waits for the end of its parent."""
    with started.get_lock():
        number = started.value
        started.value += 1
    if gpus:
        torch.cuda.set_device(number % gpus)  # which one "cuda" then means
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)  # it was killed: nobody else would end this process


@contextmanager
def slurm(root: Path, parameters: str, threads: int, on_gpu: bool) -> Iterator[Any]:
    """Submitit's executor; `parameters` as "timeout_min=60,slurm_partition=long"."""
    try:
        import submitit  # pyright: ignore[reportMissingImports]
    except ImportError as fault:
        raise ValueError(
            f"Submitit is not there ({fault}): pip install 'credit-envs[slurm]'"
        ) from fault
    executor = submitit.AutoExecutor(root / LOGS, "slurm", slurm_max_num_timeout=TIMEOUTS)
    executor.update_parameters(
        cpus_per_task=threads, gpus_per_node=int(on_gpu), name="credit-envs", **plain(parameters)
    )
    yield executor


class Requeued:
    """A call that SLURM may end before its time: a run goes on from its folder."""

    def checkpoint(self) -> Any:
        """Submitit asks before time is up: the same again."""
        from submitit.helpers import DelayedSubmission  # pyright: ignore[reportMissingImports]

        return DelayedSubmission(self)


def plain(parameters: str) -> dict[str, int | str]:
    """The parameters as a dict. Raises ValueError."""
    pairs = [pair.partition("=") for pair in parameters.split(",") if pair]
    if not all(name and equals for name, equals, _ in pairs):
        raise ValueError(f"slurm {parameters!r}: give name=value,name=value as Submitit knows them")
    return {name: int(value) if value.isdigit() else value for name, _, value in pairs}
