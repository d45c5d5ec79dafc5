"""A finished run is kept and not run again; one that differs in anything is another run."""

from dataclasses import replace

import pytest
from small import POINTS, QUIET, job

from agents.runs.attempt import earlier
from agents.runs.sweep import run_all


def test_a_finished_run_is_not_run_again(made, tmp_path):
    first = run_all([job("q_agrel"), job("supervised")], tmp_path, QUIET)
    again = run_all([job("supervised"), job("supervised", 101), job("q_agrel")], tmp_path, QUIET)
    assert made == [("q_agrel", 100), ("supervised", 100), ("supervised", 101)]
    assert again[2::-2] == first  # in the order of the jobs, bit for bit


def test_a_job_that_is_asked_for_twice_is_run_once(made, tmp_path):
    one, other = run_all([job("q_agrel")] * 2, tmp_path, QUIET)
    assert one == other
    assert len(made) == 1


CHANGED = [
    job("q_agrel", lr=0.051), job("q_agrel", init="paper"), job("q_agrel", sizes=(17,)),
    job("q_agrel", credit="feedback_alignment"), job("q_agrel", epsilon=0.03),
    job("q_agrel", weight_decay=0.1), replace(job("q_agrel"), batch=64),
    replace(job("q_agrel"), env="MNISTReward-v0"), replace(job("q_agrel"), device="cuda"),
    replace(job("q_agrel"), reads_test=False), job("q_agrel", 101),
    replace(job("q_agrel"), agent="brainprop"), job("q_agrel", points=(128, 384)),
    job("q_agrel", points=(128, 256)), replace(job("q_agrel"), watched=True),
]  # fmt: skip


@pytest.mark.parametrize("changed", CHANGED, ids=range(len(CHANGED)))
def test_a_changed_setting_is_another_run(changed, made, tmp_path):
    run_all([job("q_agrel")], tmp_path, QUIET)
    assert earlier(job("q_agrel"), tmp_path, retry=False) is not None
    assert earlier(changed, tmp_path, retry=False) is None


@pytest.mark.parametrize("points", [(), (0, 128), (128, 128), (128, 200), (256, 128)])
def test_points_that_are_no_budget_are_refused(points):
    with pytest.raises(ValueError, match="points are numbers of trials, each a batch of 128 or"):
        job("q_agrel", points=points)
    assert job("q_agrel", points=POINTS)
