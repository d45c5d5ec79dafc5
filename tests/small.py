"""Small runs on the digits, in this process: a pool of processes takes seconds to start."""

import tempfile
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from agents.runs import attempt, executors
from agents.runs.job import Job
from agents.runs.run import run
from agents.runs.sweep import How
from agents.settings import settings_of

POINTS = (128, 256, 384)
QUIET = How(quiet=True)


def job(agent, seed=100, points=POINTS, **settings):
    chosen = None if ":" in agent else replace(settings_of(agent), sizes=(16,))
    chosen = chosen and replace(chosen, **settings)
    return Job("DigitsReward-v0", agent, chosen, seed, batch=128, points=points)


def quietly(trials, accuracy):
    pass


def run_once(job):
    """The result of a run whose folder nobody needs."""
    with tempfile.TemporaryDirectory() as folder:
        return run(job, Path(folder) / "run", quietly, source={})


class Inline:
    """Stands in for the pool of processes: runs at once, in this one."""

    def __init__(self, workers, context, initializer, arguments):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def shutdown(self, **_):
        pass

    def submit(self, function):
        future = Future()
        try:
            future.set_result(function())
        except Exception as fault:
            future.set_exception(fault)
        return future


def without_processes(monkeypatch):
    """Put it in the pool's place; returns the list of the runs that are made from then on."""
    made = []

    def run_and_note(job, *given, **more):
        made.append((job.agent, job.seed))
        return run(job, *given, **more)

    monkeypatch.setattr(executors, "ProcessPoolExecutor", Inline)
    monkeypatch.setattr(attempt, "run", run_and_note)
    return made
