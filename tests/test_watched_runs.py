"""Runs that are watched: the same runs with an angle."""

import csv
import json
from dataclasses import asdict, replace

from small import POINTS, QUIET, job, run_once, without_processes

from agents.runs.folder import find
from agents.runs.sweep import run_all


def cell(rule="feedback_alignment", **settings):
    return job("q_agrel", credit=rule, **settings)


def test_a_watched_run_is_the_unwatched_one_with_an_angle():
    watched, unwatched = (run_once(replace(cell(), watched=w)) for w in (True, False))
    assert unwatched.change_angle is None
    assert 0 < watched.change_angle < 180
    assert replace(watched, seconds=0, change_angle=None) == replace(unwatched, seconds=0)


def test_a_run_without_an_angle_is_watched_in_vain(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for vain in cell("readout_only"), job("own:Recorder"):
        assert run_once(replace(vain, watched=True)).change_angle is None


def test_a_watched_run_that_diverges_is_written_as_any_other():
    result = run_once(replace(cell(lr=1e30), watched=True))
    assert result.diverged is not None
    json.dumps(asdict(result), allow_nan=False)


def test_a_watched_run_is_another_run_than_the_unwatched_one(monkeypatch, tmp_path):
    made = without_processes(monkeypatch)
    for one in cell(), replace(cell(), watched=True):
        run_all([one], tmp_path, QUIET)
    assert len(made) == 2


def test_a_row_has_the_mean_of_the_angles_read_since_the_row_before(monkeypatch, tmp_path):
    monkeypatch.setattr("agents.metrics.Alignment.__init__.__defaults__", (2,))  # each 2nd batch
    without_processes(monkeypatch)
    (result,) = run_all([replace(cell(), watched=True)], tmp_path, QUIET)
    ((record,), _) = find(tmp_path)
    angles = [row.change_angle for row in record.rows]
    assert [angle is None for angle in angles] == [False, True, False]  # read at 0 and 256
    assert sum(angles[::2]) / 2 == result.change_angle
    with (record.folder / "metrics.csv").open() as file:
        assert [row["change_angle"] for row in csv.DictReader(file)][1] == ""
    assert [row.trials for row in record.rows] == list(POINTS)
