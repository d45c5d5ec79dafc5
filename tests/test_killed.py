"""Killed with SIGKILL at any moment and started again, a run ends as one that never was."""

import random

import pytest
from killing import FAMILIES, FORK, POINTS, finish, job, kill, left

KILLS = 20


@pytest.fixture(scope="module", autouse=True)
def imported():
    """The seconds of the first process are not a run's."""
    process = FORK.Process(target=print)
    process.start()
    process.join()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_killed_run_ends_with_the_same_bits(family, tmp_path):
    """Two kills for each of the families."""
    survives(family, kills=2, folder=tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_a_run_killed_twenty_times_ends_with_the_same_bits(family, tmp_path):
    survives(family, KILLS, tmp_path)


def test_as_many_kills_as_were_promised():
    assert 2 * len(FAMILIES) >= KILLS


def survives(family, kills, folder):
    one, chance = job(family), random.Random(family)
    seconds = finish(one, folder / "never killed")
    for _ in range(kills):
        kill(one, folder / "killed", seconds, chance)
    finish(one, folder / "killed")
    whole = left(folder / "never killed")
    assert left(folder / "killed") == whole
    assert [row.trials for row in whole["rows"]] == list(one.points)
    assert POINTS[: len(one.points)] == one.points
