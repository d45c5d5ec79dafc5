"""Many runs: one that fails or diverges stops no other, and two sweeps share a folder."""

import itertools
import json
import shutil
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from filelock import FileLock
from killing import FORK
from small import POINTS, QUIET, job, without_processes

from agents.runs import attempt, progress
from agents.runs import run as running
from agents.runs.attempt import Attempt, Failed, Outcome
from agents.runs.executors import plain
from agents.runs.folder import LOCK, find, read
from agents.runs.learning import Learning
from agents.runs.sweep import How, run_all, sweep

GOOD, DIVERGING = job("q_agrel"), job("supervised", lr=1e30)
BAD = job("reinforce")


@pytest.fixture
def bad(monkeypatch, made):
    """A job that fails, until it is mended."""

    def learning(job):
        if job == BAD and learning.fails:
            raise RuntimeError("bad\nluck")
        return Learning(job)

    learning.fails = True
    monkeypatch.setattr(running, "Learning", learning)
    return learning


def test_a_failing_and_a_diverging_run_neither_stop_the_others_nor_disappear(bad, tmp_path):
    outcomes = sweep([BAD, DIVERGING, GOOD], tmp_path, QUIET)
    assert outcomes[0] == Outcome(failed="RuntimeError: bad luck")
    assert outcomes[1].result.diverged is not None
    assert outcomes[2].result.diverged is None
    records, faults = find(tmp_path)
    assert {record.config["agent"]: record.status for record in records} == {
        "reinforce": "failed", "supervised": "diverged", "q_agrel": "done",
    }  # fmt: skip
    assert faults == []
    content = json.loads((BAD.folder(tmp_path) / "failed").read_text())
    assert content["error"] == "RuntimeError: bad luck"
    assert "Traceback" in content["traceback"]


def test_what_failed_is_tried_again_only_when_asked_for(bad, made, tmp_path):
    sweep([BAD, GOOD], tmp_path, QUIET)
    (again,) = sweep([BAD], tmp_path, QUIET)
    assert again.failed == "it failed before, --retry tries again: RuntimeError: bad luck"
    assert made.count(("reinforce", 100)) == 1
    bad.fails = False
    (mended,) = sweep([BAD], tmp_path, replace(QUIET, retry=True))
    assert mended.result is not None
    assert sweep([BAD], tmp_path, QUIET) == [mended]


def test_what_failed_in_another_sweep_is_not_tried_again_here(bad, made, tmp_path):
    first = attempt_of(BAD, tmp_path)
    assert first().failed == "RuntimeError: bad luck"
    assert "it failed before" in replace(first, waits=True)().failed
    assert len(made) == 1


def test_results_are_whole_or_the_failure_is_said_in_a_sentence(bad, tmp_path):
    with pytest.raises(Failed) as end:
        run_all([GOOD, BAD], tmp_path, QUIET)
    assert str(end.value) == (
        "reinforce with seed 100 on DigitsReward-v0: RuntimeError: bad luck; 1 of 2 runs failed, "
        "the others are kept"
    )
    assert read(GOOD.folder(tmp_path)).status == "done"


def test_a_run_that_another_sweep_is_making_is_left_to_it_and_read_at_the_end(made, tmp_path):
    """The other one finishes while this one waits."""
    folder = GOOD.folder(tmp_path)
    folder.mkdir(parents=True)
    other = FORK.Process(target=hold, args=(GOOD, tmp_path))
    with FileLock(folder / LOCK):
        other.start()
        outcome = attempt_of(GOOD, tmp_path)()
        assert outcome == Outcome()
    wait_for(folder / "held")
    results = run_all([GOOD, DIVERGING], tmp_path, QUIET)
    assert made == [("supervised", 100)]
    assert results[0].test_accuracy is not None
    other.join()


def attempt_of(job, root, **more):
    return Attempt(job, root, {}, threads=1, **more)


def hold(job, root):
    """Make a run slowly."""
    folder = job.folder(root)
    with FileLock(folder / LOCK):
        (folder / "held").touch()
        time.sleep(2)
        attempt_of(job, root)._run(folder)


def wait_for(path: Path):
    end = time.monotonic() + 120
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_two_sweeps_at_once_make_every_run_once(tmp_path):
    jobs = [job(agent, seed) for seed in range(4) for agent in ("q_agrel", "supervised")]
    sweeps = [FORK.Process(target=inline_sweep, args=(jobs, tmp_path, n)) for n in range(2)]
    for one in sweeps:
        one.start()
    for one in sweeps:
        one.join(120)
        assert one.exitcode == 0
    made = [json.loads((tmp_path / f"made-{n}").read_text()) for n in range(2)]
    assert sorted(sum(made, [])) == sorted([one.agent, one.seed] for one in jobs)
    records, faults = find(tmp_path)
    assert [record.status for record in records] == ["done"] * 8
    assert faults == []


def inline_sweep(jobs, root, number):
    with pytest.MonkeyPatch.context() as monkeypatch:
        made = without_processes(monkeypatch)
        assert all(outcome.result for outcome in sweep(jobs, root, QUIET))
        (root / f"made-{number}").write_text(json.dumps(made))


def test_a_job_that_a_cluster_lost_is_a_failed_run_and_stops_no_other(made, monkeypatch, tmp_path):
    def lost(job, root, retry):
        if job == BAD and made:
            raise LookupError("Job 7 is gone:\nno output\n")
        return earlier(job, root, retry)

    earlier = attempt.earlier
    monkeypatch.setattr(attempt, "earlier", lost)
    outcomes = sweep([GOOD, BAD, DIVERGING], tmp_path, QUIET)
    assert outcomes[1] == Outcome(failed="LookupError: no output")
    assert outcomes[0].result
    assert outcomes[2].result


def test_a_process_that_was_killed_is_named_in_a_sentence(made, monkeypatch, tmp_path):
    def killed(*_, **__):
        raise BrokenProcessPool

    monkeypatch.setattr(attempt, "earlier", killed)
    with pytest.raises(Failed, match="killed from outside.* the same command goes on"):
        sweep([GOOD], tmp_path, QUIET)


def test_an_unfinished_run_goes_on_and_counts_as_far_as_it_is(made, monkeypatch, tmp_path):
    whole, part = tmp_path / "whole", tmp_path / "part"
    (first,) = run_all([GOOD], whole, QUIET)
    shutil.copytree(whole, part)
    (GOOD.folder(part) / "done").unlink()
    shown = []
    monkeypatch.setattr(progress.Bar, "show", lambda bar, trials, text: shown.append(trials))
    (again,) = run_all([GOOD], part, QUIET)
    assert replace(again, seconds=0) == replace(first, seconds=0)
    assert shown[0] == POINTS[-1]  # all of it was done


def test_without_a_terminal_there_is_a_line_in_ten_seconds_at_most(monkeypatch, capsys):
    seconds = itertools.count()  # one passes at every look at the clock
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    with progress.Bar(1000) as bar:
        for reading in range(100):
            bar.show(10 * reading, f"q_agrel: mean reward {reading / 100:.3f}")
    lines = capsys.readouterr().out.splitlines()
    assert 3 <= len(lines) <= next(seconds) / progress.PERIOD
    assert progress.PERIOD == 10
    assert all("trials/s" in line and "s left  q_agrel: mean" in line for line in lines)
    with progress.Bar(1000, quiet=True) as bar:
        for reading in range(100):
            bar.show(10 * reading, "nothing")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        (How(workers=-1), "workers is 0 or more and threads 1 or more, got -1, 1"),
        (How(threads=0), "workers is 0 or more and threads 1 or more, got 0, 0"),
        (How(slurm="long"), "slurm 'long': give name=value,name=value"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_run(how, sentence, tmp_path):
    with pytest.raises(ValueError, match=sentence):
        sweep([GOOD], tmp_path, how)
    assert list(tmp_path.iterdir()) == []


def test_what_is_passed_on_to_slurm_is_numbers_and_words():
    assert plain("timeout_min=60,slurm_partition=long") == {
        "timeout_min": 60, "slurm_partition": "long",
    }  # fmt: skip
    assert plain("") == {}
