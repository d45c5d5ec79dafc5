"""The runs of an autoencoder's figure: those that are not there yet are made."""

import json
from collections.abc import Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from agents.autoencoder import Coding
from agents.reproduction.coding.run import PROTOCOL, Attempt, Run, images_of
from agents.reproduction.plan import SPLITS, Plan
from agents.reproduction.results import Record
from agents.runs.attempt import Failed
from agents.runs.executors import deaf_to_ctrl_c
from agents.runs.origin import now, origin
from agents.runs.progress import Bar
from agents.runs.sweep import How, executor


def runs(plan: Plan) -> list[Run]:
    """All runs. Raises what `credit_envs.datasets.load` raises where images are missing."""
    figure, images = plan.figure, plan.figure.quick.images if plan.quick else 0
    epoch = len(images_of(figure.env, SPLITS[PROTOCOL]))
    found = []
    for line in figure.lines:
        epochs = plan.epochs(line, PROTOCOL)
        assert epochs is not None
        assert isinstance(line.settings, Coding)
        found += [
            Run(
                figure.name, line.name, figure.env, line.settings, seed, figure.batch, epochs,
                plan.points(epoch, epochs, PROTOCOL), images, plan.device,
            )
            for seed in plan.seed_range
        ]  # fmt: skip
    return found


def record(planned: Sequence[Run], quick: bool, root: Path, how: How) -> Record:
    """All that was run of the figure, after what was missing. Raises Failed, ValueError."""
    how.check_how()
    _make([run for run in planned if not run.path(root).exists()], root, how)
    rows = [json.loads(run.path(root).read_text()) for run in planned]
    where = origin()
    return Record(planned[0].figure, quick, where["command"], where["versions"], now(), rows)


def _make(todo: Sequence[Run], root: Path, how: How) -> None:
    """Make runs side by side."""
    if not todo:
        return
    source = {name: origin()[name] for name in ("commit", "dirty")}
    attempts = [Attempt(run, run.path(root), how.threads, source) for run in todo]
    done, total = 0, sum(run.points[-1] for run in todo)
    try:
        with executor(how, len(todo), todo[0].on_gpu, root) as pool, Bar(total, how.quiet) as bar:
            with deaf_to_ctrl_c():
                futures = [pool.submit(attempt) for attempt in attempts]
            for run, future in zip(todo, futures, strict=True):
                bar.show(done, f"{run.line} with seed {run.seed}")
                future.result()
                done += run.points[-1]
    except BrokenProcessPool as fault:
        raise Failed(
            "a run's process was killed from outside, perhaps for want of memory: the same command "
            "goes on with what is unfinished"
        ) from fault
