"""Figures across environments, against scipy, and hand-worked cases."""

import math

import numpy as np
import pytest
from scipy import stats

from agents.comparison import pooled
from agents.comparison.pooled import Pool, exact_interval, improvement, iqm, normalise, profile

CHANCE = np.array([0.1, 0.01, 0.5])


def made_up(n=5, **others) -> Pool:
    rng = np.random.default_rng(0)
    runs = {"supervised": [0.9, 0.5, 0.8], "agent": [0.8, 0.4, 0.7]} | others
    accuracies = {a: mean + 0.03 * rng.normal(size=(n, 3)) for a, mean in runs.items()}
    return Pool(accuracies, CHANCE)


# Each figure


def test_scores_are_0_at_chance_and_1_at_supervised():
    supervised = np.array([[0.9, 0.41], [0.7, 0.61]])  # means .8 and .51
    agent = np.array([[0.8, 0.01], [0.1, 0.26]])
    scores = normalise({"supervised": supervised, "agent": agent}, np.array([0.1, 0.01]))
    assert scores["agent"] == pytest.approx(np.array([[1, 0], [0, 0.5]]))
    assert scores["supervised"].mean(0) == pytest.approx(1)


def test_interquartile_mean_is_scipys_where_quarters_are_whole():
    for n, m in ((2, 2), (4, 3), (8, 5)):
        scores = np.random.default_rng(n).random((n, m))
        assert iqm(scores) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None))


def test_interquartile_mean_counts_the_runs_at_the_quartiles_in_part():
    # A quarter of 6 is 1.5: the second and the fifth count half.
    scores = np.array([[16.0, 1, 4], [2, 8, 0]])
    assert iqm(scores) == pytest.approx((1 / 2 + 2 + 4 + 8 / 2) / 3)
    assert iqm(np.stack([scores, 2 * scores])) == pytest.approx([3.5, 7])


def test_improvement_is_mann_whitneys_u_per_pair_in_the_mean_of_environments():
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, (2, 6, 4)).astype(float)  # with ties
    u = [stats.mannwhitneyu(first[:, k], second[:, k]).statistic / 36 for k in range(4)]
    assert improvement(first, second) == pytest.approx(np.mean(u))
    assert improvement(first, second) + improvement(second, first) == pytest.approx(1)


def test_profile_is_the_share_of_runs_above():
    scores = np.array([[0.2, 0.9], [0.5, 1.1]])
    assert profile(scores, (0, 0.2, 0.5, 1, 2)).tolist() == [1, 0.75, 0.5, 0.25, 0]


@pytest.mark.parametrize(("hits", "runs"), [(0, 10), (3, 10), (15, 15), (29, 30)])
def test_exact_interval_is_scipys(hits, runs):
    expected = stats.binomtest(hits, runs).proportion_ci(method="exact")
    assert exact_interval(hits / runs, runs) == pytest.approx(tuple(expected))


# The bootstrap


def test_seeds_are_drawn_jointly_so_that_the_scale_is_drawn_too():
    pool = made_up()
    half = CHANCE + (pool.accuracies["supervised"] - CHANCE) / 2
    drawn = Pool({**pool.accuracies, "half": half}, CHANCE).drawn
    assert drawn["half"] == pytest.approx(drawn["supervised"] / 2)
    assert drawn["half"].mean(1) == pytest.approx(0.5)  # in each draw and environment
    assert drawn["agent"].shape == (pooled.DRAWS, 5, 3)


def test_draws_stay_within_their_environment():
    pool = made_up()
    supervised = np.broadcast_to([0.9, 0.5, 0.8], (5, 3))
    drawn = Pool({**pool.accuracies, "supervised": supervised}, CHANCE)
    for k in range(3):
        assert set(np.unique(drawn.drawn["agent"][..., k])) == set(drawn.scores["agent"][:, k])
    counted = [len(np.unique(draw)) for draw in drawn.drawn["agent"]]
    assert len(set(counted)) > 1  # environments are not drawn alike


def test_draws_in_which_supervised_never_learned_have_no_scale():
    pool = made_up()
    supervised = np.array([CHANCE, CHANCE, CHANCE, CHANCE, [0.9, 0.5, 0.8]])  # four diverged
    blown = Pool({**pool.accuracies, "supervised": supervised}, CHANCE)
    assert 0 < len(blown.drawn["agent"]) < pooled.DRAWS
    assert np.isfinite(blown.drawn["agent"]).all()


def test_the_iqms_interval_is_students_with_the_stretched_deviation():
    pool = made_up()
    estimate = pool.iqm("agent")
    squares = [(value - estimate.value) ** 2 for value in iqm(pool.drawn["agent"])]
    half = 2.776 * math.sqrt(5 / 4 * sum(squares) / len(squares))
    assert estimate.value == iqm(pool.scores["agent"])
    assert (estimate.low, estimate.high) == pytest.approx(
        (estimate.value - half, estimate.value + half), rel=1e-4
    )


def test_the_same_runs_give_the_same_figures():
    assert made_up().iqm("agent") == made_up().iqm("agent")


def test_where_all_runs_agree_a_share_is_not_certain():
    pool = made_up(perfect=[3, 3, 3])
    better = pool.improvement("perfect", "agent")
    assert (better.value, better.high) == (1, 1)
    assert better.low == pytest.approx(0.025 ** (1 / 15))  # 15 of 15 runs
    nothing, everything = pool.profile("agent", (-9, 9))
    assert (nothing.low, everything.high) == pytest.approx(
        (0.025 ** (1 / 15), 1 - 0.025 ** (1 / 15))
    )


def test_under_five_seeds_there_is_no_interval():
    pool = made_up(n=4)
    estimates = [pool.iqm("agent"), pool.improvement("agent", "supervised")]
    for estimate in estimates + pool.profile("agent", (0.5,)):
        assert estimate.value is not None
        assert (estimate.low, estimate.high, estimate.coverage) == (None, None, None)


@pytest.mark.parametrize(
    ("accuracies", "chance", "sentence"),
    [
        ({"supervised": np.ones((5, 1))}, [0.1], "two environments or more"),
        ({"agent": np.ones((5, 2))}, [0.1, 0.1], "give its runs too"),
        ({"supervised": np.ones((5, 2)), "a": np.ones((4, 2))}, [0.1, 0.1], "same seeds"),
        ({"supervised": np.ones((5, 2))}, [0.1, 0.1, 0.1], "same seeds and environments"),
        ({"supervised": np.full((5, 2), 0.1)}, [0.1, 0.01], "did not learn everywhere"),
    ],
)
def test_runs_that_cannot_be_pooled_are_refused(accuracies, chance, sentence):
    with pytest.raises(ValueError, match=sentence):
        Pool(accuracies, np.array(chance))
