"""Figures across environments (protocol 10): pure functions of runs x environments.

Accuracies are in 0..1, one array (seeds n, environments m) per agent; row i of all agents in one
environment comes from one seed. A score is (accuracy - chance) / (supervised's mean - chance).

The bootstrap draws seeds by environment and jointly for all agents, supervised too, so that the
scores' own scale is drawn with them. With few seeds its percentiles cover too little, even
stretched by sqrt(n / (n - 1)): simulated, an IQM's hold 78-96 %, a probability's 25-98 %. What is
done about it is said at each interval.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agents.comparison.statistics import CONFIDENCE, MIN_SEEDS, Estimate
from agents.comparison.task import SUPERVISED

DRAWS = 2000
TAIL = (1 - CONFIDENCE) / 2

Scores = NDArray[np.float64]  # (..., n, m)


@dataclass(frozen=True)
class Pool:
    """Every agent's runs in every environment, and their figures."""

    accuracies: Mapping[str, Scores]
    chance: Scores  # (m,)
    seed: int = 0

    def __post_init__(self) -> None:
        shapes = {agent: runs.shape for agent, runs in self.accuracies.items()}
        if SUPERVISED not in shapes:
            raise ValueError("scores are relative to supervised: give its runs too")
        if len(set(shapes.values())) > 1 or self.shape[1:] != self.chance.shape:
            raise ValueError(f"all agents need the same seeds and environments, got {shapes}")
        if self.shape[1] < 2:
            raise ValueError("pooled figures are for two environments or more: within one, see its "
                             "means")  # fmt: skip
        if not (self.accuracies[SUPERVISED].mean(0) > self.chance).all():
            raise ValueError("supervised did not learn everywhere: no score is relative to chance")

    @property
    def shape(self) -> tuple[int, ...]:
        """Seeds n, environments m."""
        return self.accuracies[SUPERVISED].shape

    @cached_property
    def scores(self) -> dict[str, Scores]:
        """By agent: (n, m)."""
        return normalise(self.accuracies, self.chance)

    @cached_property
    def drawn(self) -> dict[str, Scores]:
        """By agent: (about DRAWS, n, m); no draw in which supervised did not learn."""
        n, m = self.shape
        seeds = np.random.default_rng(self.seed).integers(n, size=(DRAWS, n, m))
        drawn = {a: np.take_along_axis(r[None], seeds, 1) for a, r in self.accuracies.items()}
        learned = (drawn[SUPERVISED].mean(1) > self.chance).all(1)
        return normalise({agent: runs[learned] for agent, runs in drawn.items()}, self.chance)

    def iqm(self, agent: str) -> Estimate:
        """Interquartile mean of all runs: t interval with the stretched bootstrap's deviation.

        That is the draws' from the figure itself, so that a bias counts too; and n - 1 degrees of
        freedom hold whichever environment it comes from. Simulated, it covers 94-99 %.
        """
        n, _ = self.shape
        value = float(iqm(self.scores[agent]))
        if n < MIN_SEEDS:
            return Estimate(value)
        deviation = math.sqrt(np.mean((iqm(self.drawn[agent]) - value) ** 2)) * _stretch(n)
        half = float(stats.t.ppf(1 - TAIL, n - 1)) * deviation
        return Estimate(value, value - half, value + half, CONFIDENCE)

    def improvement(self, agent: str, other: str) -> Estimate:
        """P(agent > other), mean over environments."""
        drawn = improvement(self.drawn[agent], self.drawn[other])
        return self._share(float(improvement(self.scores[agent], self.scores[other])), drawn)

    def profile(self, agent: str, levels: Sequence[float]) -> list[Estimate]:
        """Share of runs that score above each level; each interval by itself."""
        values, drawn = profile(self.scores[agent], levels), profile(self.drawn[agent], levels)
        return [self._share(float(v), d) for v, d in zip(values, drawn.T, strict=True)]

    def _share(self, share: float, drawn: Scores) -> Estimate:
        """The stretched bootstrap, but never less than Clopper and Pearson's of as many runs.

        The bootstrap knows how the scale varies; but where all of few runs agree it is certain.
        """
        n, m = self.shape
        if n < MIN_SEEDS:
            return Estimate(share)
        low, high = share + (np.quantile(drawn, (TAIL, 1 - TAIL)) - share) * _stretch(n)
        least, most = exact_interval(share, n * m)
        return Estimate(share, max(min(low, least), 0.0), min(max(high, most), 1.0), CONFIDENCE)


def normalise(accuracies: Mapping[str, Scores], chance: Scores) -> dict[str, Scores]:
    """0 at chance, 1 at supervised's mean on the same seeds."""
    scale = accuracies[SUPERVISED].mean(-2, keepdims=True) - chance
    return {agent: (runs - chance) / scale for agent, runs in accuracies.items()}


def iqm(scores: Scores) -> Scores:
    """Mean of the middle half of all runs pooled, over the last two axes.

    scipy.stats.trim_mean leaves out whole runs, so of 15 a fifth at each end instead of a quarter;
    here the runs at the quartiles count in part. Where 4 divides their number, both are the same.
    """
    pooled = np.sort(scores.reshape(*scores.shape[:-2], -1), -1)
    bounds = np.clip(np.linspace(0, 1, pooled.shape[-1] + 1), 0.25, 0.75)
    return pooled @ (2 * np.diff(bounds))


def improvement(scores: Scores, others: Scores) -> Scores:
    """Share of pairs of runs in which the first is better, ties half: mean over environments."""
    signs = np.sign(scores[..., :, None, :] - others[..., None, :, :])  # (..., n, n, m)
    return (1 + signs.mean((-3, -2, -1))) / 2


def profile(scores: Scores, levels: Sequence[float]) -> Scores:
    """Share of all runs above each level: (..., number of levels)."""
    return np.stack([(scores > level).mean((-2, -1)) for level in levels], -1)


def exact_interval(share: float, runs: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of a share of `runs`, which holds for any mixture of them."""
    hits = share * runs
    low = stats.beta.ppf(TAIL, hits, runs - hits + 1) if share > 0 else 0
    high = stats.beta.ppf(1 - TAIL, hits + 1, runs - hits) if share < 1 else 1
    return float(low), float(high)


def _stretch(n: int) -> float:
    return math.sqrt(n / (n - 1))
