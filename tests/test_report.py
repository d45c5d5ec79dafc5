"""The report of runs: what stands on the page."""

import re
from itertools import product

import pytest
from made_up import AGENTS, write_comparison, write_run
from reading import Reader

from agents.comparison.claims import parse
from agents.report import write_report
from agents.report.page import page
from agents.runs.folder import CONFIG


@pytest.fixture
def runs(tmp_path):
    return write_comparison(tmp_path)


def test_the_answer_is_the_first_thing_that_is_said(runs):
    text = Reader(page(runs)).text
    assert re.search(
        r"Learning from reward takes (2\.\d|3\.\d) times as many trials as learning from labels "
        r"\[\d\.\d, \d\.\d\]\. q_agrel, the quickest of 2 agents that learn from reward, to "
        r"\d\d\.\d % validation accuracy; 5 seeds, geometric mean with its 95 % interval\.",
        text,
    ), text[:800]
    assert text.index("Learning from reward takes") < text.index("Learning curves")


def test_every_figure_has_a_table_and_words_for_those_who_do_not_see_it(runs):
    figures = Reader(page(runs)).figures
    assert [figure["id"] for figure in figures] == ["learning-1", "angles-1"]
    for figure in figures:
        assert figure["tables"] == 1
        assert figure["pictures"]
        assert all(len(alt) > 20 for alt in figure["pictures"])


def test_the_grid_has_its_heat_maps(tmp_path):
    signals, rules = ("label", "agrel", "reward_prediction"), ("kolen_pollack", "sign_symmetry")
    cells = [*product(signals, rules), ("label", "backprop"), ("agrel", "readout_only")]
    for (signal, rule), seed in product(cells, range(100, 105)):
        write_run(tmp_path, f"{signal}+{rule}", seed, watched=True)
    figures = {figure["id"]: figure for figure in Reader(page(tmp_path)).figures}
    accuracy, angle = figures["grid-1"]["pictures"]
    assert "kolen_pollack under agrel 9" in accuracy
    assert "sign_symmetry under label 41" in angle
    assert figures["grid-1"]["tables"] == 1


def test_more_agents_than_colours_have_a_small_chart_for_each_rule(tmp_path):
    rules = ("backprop", "kolen_pollack", "sign_symmetry", "feedback_alignment", "weight_mirror")
    for rule, signal in product(rules, ("label", "reward_prediction")):
        write_run(tmp_path, f"{signal}+{rule}", 100)
    (learning, *_) = Reader(page(tmp_path)).figures
    assert len(learning["pictures"]) == len(rules)


def test_the_page_needs_nothing_but_itself(runs):
    made = page(runs)
    assert all(
        name not in ("src", "href", "xlink:href") or value.startswith(("data:", "#"))
        for _, attrs in Reader(made).tags
        for name, value in attrs.items()
    )
    assert "url(" not in made
    assert "@import" not in made
    assert "<script" not in made


def test_five_hundred_runs_are_a_small_page(tmp_path):
    rules = ("backprop", "kolen_pollack", "sign_symmetry", "feedback_alignment", "readout_only")
    signals = ("label", "reward_prediction", "policy_gradient", "agrel", "label_mse")
    for env in ("DigitsReward-v0", "MNISTReward-v0"):
        for rule, signal, seed in product(rules, signals, range(100, 110)):
            write_run(tmp_path, f"{signal}+{rule}", seed, env=env, watched=True)
    write_report(tmp_path, tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size < 3e6


def test_claims_are_judged_where_both_agents_ran(runs):
    text = Reader(page(runs, parse("supervised>q_agrel,supervised>lansdell"))).text
    assert "supervised > q_agrel: " in text
    assert "lansdell" not in text
    assert "No claim was declared" in Reader(page(runs)).text


def test_few_seeds_have_no_band_no_interval_and_no_claim(tmp_path):
    for agent in AGENTS:
        write_run(tmp_path, agent, 100, AGENTS[agent])
    made = page(tmp_path)
    text = Reader(made).text
    assert "no band: under 5 seeds there is no interval" in text
    assert "one seed: too few for an interval or a claim" in text
    assert 'class="band"' not in made


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        (["q_agrel"], "supervised has not run beside the agents that learn from reward"),
        (["supervised", "lansdell"], "No agent here learns from reward"),
    ],
)
def test_where_there_is_no_answer_it_is_said_why(tmp_path, agents, said):
    for agent in agents:
        write_run(tmp_path, agent, 100)
    assert said in Reader(page(tmp_path)).text


def test_what_is_not_reached_is_a_lower_bound(tmp_path):
    for seed in range(100, 105):
        write_run(tmp_path, "supervised", seed, 500)
        write_run(tmp_path, "q_agrel", seed, 500_000)
    text = Reader(page(tmp_path)).text
    assert re.search(
        r"more than 10 times as many trials as learning from labels \[(9\.\d|10), ∞\]", text
    )
    assert "in 5 of 5 pairs of runs one did not get there in time" in text


def test_a_bound_below_one_is_no_answer(tmp_path):
    for agent, pace in {"supervised": 500_000, "q_agrel": 500_000}.items():
        write_run(tmp_path, agent, 100, 500)
        write_run(tmp_path, agent, 101, pace)
    text = Reader(page(tmp_path)).text
    assert "too few runs got to the criterion to tell" in text
    assert "times as many trials as learning from labels" not in text


def test_a_diverged_run_is_drawn_to_where_it_diverged(runs):
    write_run(runs, "q_agrel", 105, diverged=777, watched=True)
    made = page(runs)
    assert made.count('class="cross"') == 2  # on wide and on narrow paper


def test_settings_of_one_agent_that_differ_are_told_apart(tmp_path):
    for key, rate in (("0", 0.1), ("1", 0.2)):
        folder = write_run(tmp_path, "q_agrel", 0, key=key, reads_test=False)
        config = (folder / CONFIG).read_text().replace('"lr": 0.05', f'"lr": {rate}')
        (folder / CONFIG).write_text(config)
    text = Reader(page(tmp_path)).text
    assert "q_agrel (lr 0.1)" in text
    assert "q_agrel (lr 0.2)" in text
    assert "These runs are a search for settings" in text


def test_what_ran_under_other_conditions_stands_apart(runs):
    write_run(runs, "q_agrel", 100, batch=64)
    figures = Reader(page(runs)).figures
    assert {"learning-1", "learning-2"} <= {figure["id"] for figure in figures}


def test_each_agent_has_its_settings_command_and_runs(runs):
    text = Reader(page(runs)).text
    part = text[text.index("Settings and commands") :]
    for said in (
        "q_agrel, 5 runs", "lr 0.05", "scripts/compare.py --seeds 5", "0123456789ab, changed",
        "2026-01-01 00:00", "DigitsReward-v0/q_agrel/01234567/seed-104",
    ):  # fmt: skip
        assert said in part
