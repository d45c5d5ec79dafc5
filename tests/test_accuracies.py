"""The accuracies that the README claims for MNIST, measured again: `make test-slow`."""

from pathlib import Path

import pytest

from agents.comparison import records
from agents.comparison.statistics import mean_interval, paired_difference
from agents.runs.job import Job
from agents.runs.sweep import How, run_all
from agents.settings import settings_of

BATCH, TRIALS, SEEDS = 128, 540_000, range(100, 105)
LEAST = {"supervised": 0.975, "q_agrel": 0.968, "reward_prediction+kolen_pollack": 0.968}
LEARNED, FIXED = "learned_feedback", "reward_prediction+feedback_alignment"

pytestmark = pytest.mark.slow


def measure(env: str, agent: str, folder: Path) -> list[float]:
    """Test accuracy of the searched settings after ten epochs, by seed."""
    settings = records.chosen(env, agent, settings_of(agent), BATCH)
    assert settings is not None, f"no settings were searched for {agent}"
    jobs = [Job(env, agent, settings, seed, BATCH, (TRIALS,)) for seed in SEEDS]
    return [result.test_accuracy or 0.0 for result in run_all(jobs, folder, How())]


@pytest.mark.parametrize("dataset", ["MNIST"], indirect=True)
@pytest.mark.parametrize("agent", LEAST)
def test_the_claimed_accuracy_is_reached(dataset, agent, tmp_path):
    mean = mean_interval(measure(f"{dataset}Reward-v0", agent, tmp_path)).value
    assert mean is not None
    assert mean >= LEAST[agent]


@pytest.mark.parametrize("dataset", ["MNIST"], indirect=True)
def test_learned_feedback_beats_fixed_random_feedback(dataset, tmp_path):
    env = f"{dataset}Reward-v0"
    learned, fixed = (measure(env, agent, tmp_path) for agent in (LEARNED, FIXED))
    difference = paired_difference(learned, fixed)
    assert difference.value is not None
    assert difference.low is not None
    assert difference.value >= 0.015
    assert difference.low > 0
