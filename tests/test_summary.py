"""From runs to rows, table and picture: nothing dropped, nothing claimed that is not known."""

import json
from dataclasses import replace

import pytest
from matplotlib.image import imread
from rich.console import Console

from agents.comparison.picture import COLOURS, colours_of, draw
from agents.comparison.summary import Task, curves, summarise
from agents.comparison.table import caption, table
from agents.runs.job import Result

TRIALS = tuple(100 * 2**k for k in range(7))  # 100 to 6400
TASK = Task("DigitsReward-v0", 0.1, 4, TRIALS, "cpu")
SUPERVISED = (0.5, 0.8, 0.95, 0.96, 0.97, 0.97, 0.97)  # S = .97, so the criterion is .9265
SLOW = (0.1, 0.1, 0.5, 0.8, 0.95, 0.96, 0.96)  # the same curve, four times as slow
NEVER = (0.1, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)


def runs(agent, validation, seeds=5, tested=0.96, diverged=None):
    """Runs with the same curve; test accuracies .001 apart, so that they have a spread."""
    return [
        Result(
            agent, 100 + seed, TRIALS[: len(validation)], validation,
            test_accuracy=0.1 if diverged else tested + 0.001 * seed, diverged=diverged,
            seconds=2.0, env_steps=6400, forward_passes=12800,
        )
        for seed in range(seeds)
    ]  # fmt: skip


def summary(*results, task=TASK):
    results = sum(results, [])
    cell = {"signal": "label", "credit": "backprop", "network": "dense", "learns_from": "label"}
    return summarise(results, task, {result.agent: cell for result in results})


def printed(rows):
    console = Console(width=100)
    with console.capture() as text:
        console.print(table(rows))
    return text.get()


def test_a_row_has_every_field_and_is_plain_json():
    rows = summary(runs("supervised", SUPERVISED), runs("slow", SLOW), runs("never", NEVER))
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows
    fields = "env agent signal credit network seeds epochs trials device test_accuracy protocol "
    fields += "trials_to_criterion ratio_to_supervised censored diverged"
    assert all(set(fields.split()) <= set(row) for row in rows)
    assert [row["agent"] for row in rows] == ["supervised", "slow", "never"]
    assert [row["seeds"] for row in rows] == [5, 5, 5]


def test_times_and_ratio_follow_from_the_curves():
    supervised, slow = summary(runs("supervised", SUPERVISED), runs("slow", SLOW))
    # .9265 is .1265 / .15 of the way from .8 to .95, in log trials.
    time = 200 * 2 ** (0.1265 / 0.15)
    assert supervised["trials_to_criterion"]["per_seed"] == pytest.approx([time] * 5)
    assert slow["trials_to_criterion"]["median"] == pytest.approx(4 * time)
    assert slow["ratio_to_supervised"]["value"] == pytest.approx(4)
    assert supervised["ratio_to_supervised"]["value"] == pytest.approx(1)
    assert supervised["protocol"]["horizon"] == 1600  # 10 times that is later than hits are seen


def test_of_times_that_are_half_known_the_least_median_is_told():
    fast, early = runs("supervised", SUPERVISED, 2), runs("half", SUPERVISED, 1)
    late = [replace(run, seed=101) for run in runs("half", NEVER, 1)]
    supervised, half = summary(fast, early, late)[:2]
    time = supervised["trials_to_criterion"]["median"]
    assert half["trials_to_criterion"]["lower_bound"]
    assert half["trials_to_criterion"]["median"] == pytest.approx((time + 1600) / 2)
    ratio = half["ratio_to_supervised"]
    assert (ratio["lower_bound"], ratio["value"]) == (True, pytest.approx((1 + 1600 / time) / 2))


def test_all_three_criteria_are_reported_and_095_is_the_headline():
    row = summary(runs("supervised", SUPERVISED), runs("slow", SLOW))[1]
    levels = [row["criteria"][rho]["level"] for rho in ("0.90", "0.95", "0.99")]
    assert levels == pytest.approx([0.883, 0.9265, 0.9613])
    assert row["protocol"]["level"] == pytest.approx(0.9265)
    assert row["criteria"]["0.95"]["trials_to_criterion"] == row["trials_to_criterion"]
    assert row["criteria"]["0.99"]["censored"] == 5  # .96 is as far as it gets


def test_accuracy_has_its_interval_and_every_seed():
    row = summary(runs("slow", SLOW))[0]["test_accuracy"]
    assert row["per_seed"] == pytest.approx([0.96, 0.961, 0.962, 0.963, 0.964])
    half = 2.776 * 0.001 * (2.5 / 5) ** 0.5
    assert row["mean"] == pytest.approx(0.962)
    assert (row["low"], row["high"]) == pytest.approx((0.962 - half, 0.962 + half), abs=1e-6)


def test_agents_are_compared_seed_by_seed_in_whatever_order_they_finished():
    better = runs("better", SLOW, tested=0.97)[::-1]
    row = summary(runs("slow", SLOW), better)[1]
    difference = row["test_accuracy_minus"]["slow"]
    assert row["test_accuracy"]["per_seed"] == sorted(row["test_accuracy"]["per_seed"])
    assert difference["value"] == pytest.approx(0.01)
    assert difference["high"] - difference["low"] == pytest.approx(0, abs=1e-12)


def test_the_frozen_criterion_stands_above_this_runs_own():
    frozen = replace(TASK, supervised_final=0.9)
    row = summary(runs("supervised", SUPERVISED), task=frozen)[0]
    assert row["protocol"]["supervised_final_from"] == "benchmarks/criteria.csv"
    assert row["protocol"]["level"] == pytest.approx(0.86)
    alone = summary(runs("slow", SLOW), task=frozen)[0]
    assert alone["trials_to_criterion"]["median"] is not None
    assert alone["ratio_to_supervised"]["value"] is None


def test_without_supervised_there_is_no_criterion_and_the_row_says_so():
    row = summary(runs("slow", SLOW))[0]
    assert row["trials_to_criterion"]["per_seed"] == [None] * 5
    assert row["trials_to_criterion"]["median"] is row["protocol"]["level"] is None
    assert row["censored"] is None
    assert "no supervised agent" in row["protocol"]["supervised_final_from"]


def test_supervised_at_chance_gives_no_criterion():
    protocol = summary(runs("supervised", (0.1,) * 7))[0]["protocol"]
    assert protocol["level"] is None
    assert "chance" in protocol["supervised_final_from"]


def test_a_diverged_run_is_censored_and_scores_chance():
    # It had held the criterion for four evaluations before it diverged.
    blown = runs("slow", SLOW, seeds=4) + [
        Result("slow", 104, TRIALS[:6], SUPERVISED[:6], 0.1, 4000, 2.0, 4000, 8000)
    ]
    row = summary(runs("supervised", SUPERVISED), blown)[1]
    assert (row["diverged"], row["censored"]) == (1, 1)
    assert row["trials_to_criterion"]["per_seed"][4] is None
    assert row["test_accuracy"]["mean"] == pytest.approx((4 * 0.9615 + 0.1) / 5)
    assert row["test_accuracy"]["high"] == 1  # an accuracy, though t's interval goes on
    assert row["ratio_to_supervised"]["kind"] == "median"


def test_a_diverged_supervised_run_counts_as_chance_in_the_criterion():
    blown = Result("supervised", 104, (), (), 0.1, 50, 2.0, 50, 100)
    row = summary([*runs("supervised", SUPERVISED, seeds=4), blown])[0]
    assert row["protocol"]["supervised_final"] == pytest.approx((4 * 0.97 + 0.1) / 5)


def test_costs_are_summed_over_the_runs():
    protocol = summary(runs("slow", SLOW))[0]["protocol"]
    assert protocol["seeds"] == [100, 101, 102, 103, 104]
    assert (protocol["env_steps"], protocol["seconds"]) == (5 * 6400, 10)
    assert protocol["forward_passes"] == 5 * 12800


def test_a_searchs_runs_are_refused():
    untested = Result("slow", 0, TRIALS, SLOW, None, None, 2.0, 6400, 6400)
    with pytest.raises(ValueError, match="never reads the test images"):
        summary([untested])


def test_curves_hold_every_reading():
    rows = curves(runs("slow", SLOW, seeds=2), "DigitsReward-v0")
    assert len(rows) == 2 * len(TRIALS)
    assert list(rows[0]) == ["env", "agent", "seed", "trials", "validation_accuracy"]
    assert list(rows[9].values()) == ["DigitsReward-v0", "slow", 101, 400, 0.5]


def test_the_table_fits_and_says_what_it_shows():
    cell = runs("reward_prediction+kolen_pollack", NEVER)
    text = printed(summary(runs("supervised", SUPERVISED), runs("slow", SLOW), cell))
    words = " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100
    assert "96.2 [96.0, 96.4]" in text
    assert "4.00 [4.00, 4.00]" in text
    assert "> 4.46" in text  # 1600 by supervised's 358.6
    assert "…" not in text  # nothing is cut
    assert "Criterion: validation accuracy 92.7 % within 1,600 trials" in words
    assert "they cover 93.75 %" in words


def test_under_five_seeds_the_table_shows_each_and_claims_nothing():
    text = printed(summary(runs("supervised", SUPERVISED, 3), runs("slow", SLOW, 3)))
    assert "96.0  96.1  96.2" in text
    assert "[" not in text
    assert "too few for an interval" in " ".join(text.split())


def test_the_table_says_why_there_is_no_criterion():
    assert caption(summary(runs("slow", SLOW))).startswith("No criterion: no supervised agent")


def test_the_picture_is_drawn_whatever_ran(tmp_path):
    blown = [Result("slow", 105, (), (), 0.1, 0, 2.0, 0, 0)]
    cases = {
        "many": runs("supervised", SUPERVISED) + runs("a+b", SLOW) + runs("slow", SLOW) + blown,
        "perfect": runs("supervised", (1.0,) * 7, seeds=1),
        "one point": runs("supervised", (0.3,), seeds=1),
        "all blown": blown,
    }
    for name, results in cases.items():
        path = tmp_path / f"{name}.png"
        draw(results, "DigitsReward-v0", chance=0.1, criterion=0.9, path=path)
        height, width = imread(path).shape[:2]
        assert (width, height) == (1200, 690)


def test_colours_stay_with_their_agents():
    alone, together = colours_of(["mine:Agent"]), colours_of(["q_agrel", "mine:Agent", "a+b"])
    assert together["q_agrel"] == COLOURS["q_agrel"]
    assert len(set(together.values())) == 3
    assert alone["mine:Agent"] in COLOURS.values()
    assert colours_of([*COLOURS, "mine:Agent"])["mine:Agent"] not in COLOURS.values()
