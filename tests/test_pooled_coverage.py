"""How often intervals across environments cover the truth, on simulated runs."""

import math

import numpy as np
import pytest
from scipy import stats

from agents.comparison import pooled
from agents.comparison.pooled import Pool

LEAST_COVERAGE = 0.93  # measured, at nominal 95 %

# Coverage. Runs of one seed are alike (correlation .5) or not; environments differ.

SUPERVISED, SPREAD = np.array([0.98, 0.9, 0.6, 0.95]), np.array([0.002, 0.005, 0.01, 0.004])
BELOW, WIDER = np.array([0.01, 0.05, 0.1, 0.03]), np.array([1, 8, 2, 1])
TENTH = np.full(4, 0.1)


def simulated(rng, runs, n, below, wider, alike=0.5):
    """Supervised's accuracies and an agent's: two arrays (runs, n, m)."""
    m = len(below)
    seed, own = rng.normal(size=(2, runs, n, m))
    noise = alike * seed + math.sqrt(1 - alike**2) * own
    agent = SUPERVISED[:m] - below + SPREAD[:m] * wider * noise
    return SUPERVISED[:m] + SPREAD[:m] * seed, agent


def covered(figure, truth, n, below, wider, runs, monkeypatch, alike=0.5):
    """How often a pool's `figure` holds the truth; from 500 runs on it is known to 1 %."""
    monkeypatch.setattr(pooled, "DRAWS", 400)
    supervised, agents = simulated(np.random.default_rng(n), runs, n, below, wider, alike)
    hits = 0
    for pair in zip(supervised, agents, strict=True):
        pool = Pool(dict(zip(("supervised", "agent"), pair, strict=True)), TENTH[: len(below)])
        estimate = figure(pool)
        hits += estimate.low <= truth <= estimate.high
    return hits / runs


def true_iqm(below, wider):
    """Of endless runs: 400 000 an environment, and the scale as it is."""
    _, agent = simulated(np.random.default_rng(99), 1, 400_000, below, wider)
    m = len(below)
    return float(stats.trim_mean((agent - 0.1) / (SUPERVISED[:m] - 0.1), 0.25, axis=None))


IQM_CASES = {
    "apart": (BELOW[:3], np.full(3, 2)),
    "alike": (np.zeros(2), np.ones(2)),
    "unequal spread": (BELOW[:2], WIDER[:2]),
}


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("case", IQM_CASES)
def test_the_iqms_interval_covers_the_truth(n, case, monkeypatch):
    below, wider = IQM_CASES[case]
    truth = true_iqm(below, wider)
    found = covered(lambda pool: pool.iqm("agent"), truth, n, below, wider, 2000, monkeypatch)
    assert found >= LEAST_COVERAGE


@pytest.mark.slow
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("m", [2, 3, 4])
@pytest.mark.parametrize("below", [np.zeros(4), BELOW], ids=["alike", "apart"])
@pytest.mark.parametrize("wider", [np.full(4, 2), WIDER], ids=["twice as wide", "unequal spread"])
def test_the_iqms_interval_covers_the_truth_anywhere(n, m, below, wider, monkeypatch):
    truth = true_iqm(below[:m], wider[:m])
    arguments = truth, n, below[:m], wider[:m], 4000, monkeypatch
    assert covered(lambda pool: pool.iqm("agent"), *arguments) >= LEAST_COVERAGE


# In parts of the spread: how far the agent is above supervised in each environment.
AHEAD = {"even": (0, 0, 0), "far": (2.3, 2.3, 2.3), "mixed": (0, 2.3, -3)}


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("case", AHEAD)
def test_the_probability_of_improvements_interval_covers_the_truth(n, case, monkeypatch):
    ahead = np.array(AHEAD[case])
    truth = stats.norm.cdf(ahead / math.sqrt(2)).mean()  # of two independent runs
    found = covered(
        lambda pool: pool.improvement("agent", "supervised"), truth, n, -ahead * SPREAD[:3],
        np.ones(3), 600, monkeypatch,
    )  # fmt: skip
    assert found >= LEAST_COVERAGE


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("case", AHEAD)
@pytest.mark.parametrize("alike", [0, 0.5])
def test_the_profiles_interval_covers_the_truth(n, case, alike, monkeypatch):
    # At score 1 the level is supervised's own mean, as uncertain as anything.
    ahead = np.array(AHEAD[case])
    truth = stats.norm.cdf(ahead).mean()
    found = covered(
        lambda pool: pool.profile("agent", (1,))[0], truth, n, -ahead * SPREAD[:3], np.ones(3),
        600, monkeypatch, alike,
    )  # fmt: skip
    assert found >= LEAST_COVERAGE
