"""Declared claims: how they are written, tested and corrected, against scipy and hand-worked p."""

import numpy as np
import pytest
from scipy import stats

from agents.comparison.claims import Claim, check, holm, judge, p_value, parse
from agents.comparison.statistics import paired_difference


def test_claims_are_read_as_they_are_written():
    text = "kolen_pollack ~ supervised:0.3, label+weight_mirror>mine:Agent,a~mine:Agent:1"
    above = Claim("label+weight_mirror", "mine:Agent")
    assert parse(text) == (
        Claim("kolen_pollack", "supervised", 0.3), above, Claim("a", "mine:Agent", 1)
    )  # fmt: skip
    assert str(above) == "label+weight_mirror > mine:Agent"
    assert str(parse("a~b:0.50")[0]) == "a within 0.5 points of b"
    assert parse("") == ()


@pytest.mark.parametrize(
    "text", ["a", "a>", ">b", "a~b", "a~b:", "a~b:x", "a~b:0", "a~b:-1", "a~b:inf", "~b:1", "a>b,"]
)
def test_what_is_no_claim_is_refused_in_a_sentence(text):
    with pytest.raises(ValueError, match="write 'a>b', or 'a~b:0.5'"):
        parse(text)


def test_claims_that_cannot_be_tested_are_refused():
    with pytest.raises(ValueError, match="declare one twice"):
        parse("a>b,a > b")
    with pytest.raises(ValueError, match="names 'c', which does not run here: choose among a, b"):
        check(parse("a>c"), {"a": 1, "b": 2})
    with pytest.raises(ValueError, match="with itself"):
        check(parse("a~a:1"), ["a"])
    check(parse("a>b,b>a,a~b:1"), ["a", "b"])


# One claim


def samples(count, mean=0.004):
    rng = np.random.default_rng(1)
    return [rng.normal(mean, 0.01, rng.integers(5, 11)) for _ in range(count)]


def test_above_is_scipys_paired_t_test():
    for differences in samples(50):
        reference = np.random.default_rng(2).random(len(differences))
        expected = stats.ttest_rel(reference + differences, reference)
        p = p_value(differences.tolist())
        assert p == pytest.approx(expected.pvalue if expected.statistic > 0 else 1)


def test_within_is_the_larger_of_scipys_two_one_sided_tests():
    for differences in samples(50):
        low = stats.ttest_1samp(differences, -0.006, alternative="greater").pvalue
        high = stats.ttest_1samp(differences, 0.006, alternative="less").pvalue
        assert p_value(differences.tolist(), 0.6) == pytest.approx(min(1, 2 * max(low, high)))


@pytest.mark.parametrize("margin", [None, 1.0])
def test_alone_a_claim_holds_just_when_the_interval_says_so(margin):
    said = set()
    for differences in (sample.tolist() for sample in samples(200, mean=0.006)):
        interval = paired_difference(differences, [0] * len(differences))
        inside = interval.low > (0 if margin is None else -0.01)
        inside &= margin is None or interval.high < 0.01
        (verdict,) = judge([Claim("a", "b", margin)], [differences], [False])
        assert verdict.holds == inside
        said.add(inside)
    assert said == {True, False}


def test_equal_differences_leave_no_doubt():
    assert p_value([0.25] * 5) == 0
    assert p_value([0.0] * 5) == p_value([-0.25] * 5) == 1
    assert p_value([0.25] * 5, margin=30) == 0
    assert p_value([0.25] * 5, margin=25) == 1  # the margin itself is not within


def test_under_five_seeds_nothing_is_claimed():
    claims = [Claim("a", "b"), Claim("a", "c")]
    few, enough = judge(claims, [[0.1] * 4, [0.1, 0.2] * 3], [False, False])
    assert (few.p, few.p_holm, few.holds) == (None, None, None)
    assert enough.p_holm == 2 * enough.p  # both were declared


def test_agents_that_failed_alike_are_not_said_to_be_close():
    claims = [Claim("a", "b", 0.5), Claim("a", "b")]
    near, above = judge(claims, [[0.0] * 5, [0.1, 0.2, 0.0, 0.1, 0.1]], [True, True])
    assert (near.p, near.holds) == (1, False)
    assert above.p < 0.05  # to be above needs a difference, which nobody has made up


# Many claims


@pytest.mark.parametrize(
    ("ps", "adjusted"),
    [
        # .005 * 4, .01 * 3, .03 * 2, then .04 * 1 = .04 may not fall below .06.
        ((0.01, 0.04, 0.03, 0.005), (0.03, 0.06, 0.06, 0.02)),
        # .01 * 5, .02 * 4, .03 * 3, then .08 and .05 stay at .09.
        ((0.01, 0.02, 0.03, 0.04, 0.05), (0.05, 0.08, 0.09, 0.09, 0.09)),
        ((0.5, 0.4, 0.9), (1, 1, 1)),
        ((0.02, 0.02), (0.04, 0.04)),
        ((0.03,), (0.03,)),
        ((), ()),
    ],
)
def test_holms_correction_as_worked_by_hand(ps, adjusted):
    assert holm(ps) == pytest.approx(adjusted)


@pytest.mark.parametrize("n", [5, 10])
def test_one_false_claim_in_twenty_comparisons_at_most(n):
    # The worst that is still false: two differences of 0 and two right at the margin.
    claims = parse("a>b,a>c,a~d:0.5,a~e:0.5")
    rng = np.random.default_rng(n)
    differences = rng.normal([0, 0, 0.005, -0.005], 0.002, (2000, n, 4))
    wrong = [any(v.holds for v in judge(claims, d.T.tolist(), [False] * 4)) for d in differences]
    assert np.mean(wrong) <= 0.05


@pytest.mark.parametrize("n", [5, 10])
def test_what_is_true_by_far_is_shown(n):
    claims = parse("a>b,a~c:0.5")
    differences = np.random.default_rng(n).normal([0.02, 0], 0.002, (300, n, 2))
    shown = [[v.holds for v in judge(claims, d.T.tolist(), [False] * 2)] for d in differences]
    assert np.mean(shown, 0) == pytest.approx([1, 1], abs=0.15)
