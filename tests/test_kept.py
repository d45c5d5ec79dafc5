"""A finished run is kept and not run again; one that differs in anything is another run."""

import itertools
import json
import queue
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from types import SimpleNamespace

import pytest
from small import POINTS, job, without_processes

from agents.comparison import pool
from agents.comparison.pool import run_all
from agents.comparison.run import Result


@pytest.fixture
def made(monkeypatch):
    return without_processes(monkeypatch)


def test_a_finished_run_is_not_run_again(made, tmp_path):
    first = run_all([job("q_agrel"), job("supervised")], POINTS, tmp_path)
    again = run_all([job("supervised"), job("supervised", 101), job("q_agrel")], POINTS, tmp_path)
    assert made == [("q_agrel", 100), ("supervised", 100), ("supervised", 101)]
    assert again[2::-2] == first  # in the order of the jobs, bit for bit


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"agent": "q_agrel"}', "\x00" * 300])
def test_a_damaged_result_is_run_again(content, made, tmp_path):
    first = run_all([job("q_agrel")], POINTS, tmp_path)
    (file,) = tmp_path.glob("**/seed-100.json")
    whole = json.loads(file.read_text())
    file.write_text(content)
    second = run_all([job("q_agrel")], POINTS, tmp_path)
    assert len(made) == 2
    assert [replace(result, seconds=0) for result in first + second] == 2 * [
        Result(**whole | {"seconds": 0, "trials": POINTS, "validation": first[0].validation})
    ]


CHANGED = [
    job("q_agrel", lr=0.051), job("q_agrel", init="paper"), job("q_agrel", sizes=(17,)),
    job("q_agrel", credit="feedback_alignment"), job("q_agrel", epsilon=0.03),
    job("q_agrel", weight_decay=0.1), replace(job("q_agrel"), batch=64),
    replace(job("q_agrel"), env="MNISTReward-v0"), replace(job("q_agrel"), device="cuda"),
    replace(job("q_agrel"), reads_test=False), job("q_agrel", 101),
    replace(job("q_agrel"), agent="brainprop"),
]  # fmt: skip


@pytest.mark.parametrize("changed", CHANGED, ids=range(len(CHANGED)))
def test_a_changed_setting_is_another_run(changed, made, tmp_path):
    run_all([job("q_agrel")], POINTS, tmp_path)
    assert pool._kept(job("q_agrel"), POINTS, tmp_path) is not None
    assert pool._kept(changed, POINTS, tmp_path) is None


def test_another_budget_is_another_run(made, tmp_path):
    run_all([job("q_agrel")], POINTS, tmp_path)
    assert pool._kept(job("q_agrel"), (128, 256), tmp_path) is None


def test_a_class_of_ones_own_is_always_run_again(made, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        run_all([job("own:Recorder"), job("q_agrel")], POINTS, tmp_path / "runs")
    assert made == [("own:Recorder", 100), ("q_agrel", 100), ("own:Recorder", 100)]


def test_without_a_terminal_there_is_a_line_in_ten_seconds_at_most(monkeypatch, capsys):
    seconds = itertools.count()  # one passes at every look at the clock
    monkeypatch.setattr(pool, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    said = queue.Queue()
    for reading in range(100):
        said.put((10, "q_agrel seed 100", reading / 100))
    pool._watch([SimpleNamespace(done=said.empty, result=lambda: None)], said, 1000)
    lines = capsys.readouterr().out.splitlines()
    assert 3 <= len(lines) <= next(seconds) / pool.PERIOD
    assert pool.PERIOD == 10
    assert all("trials/s  q_agrel seed 100: validation" in line for line in lines)


def test_the_first_run_to_fail_ends_the_watch_though_others_go_on():
    failed = Future()
    failed.set_exception(ValueError("bad luck"))
    with pytest.raises(ValueError, match="bad luck"):
        pool._watch([Future(), failed], queue.Queue(), 1000)


def test_a_process_that_was_killed_is_named_in_a_sentence(made, monkeypatch, tmp_path):
    def killed(*_):
        raise BrokenProcessPool

    monkeypatch.setattr(pool, "run", killed)
    with pytest.raises(pool.Failed, match="killed from outside.* finished runs are kept"):
        run_all([job("q_agrel")], POINTS, tmp_path)
