"""How many times as long: hand-worked ratios, and whole learning curves whose ratio is known."""

import math

import numpy as np
import pytest

from agents.comparison.statistics import (
    censoring_horizon,
    criterion,
    evaluation_points,
    hitting_time,
    last_seen,
    ratio,
)

LEAST_COVERAGE = 0.93  # measured, at nominal 95 %


def test_ratio_is_the_geometric_mean_with_an_interval_on_logs():
    reference = [100, 110, 90, 130, 70]
    powers = (1, 2, 3, 2, 2)
    estimate = ratio(
        [r * 2**p for r, p in zip(reference, powers, strict=True)], reference, horizon=1300
    )
    half = 2.776 * math.sqrt(0.5 / 5)
    assert estimate.value == pytest.approx(4)
    assert estimate.low == pytest.approx(2 ** (2 - half), rel=1e-3)
    assert estimate.high == pytest.approx(2 ** (2 + half), rel=1e-3)
    assert (estimate.kind, estimate.coverage) == ("geometric mean", 0.95)
    assert (estimate.lower_bound, estimate.censored) == (False, 0)


NEVER = None


@pytest.mark.parametrize(
    ("times", "reference", "value", "low", "high", "lower_bound", "censored"),
    [
        # One run not reached: the median is known, its interval is open above.
        ((200, 300, 400, 500, NEVER), (100,) * 5, 4, 2, None, False, 1),
        # Beyond the horizon is not reached either, whatever is known of it.
        ((200, 300, 400, 500, 1001), (100,) * 5, 4, 2, None, False, 1),
        # Past half: above the horizon's ratio and no more.
        ((200, 300, NEVER, NEVER, NEVER), (100,) * 5, 10, 2, None, True, 3),
        ((NEVER,) * 5, (100,) * 5, 10, 10, None, True, 5),
        # Not reached by 1000, with a slow reference: above 2, which says less than the others.
        ((300, 400, 500, 600, NEVER), (100, 100, 100, 100, 500), 4, 2, None, True, 1),
        # The reference not reached: that ratio is below 300 / 1000, the lowest: known enough.
        ((300, 300, 400, 500, 600), (NEVER, 100, 100, 100, 100), 4, None, 6, False, 1),
        # Neither reached: anything at all, so the median is only known from below.
        ((NEVER, 300, 400, 500, 600), (NEVER, 100, 100, 100, 100), 4, None, None, True, 1),
        # The reference never reached: nothing is known from below.
        ((500,) * 5, (NEVER,) * 5, None, None, 0.5, False, 5),
        ((NEVER,) * 5, (NEVER,) * 5, None, None, None, False, 5),
    ],
)
def test_a_censored_ratio_claims_what_is_known(
    times, reference, value, low, high, lower_bound, censored
):
    estimate = ratio(times, reference, horizon=1000)
    assert (estimate.value, estimate.low, estimate.high) == (value, low, high)
    assert (estimate.lower_bound, estimate.censored) == (lower_bound, censored)
    assert (estimate.kind, estimate.coverage) == ("median", 0.9375)


def test_half_censored_of_an_even_number_is_a_lower_bound():
    estimate = ratio((200, 300, 400, NEVER, NEVER, NEVER), (100,) * 6, horizon=1000)
    assert (estimate.value, estimate.lower_bound) == (7, True)


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("horizon", [math.inf, 1000], ids=["all reached", "a fifth censored"])
def test_interval_of_the_ratio_covers_the_truth(n, horizon):
    rng = np.random.default_rng(n)
    references = 100 * np.exp(0.2 * rng.normal(size=(2000, n)))
    times = 6 * references * np.exp(0.5 * rng.normal(size=(2000, n)))
    estimates = [ratio(*pair, horizon) for pair in zip(times, references, strict=True)]
    covered = np.mean([(e.low or 0) <= 6 <= (e.high or math.inf) for e in estimates])
    assert covered >= LEAST_COVERAGE
    if horizon == 1000:
        assert 0.1 < np.mean([e.censored for e in estimates]) / n < 0.3


# Whole learning curves whose true ratio is known


TRUE_RATIO = 5.3
POINTS = np.array(evaluation_points(54_000, 540_000, 128))  # 4 per doubling, 19 % apart
EPOCHS = 1500 * np.arange(1, 200)
# Supervised's median time: where .1 + .87 (1 - exp(-x ** .6)) is 95 % of the way to .97.
MEDIAN = 1000 * math.log(1 / 0.05) ** (1 / 0.6)
# The time that a fifth of the runs of an agent with scatter .1 exceed.
FOUR_FIFTHS = TRUE_RATIO * MEDIAN * math.exp(0.1 * 0.8416)


def simulated_times(rng, points, slower, n=5, images=5000, scatter=0.1):
    """Hitting times of n seeds, paired: an exponential approach to 97 %, read on `images`."""
    speed = np.exp(scatter * rng.normal(size=(n, 1)))
    truth = 0.1 + 0.87 * (1 - np.exp(-((points / (1000 * slower * speed)) ** 0.6)))
    read = truth if images is None else rng.binomial(images, truth) / images
    level = criterion(0.97, 0.1, 0.95)
    return [hitting_time(points.tolist(), curve, level) for curve in read.tolist()]


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize(
    ("points", "horizon"),
    [(POINTS, math.inf), (EPOCHS, math.inf), (POINTS, FOUR_FIFTHS)],
    ids=["4 per doubling", "whole epochs", "a fifth censored"],
)
def test_simulated_curves_give_back_their_ratio(points, horizon, n):
    rng = np.random.default_rng(3)
    estimates = []
    for _ in range(600):
        times, reference = (simulated_times(rng, points, slower, n) for slower in (TRUE_RATIO, 1))
        estimates.append(ratio(times, reference, horizon))
    # Leaving out those known only from below makes the others' mean a little low.
    values = np.array([e.value for e in estimates if not e.lower_bound])
    rel = 0.02 if horizon == math.inf else 0.04
    assert np.exp(np.log(values).mean()) == pytest.approx(TRUE_RATIO, rel=rel)
    covers = [(e.low or 0) <= TRUE_RATIO <= (e.high or math.inf) for e in estimates]
    assert np.mean(covers) >= LEAST_COVERAGE  # its binomial error is below 1 %
    share = np.mean([e.censored for e in estimates]) / n
    assert share == 0 if horizon == math.inf else 0.1 < share < 0.3


def test_interpolation_is_far_finer_than_the_evaluations():
    times, reference = (
        simulated_times(np.random.default_rng(0), POINTS, slower, images=None, scatter=0)
        for slower in (TRUE_RATIO, 1)
    )
    assert ratio(times, reference, math.inf).value == pytest.approx(TRUE_RATIO, rel=0.01)


def test_simulated_curves_that_are_cut_give_a_true_lower_bound():
    points = np.array(evaluation_points(54_000, 20_000, 128))
    rng = np.random.default_rng(4)
    reference = simulated_times(rng, points, 1)
    horizon = censoring_horizon(reference, last_seen(points))
    estimate = ratio(simulated_times(rng, points, TRUE_RATIO), reference, horizon)
    assert estimate.lower_bound
    assert estimate.censored == 5
    assert 1 < estimate.value < TRUE_RATIO


@pytest.mark.parametrize("slowness", [4.9, 5.3, 5.8])
def test_runs_that_come_to_the_level_at_the_very_end_are_not_said_to_be_later(slowness):
    """At the last one or two readings a hit is not seen yet, and the time is below the budget."""
    points, median = tuple(POINTS.tolist()), slowness * 90_000
    horizon = censoring_horizon([90_000] * 5, last_seen(points))
    covered = []
    for true in median * np.exp(0.1 * np.random.default_rng(5).normal(size=(400, 5))):
        curves = [[0.97 + 0.01 * math.log(point / time) for point in points] for time in true]
        times = [hitting_time(points, curve, 0.97) for curve in curves]
        estimate = ratio(times, [90_000] * 5, horizon)
        covered.append((estimate.low or 0) <= slowness <= (estimate.high or math.inf))
    assert np.mean(covered) >= 0.9375 - 0.03  # that of order statistics, and what 400 draws scatter
