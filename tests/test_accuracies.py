"""The accuracies that the README claims for MNIST, measured again: `make test-slow`."""

import pytest

from agents.comparison import records
from agents.comparison.pool import run_all
from agents.comparison.run import Job
from agents.comparison.statistics import mean_interval, paired_difference
from agents.settings import settings_of

BATCH, TRIALS, SEEDS = 128, 540_000, range(100, 105)
LEAST = {"supervised": 0.975, "q_agrel": 0.968, "reward_prediction+kolen_pollack": 0.968}
LEARNED, FIXED = "learned_feedback", "reward_prediction+feedback_alignment"

pytestmark = pytest.mark.slow


def measure(env: str, agent: str) -> list[float]:
    """Test accuracy of the searched settings after ten epochs, by seed."""
    settings = records.chosen(env, agent, settings_of(agent), BATCH)
    assert settings is not None, f"no settings were searched for {agent}"
    jobs = [Job(env, agent, settings, seed, BATCH) for seed in SEEDS]
    return [result.test_accuracy or 0.0 for result in run_all(jobs, (TRIALS,), None)]


@pytest.mark.parametrize("dataset", ["MNIST"], indirect=True)
@pytest.mark.parametrize("agent", LEAST)
def test_the_claimed_accuracy_is_reached(dataset, agent):
    mean = mean_interval(measure(f"{dataset}Reward-v0", agent)).value
    assert mean is not None
    assert mean >= LEAST[agent]


@pytest.mark.parametrize("dataset", ["MNIST"], indirect=True)
def test_learned_feedback_beats_fixed_random_feedback(dataset):
    env = f"{dataset}Reward-v0"
    difference = paired_difference(measure(env, LEARNED), measure(env, FIXED))
    assert difference.value is not None
    assert difference.low is not None
    assert difference.value >= 0.015
    assert difference.low > 0
