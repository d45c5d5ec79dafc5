"""Runs that are watched: the same runs with an angle, and those kept before still count."""

import json
from dataclasses import asdict, replace
from functools import partial
from hashlib import blake2b

import torch
from small import POINTS, job, quietly, without_processes

from agents.comparison import pool
from agents.comparison.run import run


def cell(rule="feedback_alignment", **settings):
    return job("q_agrel", credit=rule, **settings)


def test_a_watched_run_is_the_unwatched_one_with_an_angle():
    watched, unwatched = (run(replace(cell(), watched=w), POINTS, quietly) for w in (1, 0))
    assert unwatched.change_angle is None
    assert 0 < watched.change_angle < 180
    assert replace(watched, seconds=0, change_angle=None) == replace(unwatched, seconds=0)


def test_a_run_without_an_angle_is_watched_in_vain(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for vain in cell("readout_only"), job("own:Recorder"):
        assert run(replace(vain, watched=True), POINTS, quietly).change_angle is None


def test_a_watched_run_that_diverges_is_written_as_any_other():
    result = run(replace(cell(lr=1e30), watched=True), POINTS, quietly)
    assert result.diverged is not None
    json.dumps(asdict(result), allow_nan=False)


def test_results_that_were_kept_before_there_were_watches_are_still_good(monkeypatch, tmp_path):
    made = without_processes(monkeypatch)
    kept = partial(pool._kept, points=POINTS, folder=tmp_path)
    (result,) = pool.run_all([cell()], POINTS, tmp_path)
    (file,) = tmp_path.glob("**/seed-100.json")
    old = json.loads(file.read_text())
    del old["change_angle"]
    file.write_text(json.dumps(old))
    assert kept(cell()) == result
    assert kept(replace(cell(), watched=True)) is None
    (watched,) = pool.run_all([replace(cell(), watched=True)], POINTS, tmp_path)
    assert kept(replace(cell(), watched=True)) == watched
    assert len(made) == 2


def test_the_key_of_an_unwatched_run_is_what_it_always_was():
    plain = asdict(cell()) | {
        "settings": cell().settings.to_dict(), "agent": "", "seed": 0,
        "torch": torch.__version__,
    }  # fmt: skip
    del plain["watched"]
    assert plain.keys() == {
        "env", "agent", "settings", "seed", "batch", "device", "reads_test", "torch",
    }  # fmt: skip
    content = json.dumps(plain, sort_keys=True).encode()
    assert cell().key() == blake2b(content, digest_size=4).hexdigest()
