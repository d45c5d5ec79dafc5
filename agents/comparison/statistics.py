"""The comparison's statistics: pure functions, each of one line of the protocol (see the package).

Accuracies are in 0..1, times in trials; one value per seed, None where a run is censored.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

POINTS_PER_DOUBLING = 4
CONSECUTIVE = 3  # evaluations at or above the criterion that make a hit
HORIZON_FACTOR = 10
MIN_SEEDS = 5  # fewer give no interval
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A figure over seeds with its interval; None: not known, or too few seeds for an interval."""

    value: float | None
    low: float | None = None
    high: float | None = None
    coverage: float | None = None
    """How often such an interval holds the truth; no interval without it."""


@dataclass(frozen=True)
class Ratio(Estimate):
    """How many times as long as the reference: an estimate of T_agent / T_reference."""

    kind: str = "none"
    """"geometric mean", or "median" where a run is censored."""
    lower_bound: bool = False
    """Too much is censored to know more than: above `value`."""
    censored: int = 0
    """Pairs of runs whose ratio is not known."""


def evaluation_points(trials_per_epoch: int, budget: int, batch: int) -> tuple[int, ...]:
    """Trials at which validation is read (protocol 5): 4 per doubling, 1/16 epoch to the budget.

    All are whole batches, rounded up; small sets have fewer at first, where points fall together.
    """
    first = min(trials_per_epoch / 16, budget)
    count = math.floor(POINTS_PER_DOUBLING * math.log2(budget / first)) + 1
    points = [first * 2 ** (k / POINTS_PER_DOUBLING) for k in range(count)] + [budget]
    return tuple(sorted({batch * math.ceil(point / batch) for point in points}))


def criterion(supervised_final: float, chance: float, rho: float) -> float:
    """Accuracy that counts as learned (protocol 4): chance + rho (S - chance)."""
    return chance + rho * (supervised_final - chance)


def hitting_time(trials: Sequence[int], accuracies: Sequence[float], level: float) -> float | None:
    """Trials until the level is held (protocol 5): the first of 3 consecutive evaluations at it.

    Interpolated in log trials from the evaluation before, which was below. Held from the first
    evaluation on: that one. Reached by only the last one or two: not known to be held, None.
    """
    held = [accuracy >= level for accuracy in accuracies]
    for hit in range(len(held) - CONSECUTIVE + 1):
        if all(held[hit : hit + CONSECUTIVE]):
            if hit == 0:
                return float(trials[0])
            below, above = accuracies[hit - 1], accuracies[hit]
            part = (level - below) / (above - below)
            return trials[hit - 1] * (trials[hit] / trials[hit - 1]) ** part
    return None


def median_time(times: Sequence[float | None]) -> float | None:
    """Median hitting time, a censored one being longer than all others; None: censored itself."""
    if not times:
        return None
    median = float(np.median([math.inf if time is None else time for time in times]))
    return median if math.isfinite(median) else None


def last_seen(points: Sequence[int]) -> float:
    """Trials after which evaluations at `points` show no hit any more: the third last of them.

    A run without a hit is only known to take longer than that; 0 where they are too few for one.
    """
    return points[-CONSECUTIVE] if len(points) >= CONSECUTIVE else 0


def censoring_horizon(reference_times: Sequence[float | None], last: float) -> float:
    """Trials after which a time counts as censored (protocol 6): 10 x the median, or the last."""
    median = median_time(reference_times)
    return last if median is None else min(HORIZON_FACTOR * median, last)


def censor(times: Sequence[float | None], horizon: float) -> list[float | None]:
    """Times with those beyond the horizon not reached (protocol 6)."""
    return [None if time is None or time > horizon else time for time in times]


def mean_interval(values: Sequence[float]) -> Estimate:
    """Mean and its Student t interval (protocol 9); under 5 values no interval."""
    if not values:
        return Estimate(None)
    mean = float(np.mean(values))
    if len(values) < MIN_SEEDS:
        return Estimate(mean)
    error = float(np.std(values, ddof=1)) / math.sqrt(len(values))
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return Estimate(mean, mean - half, mean + half, CONFIDENCE)


def paired_difference(accuracies: Sequence[float], reference: Sequence[float]) -> Estimate:
    """Mean difference on the same seeds (protocol 9): "A above B" only if `low` is above 0."""
    return mean_interval([a - b for a, b in zip(accuracies, reference, strict=True)])


def median_interval_rank(n: int) -> tuple[int, float]:
    """Rank k and coverage of the median's interval, k-th smallest to k-th largest of n values.

    The narrowest that covers 95 %, or the widest there is: five values cover 93.75 % at most.
    """

    def coverage(k: int) -> float:
        # It misses if fewer than k of n values fall on one side of the median.
        return 1 - 2 * float(stats.binom.cdf(k - 1, n, 0.5))

    rank = max((k for k in range(1, n // 2 + 1) if coverage(k) >= CONFIDENCE), default=1)
    return rank, coverage(rank)


def ratio(
    times: Sequence[float | None], reference_times: Sequence[float | None], horizon: float
) -> Ratio:
    """T_agent / T_reference over the same seeds (protocol 7).

    Geometric mean with a t interval on logs; with any censoring the median and its order-statistic
    interval. A censored time is only known to lie beyond the horizon, so its ratio lies between
    two bounds: above horizon / T_reference if it is the agent's, below T_agent / horizon if it is
    the reference's, and anywhere if both are.
    """
    times, reference_times = censor(times, horizon), censor(reference_times, horizon)
    bounds = [_bounds(*pair, horizon) for pair in zip(times, reference_times, strict=True)]
    if not bounds:
        return Ratio(None)
    censored = sum(least < most for least, most in bounds)
    if censored:
        return _median_ratio(bounds, censored)
    logs = mean_interval([math.log(known) for known, _ in bounds])
    return Ratio(
        *(None if log is None else math.exp(log) for log in (logs.value, logs.low, logs.high)),
        coverage=logs.coverage,
        kind="geometric mean",
    )


def _bounds(time: float | None, reference: float | None, horizon: float) -> tuple[float, float]:
    least, most = (horizon, math.inf) if time is None else (time, time)
    reference_least, reference_most = (
        (horizon, math.inf) if reference is None else (reference, reference)
    )
    upper = most / reference_least if reference_least > 0 else math.inf
    return least / reference_most, upper


def _median_ratio(bounds: Sequence[tuple[float, float]], censored: int) -> Ratio:
    """Median of ratios known within bounds: every order statistic lies between those of both."""
    least, most = np.sort([b[0] for b in bounds]), np.sort([b[1] for b in bounds])
    value = _positive_finite(np.median(least))
    low = high = coverage = None
    if len(bounds) >= MIN_SEEDS:
        rank, coverage = median_interval_rank(len(bounds))
        low, high = _positive_finite(least[rank - 1]), _positive_finite(most[-rank])
    bound = value is not None and bool(np.median(most) > value)
    return Ratio(value, low, high, coverage, "median", bound, censored)


def _positive_finite(bound: float) -> float | None:
    """The bound of a ratio, or None where it says nothing (0 or infinity)."""
    return float(bound) if 0 < bound < math.inf else None
