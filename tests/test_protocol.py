"""What rows and tables say of early stopping, controls, declared claims and costs."""

import json
from dataclasses import replace

import pytest
from rich.console import Console
from test_summary import NEVER, SLOW, SUPERVISED, TASK, TRIALS, runs

from agents.comparison.claims import parse
from agents.comparison.costs import costs
from agents.comparison.summary import summarise
from agents.comparison.table import caption, ratio_text, table
from agents.runs.job import Result
from agents.settings import settings_of

AGENTS = ("supervised", "q_agrel", "reward_prediction+readout_only", "mine:Agent")


def cell(agent):
    own = {"signal": "own", "credit": "own"}
    chosen = settings_of(agent) if ":" not in agent else None
    known = {"signal": chosen.signal, "credit": chosen.rule.name} if chosen else own
    return known | {"network": "dense", "learns_from": "reward"}


def compared(agents=AGENTS, claims="", seeds=5):
    curves = dict(zip(AGENTS, (SUPERVISED, SLOW, NEVER, SLOW), strict=True))
    tested = dict(zip(AGENTS, (0.97, 0.96, 0.9, 0.96), strict=True))
    results = [r for a in agents for r in runs(a, curves[a], seeds, tested[a])]
    return summarise(results, TASK, {a: cell(a) for a in agents}, parse(claims))


def words(shown):
    console = Console(width=100)
    with console.capture() as text:
        console.print(shown)
    assert max(map(len, text.get().splitlines())) <= 100
    assert "…" not in text.get()
    return " ".join(text.get().split())


# Early stopping


EPOCHS = tuple(range(100, 10_001, 100))
STOPPING = replace(TASK, epochs=100, points=TRIALS, epoch_points=EPOCHS)


def stopping(agent, last_rise, seed, diverged=None):
    """A run that rises in every epoch up to one; what it reads between epochs is chance."""
    read = {trials: 0.1 for trials in (*TRIALS, 150, 250)}
    read |= {100 * epoch: 0.1 + 0.01 * min(epoch, last_rise) for epoch in range(1, 101)}
    trials = tuple(sorted(read))
    validation = tuple(read[at] for at in trials)
    return Result(agent, seed, trials, validation, 0.9, diverged, 1.0, 1, 1)


def stopped(**last_rises):
    results = [
        stopping(agent, rise, 100 + k) for agent, rises in last_rises.items()
        for k, rise in enumerate(rises)
    ]  # fmt: skip
    return summarise(results, STOPPING, {agent: cell("supervised") for agent in last_rises})


def test_early_stops_are_compared_seed_by_seed():
    rows = stopped(supervised=(5, 15, 25, 35, 45), slow=(15, 25, 35, 45, 55))
    stop = rows[1]["epochs_to_early_stop"]
    assert stop["per_seed"] == [60, 70, 80, 90, 100]
    assert stop["median"] == 80
    # 60/50 * 70/60 * ... * 100/90 = 2; the logs' standard deviation is .0305.
    assert stop["ratio_to_supervised"]["value"] == pytest.approx(2 ** (1 / 5))
    assert "80 1.15 [1.11, 1.19]" in words(costs(rows))


def test_a_run_too_short_to_stop_is_censored_at_its_end():
    stop = stopped(supervised=(5,) * 5, slow=(56, 60, 70, 80, 90))[1]["epochs_to_early_stop"]
    assert (stop["per_seed"], stop["median"]) == ([None] * 5, None)
    assert stop["ratio_to_supervised"]["value"] == 100 / 50
    assert stop["ratio_to_supervised"]["lower_bound"]


def test_the_costs_say_what_their_brackets_are():
    geometric = stopped(supervised=(5,) * 5, slow=(15,) * 5)
    assert "Student t intervals (ratios: on logs)." in words(costs(geometric))
    censored = stopped(supervised=(5,) * 5, slow=(15, 25, 35, 45, 90))
    assert "order statistics (they cover 93.75 %" in words(costs(censored))
    assert "brackets" not in words(costs(compared(AGENTS[:2])))


def test_without_readings_at_whole_epochs_nothing_is_said_of_stops():
    rows = compared(AGENTS[:2])
    assert rows[1]["epochs_to_early_stop"]["per_seed"] == [None] * 5
    assert rows[1]["epochs_to_early_stop"]["ratio_to_supervised"]["value"] is None
    assert "by 4 epochs, the median run of none had stopped" in words(costs(rows))


def test_a_diverged_run_never_stops():
    blown = stopping("supervised", 5, 100, diverged=10_000)
    row = summarise([blown], STOPPING, {"supervised": cell("supervised")})[0]
    assert row["epochs_to_early_stop"]["per_seed"] == [None]


def test_readings_at_whole_epochs_do_not_hit():
    # At whole epochs the criterion is held; at the protocol's own points it never is.
    epochs = tuple(range(130, 6401, 130))
    read = dict.fromkeys(epochs, 0.96) | dict.fromkeys(TRIALS, 0.2)
    trials = tuple(sorted(read))
    run = Result("supervised", 100, trials, tuple(read[t] for t in trials), 0.9, None, 1.0, 1, 1)
    task = replace(TASK, supervised_final=0.97, points=TRIALS)
    for points, expected in ((TRIALS, None), (epochs, 130)):
        row = summarise([run], replace(task, points=points), {"supervised": cell("supervised")})[0]
        assert row["trials_to_criterion"]["per_seed"] == [expected]


# Controls


def test_only_what_beats_its_own_control_carries_credit():
    rows = compared()
    assert [row["carries_credit"] for row in rows] == [None, True, None, None]
    assert "96.2 [96.0, 96.4]*" in words(table(rows))
    assert "*: carries credit, by beating readout_only under its own signal." in caption(rows)
    assert [row["carries_credit"] for row in compared(seeds=4)] == [None] * 4


def test_the_caption_names_the_controls_that_did_not_run():
    assert "Controls that were not run: supervised_mse." in caption(compared())
    without = caption(compared(AGENTS[:2]))
    assert "not run: supervised_mse, reward_prediction+readout_only." in without
    assert "*" not in without


# Claims


def test_claims_stand_in_the_rows_and_in_the_caption():
    rows = compared(claims="supervised>q_agrel,q_agrel~mine:Agent:0.5,q_agrel>mine:Agent")
    assert [len(row["claims"]) for row in rows] == [1, 2, 0, 0]
    first, within, above = (claim for row in rows for claim in row["claims"])
    assert json.loads(json.dumps(first, allow_nan=False)) == first
    assert first["claim"] == "supervised > q_agrel"
    assert first["difference"]["value"] == pytest.approx(0.01)
    assert [claim["holds"] for claim in (first, within, above)] == [True, True, False]
    assert above["p_holm"] == 1
    text = caption(rows)
    assert "supervised > q_agrel: holds (p " in text
    assert "q_agrel within 0.5 points of mine:Agent: holds (p 0)" in text
    assert "q_agrel > mine:Agent: not shown (p 1)" in text
    assert text.endswith("All else is descriptive.")


def test_without_claims_all_is_descriptive():
    assert caption(compared()).endswith("No claim was declared: all this is descriptive.")


def test_few_seeds_claim_nothing():
    rows = compared(claims="supervised>q_agrel", seeds=4)
    assert rows[0]["claims"][0]["holds"] is None
    assert "supervised > q_agrel: too few seeds" in caption(rows)


# Costs


def test_all_costs_are_summed_and_shown():
    counted = [
        replace(run, presentations=12_800, multiply_adds=3_000_000_000)
        for run in runs("supervised", SUPERVISED)
    ]
    rows = summarise(counted, TASK, {"supervised": cell("supervised")})
    protocol = rows[0]["protocol"]
    assert (protocol["presentations"], protocol["multiply_adds"]) == (64_000, 15_000_000_000)
    assert "32.0 k 64.0 k 64.0 k 15.0 G 10.0" in words(costs(rows))
    counted[2] = replace(counted[2], multiply_adds=None)
    rows = summarise(counted, TASK, {"supervised": cell("supervised")})
    assert rows[0]["protocol"]["multiply_adds"] is None
    assert "64.0 k - 10.0" in words(costs(rows))
    rows[0]["protocol"]["seconds"] = 0.561
    assert "64.0 k - 0.56" in words(costs(rows))


def test_supervised_is_as_long_as_itself_whoever_got_there():
    for late in (1, 2, 3):
        never = [replace(run, seed=run.seed + 5) for run in runs("supervised", NEVER, late)]
        results = runs("supervised", SUPERVISED, 2) + never
        rows = summarise(results, TASK, {"supervised": cell("supervised")})
        assert ratio_text(rows[0]["ratio_to_supervised"], "supervised") == "1.00"


def test_too_few_evaluations_give_no_criterion():
    few = replace(TASK, points=TRIALS[:2])
    results = [
        replace(run, trials=TRIALS[:2], validation=(0.9, 0.95)) for run in runs("supervised", NEVER)
    ]
    (row,) = summarise(results, few, {"supervised": cell("supervised")})
    assert row["level"] is None
    assert "No criterion: too few evaluations for a hit" in caption([row])
