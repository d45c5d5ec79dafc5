"""The comparison's statistics against textbook tables, hand-worked cases and known truths."""

import itertools
import math

import numpy as np
import pytest

from agents.comparison.statistics import (
    censor,
    censoring_horizon,
    criterion,
    evaluation_points,
    hitting_time,
    last_seen,
    mean_interval,
    median_interval_rank,
    median_time,
    paired_difference,
    ratio,
)

# Two-sided 95 % quantiles of Student's t, from a textbook's table: by number of values.
T_TABLE = {5: 2.776, 6: 2.571, 10: 2.262, 20: 2.093}
LEAST_COVERAGE = 0.93  # measured, at nominal 95 %


# When validation is read


def test_points_are_four_per_doubling_from_a_sixteenth_epoch_to_the_budget():
    points = evaluation_points(trials_per_epoch=1600, budget=1600, batch=1)
    # 100 times 1, 1.189, 1.414, 1.682, rounded up, and so on for each of the 4 doublings.
    assert points[:5] == (100, 119, 142, 169, 200)
    assert points[-5:] == (800, 952, 1132, 1346, 1600)
    assert len(points) == 4 * 4 + 1


@pytest.mark.parametrize("batch", [1, 32, 128])
@pytest.mark.parametrize(("epoch", "budget"), [(1294, 51760), (54000, 540000), (54000, 1000)])
def test_points_are_whole_batches_up_to_the_budget(epoch, budget, batch):
    points = evaluation_points(epoch, budget, batch)
    assert all(point % batch == 0 for point in points)
    assert list(points) == sorted(set(points))
    assert min(epoch / 16, budget) <= points[0] < min(epoch / 16, budget) + batch
    assert budget <= points[-1] < budget + batch


# What counts as learned, and when


def test_criterion_lies_between_chance_and_supervised():
    assert criterion(0.97, chance=0.1, rho=0.95) == pytest.approx(0.9265)
    assert criterion(0.30, chance=0.01, rho=0.90) == pytest.approx(0.271)


TRIALS = (100, 200, 400, 800, 1600, 3200)


@pytest.mark.parametrize(
    ("accuracies", "expected"),
    [
        # 2/3 of the way from .80 to .95, in log trials: 200 * 2 ** (2/3).
        ((0.5, 0.8, 0.95, 0.96, 0.97, 0.97), 317.480),
        ((0.5, 0.8, 0.90, 0.90, 0.90, 0.5), 400),  # at the level is enough
        ((0.91, 0.92, 0.93, 0.2, 0.2, 0.2), 100),  # held from the first evaluation on
        ((0.5, 0.95, 0.95, 0.8, 0.8, 0.8), None),  # two are luck
        ((0.5, 0.95, 0.95, 0.85, 0.95, 0.95), None),  # nor are two twice three
        ((0.5, 0.5, 0.5, 0.5, 0.95, 0.95), None),  # not known to be held
        # The first two are luck, then halfway from .85 to .95: 400 * 2 ** (1/2).
        ((0.91, 0.91, 0.85, 0.95, 0.95, 0.95), 565.685),
        ((0.5, 0.5, 0.5, 0.5, 0.5, 0.5), None),
        ((0.5, 0.95), None),  # cut by divergence
        ((), None),
    ],
)
def test_hitting_time_is_the_first_of_three_interpolated_in_log_trials(accuracies, expected):
    time = hitting_time(TRIALS[: len(accuracies)], accuracies, 0.9)
    assert time == (None if expected is None else pytest.approx(expected, abs=1e-3))


def test_censored_times_are_longer_than_all_others():
    assert median_time([300, None, 100]) == 300
    assert median_time([100, 200]) == 150
    assert median_time([100, None]) is None
    assert median_time([None, None, 100]) is None
    assert median_time([]) is None
    assert censor([100, None, 101], horizon=100) == [100, None, None]


def test_horizon_is_ten_times_supervised_or_the_last_hit_that_is_seen():
    assert censoring_horizon([100, 120, 500], last=10_000) == 1200
    assert censoring_horizon([100, 120, 500], last=1000) == 1000
    assert censoring_horizon([100, None, None], last=1000) == 1000
    assert censoring_horizon([], last=1000) == 1000


def test_a_hit_is_seen_up_to_the_third_last_evaluation():
    points = (100, 200, 400, 800)
    assert last_seen(points) == 200
    assert hitting_time(points, (0, 1, 1, 1), 1) == 200
    assert hitting_time(points, (0, 0, 1, 1), 1) is None
    assert last_seen(points[:2]) == 0


# Means and differences


@pytest.mark.parametrize("n", T_TABLE)
def test_interval_of_the_mean_has_the_textbooks_width(n):
    values = [0.9 + 0.01 * i for i in range(n)]
    variance = 0.0001 * n * (n + 1) / 12  # of n equally spaced values, over n - 1
    half = T_TABLE[n] * math.sqrt(variance / n)
    estimate = mean_interval(values)
    assert estimate.value == pytest.approx(0.9 + 0.005 * (n - 1))
    assert estimate.low == pytest.approx(estimate.value - half, rel=1e-4)
    assert estimate.high == pytest.approx(estimate.value + half, rel=1e-4)


@pytest.mark.parametrize("n", range(5))
def test_under_five_seeds_there_is_no_interval(n):
    estimates = mean_interval([0.9] * n), ratio([200] * n, [100] * n, 1000)
    assert all((e.low, e.high, e.coverage) == (None, None, None) for e in estimates)
    censored = ratio([None] * n, [100] * n, 1000)
    assert (censored.low, censored.high, censored.coverage) == (None, None, None)


def test_paired_difference_takes_out_what_the_seeds_share():
    reference = [0.5, 0.6, 0.7, 0.8, 0.9]
    estimate = paired_difference(
        [r + d for r, d in zip(reference, (1, 2, 3, 2, 2), strict=True)], reference
    )
    assert estimate.value == pytest.approx(2)
    half = 2.776 * math.sqrt(0.5 / 5)  # the differences' variance is 2 / 4
    assert estimate.low == pytest.approx(2 - half, rel=1e-3)
    with pytest.raises(ValueError, match="zip"):
        paired_difference([0.5], [0.5, 0.6])


@pytest.mark.parametrize("n", [5, 10])
def test_interval_of_the_mean_covers_the_truth(n):
    samples = np.random.default_rng(n).normal(0.95, 0.01, (4000, n))
    estimates = [mean_interval(sample) for sample in samples.tolist()]
    covered = np.mean([e.low <= 0.95 <= e.high for e in estimates])
    assert LEAST_COVERAGE <= covered <= 0.97


# The median's interval


@pytest.mark.parametrize("n", range(5, 13))
def test_order_statistics_cover_as_enumerated(n):
    # Each value falls below the median or above it: every pattern is equally probable.
    below = np.array([sum(pattern) for pattern in itertools.product((0, 1), repeat=n)])

    def coverage(k):
        return np.mean((below >= k) & (below <= n - k))

    rank, stated = median_interval_rank(n)
    assert stated == pytest.approx(coverage(rank))
    assert coverage(rank + 1) < 0.95  # no narrower one covers
    assert coverage(rank) >= 0.95 or rank == 1


def test_five_seeds_cannot_cover_95_percent_and_say_so():
    assert median_interval_rank(5) == (1, 0.9375)
    assert median_interval_rank(10) == (2, pytest.approx(1 - 22 / 1024))
