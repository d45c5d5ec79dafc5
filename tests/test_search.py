"""The search on made-up landscapes: the same for every cell, whatever it finds."""

from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from landscape import RATES, lay, peaked

from agents.comparison import search
from agents.comparison.search import Task
from agents.credit import RULES
from agents.settings import Settings, settings_of

TASK = Task("DigitsReward-v0", trials=1000, batch=128, device="cpu")
CELLS = {name: settings_of(name) for name in ("supervised", "q_agrel", "reinforce")}
MIDDLE = RATES[3]


@pytest.fixture
def landscape(monkeypatch):
    return partial(lay, monkeypatch)


def configurations(jobs):
    return {(job.agent, job.settings.lr, job.settings.init) for job in jobs}


def test_every_cell_gets_sixteen_configurations_at_a_fifth_of_the_budget(landscape):
    looks = landscape(peaked(MIDDLE))
    found = search.search(CELLS, TASK, Path("unused"))
    jobs, trials = looks[0]
    assert trials == 200
    assert {job.seed for job in jobs} == {0}
    assert configurations(jobs) == {
        (a, lr, i) for a in CELLS for lr in RATES for i in Settings.choices
    }
    assert len(jobs) == 3 * 16
    assert [f.tried for f in found] == [16] * 3


def test_adam_has_a_range_of_its_own_as_long(landscape):
    cells = {name: replace(settings, optimizer="adam") for name, settings in CELLS.items()}
    looks = landscape(peaked(MIDDLE / 50))
    found = search.search(cells, TASK, Path("unused"))
    assert sorted({job.settings.lr for job in looks[0][0]}) == pytest.approx(
        [rate / 50 for rate in reversed(RATES)]
    )
    assert all(f.settings.lr == pytest.approx(MIDDLE / 50) and not f.on_edge for f in found)


def test_the_best_three_of_every_cell_get_the_whole_budget_on_both_seeds(landscape):
    looks = landscape(peaked(MIDDLE))
    search.search(CELLS, TASK, Path("unused"))
    jobs, trials = looks[1]
    assert trials == 1000
    assert len(looks) == 3  # the third asks for the winner's margin
    best = {(MIDDLE, "he"), (MIDDLE, "paper"), (RATES[4], "he")}
    assert configurations(jobs) == {(agent, *one) for agent in CELLS for one in best}
    assert set(Counter(job.agent for job in jobs).values()) == {6}
    assert {job.seed for job in jobs} == {0, 1}


def test_what_it_finds_is_the_best_and_the_median(landscape):
    landscape(peaked(MIDDLE, "paper"))
    found = search.search(CELLS, TASK, Path("unused"))[1]
    assert found.agent == "q_agrel"
    assert (found.settings.lr, found.settings.init) == (MIDDLE, "paper")
    assert found.best == pytest.approx(0.9 + 0.0005)  # the mean of both seeds
    # Distances 0 1 1 2 2 3 3 4, each with both initialisations: between 2 with paper and he.
    assert found.median == pytest.approx(0.9 - 0.1 - 0.005)
    assert not found.on_edge


def test_the_whole_budget_decides_and_not_the_first_look(landscape):
    first, last = peaked(MIDDLE), peaked(RATES[4])
    looks = []

    def accuracy(job):
        return (first if len(looks) == 1 else last)(job)

    looks = landscape(accuracy)
    assert {f.settings.lr for f in search.search(CELLS, TASK, Path("unused"))} == {RATES[4]}


def test_no_run_of_a_search_reads_test(landscape):
    looks = landscape(peaked(MIDDLE))
    search.search(CELLS, TASK, Path("unused"))
    assert not any(job.reads_test for jobs, _ in looks for job in jobs)


@pytest.mark.parametrize(("best", "added"), [(2 * RATES[0], 1.6), (RATES[-1] / 2, RATES[-1] / 2)])
def test_a_best_rate_on_the_edge_extends_the_range_for_every_cell(landscape, best, added):
    looks = landscape(lambda job: peaked(best if job.agent == "reinforce" else MIDDLE)(job))
    found = search.search(CELLS, TASK, Path("unused"))
    rates = {
        agent: {lr for a, lr, _ in configurations(looks[3][0]) if a == agent} for agent in CELLS
    }
    assert all({*RATES, added} <= tried for tried in rates.values())
    assert len({f.tried for f in found}) == 1
    assert [f.settings.lr for f in found] == [MIDDLE, MIDDLE, best]


def test_the_range_grows_twice_at_most_and_an_edge_is_said(landscape):
    looks = landscape(peaked(100))
    found = search.search(CELLS, TASK, Path("unused"))
    assert len(looks) == 3 * 3
    assert {(f.settings.lr, f.tried, f.on_edge) for f in found} == {(3.2, 20, True)}


def test_both_edges_can_grow_at_once(landscape):
    looks = landscape(lambda job: peaked(1.6 if job.agent == "q_agrel" else RATES[-1] / 2)(job))
    found = search.search(CELLS, TASK, Path("unused"))
    assert {lr for _, lr, _ in configurations(looks[3][0])} == {1.6, *RATES, RATES[-1] / 2}
    assert found[1].settings.lr == 1.6


def test_a_configuration_that_diverges_is_counted_and_not_chosen(landscape):
    landscape(peaked(MIDDLE), diverges=lambda job: job.settings.lr >= MIDDLE)
    found = search.search(CELLS, TASK, Path("unused"))
    assert {(f.settings.lr, f.tried) for f in found} == {(RATES[4], 16)}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_rate_that_diverges_a_little_faster_does_not_win(landscape, seed):
    def diverges(job):
        return job.settings.lr == pytest.approx(1.4 * MIDDLE) and job.seed == seed

    looks = landscape(peaked(MIDDLE), diverges)
    found = search.search(CELLS, TASK, Path("unused"))
    assert {f.settings.lr for f in found} == {RATES[4]}
    assert {trials for _, trials in looks[2:]} == {200}  # asked at a fifth of the budget


def test_the_last_finalist_wins_without_a_margin(landscape):
    landscape(peaked(MIDDLE), lambda job: job.settings.lr not in RATES)
    found = search.search(CELLS, TASK, Path("unused"))
    assert {(f.settings.lr, f.settings.init) for f in found} == {(RATES[4], "he")}


@pytest.mark.parametrize("seed", [0, 1])
def test_a_finalist_that_diverges_on_either_seed_gives_its_place_to_the_next(landscape, seed):
    def diverges(job):
        return len(looks) > 1 and job.settings.lr == MIDDLE and job.seed == seed

    looks = landscape(peaked(MIDDLE), diverges)
    found = search.search(CELLS, TASK, Path("unused"))
    instead = {(RATES[2], "he"), (RATES[4], "paper")}
    assert configurations(looks[2][0]) == {(agent, *one) for agent in CELLS for one in instead}
    assert len(looks) == 4
    assert all(f.settings.lr in (RATES[2], RATES[4]) and f.settings.init == "he" for f in found)


def test_what_diverged_is_chosen_only_if_nothing_else_came_through(landscape):
    one = {"supervised": CELLS["supervised"]}, search.HALVINGS, TASK, Path("unused")
    landscape(peaked(MIDDLE), lambda job: job.settings.lr > RATES[-1] * 1.01)
    (found,) = search.search_rates(*one)
    assert found.settings.lr == RATES[-1]  # it lacks the margin, which is not asked of the last
    assert found.best > 0
    assert found.on_edge
    landscape(peaked(MIDDLE), lambda job: True)
    assert search.search_rates(*one)[0].best == 0


def test_a_rule_that_needs_small_rates_is_searched_among_as_many_of_its_own(landscape, monkeypatch):
    monkeypatch.setattr(RULES["learned_feedback"], "largest_rate", 0.01)
    slow = {"slow": Settings("label", "learned_feedback")}
    looks = landscape(peaked(0.0025))
    found = search.search(CELLS | slow, TASK, Path("unused"))
    rates = {lr for agent, lr, _ in configurations(looks[0][0]) if agent == "slow"}
    assert rates == {0.01 / 2**k for k in range(8)}
    assert found[-1].settings.lr == 0.0025
    # The others' best lies beyond their range, and theirs alone: all ranges grow.
    assert len({f.tried for f in found}) == 1
    assert found[-1].tried > 16
