"""PPO, A2C and DQN beside the suite's agents: in one table, searched alike, labels out of reach."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from landscape import lay
from rich.console import Console
from small import job, without_processes

from agents.comparison import records, search
from agents.comparison.compare import compare
from agents.comparison.costs import costs
from agents.comparison.options import Options
from agents.comparison.search import Task
from agents.comparison.table import table
from agents.report import write_report
from agents.runs.learning import Learning
from agents.settings import settings_of

NAMES = ("ppo", "a2c", "dqn")
TASK = Task("DigitsReward-v0", trials=1000, batch=128, device="cpu")


@pytest.fixture
def compared(monkeypatch, tmp_path):
    """Rows of a comparison, by agent, and its folder."""
    made = without_processes(monkeypatch)
    monkeypatch.setattr(records, "FOLDER", tmp_path)  # no settings were searched
    searched = ("DigitsReward-v0", "dense 16", "sgd", 128, 1, 0.777, "0 1")
    row = dict(zip(records.CRITERIA, searched, strict=True))
    records.merge_rows(tmp_path / "criteria.csv", records.CRITERIA, records.CRITERION, [row])
    options = Options(agents="supervised,ppo,dqn", sizes="16", epochs=1, quiet=True)
    again = partial(compare, options, seeds=1, out=tmp_path / "out")
    return again(), made, again, tmp_path / "out"


def test_a_comparison_has_a_row_of_each_and_leaves_finished_runs_alone(compared):
    result, made, again, out = compared
    rows = {row["agent"]: row for row in result.rows}
    assert list(rows) == ["supervised", "ppo", "dqn"]
    for name in ("ppo", "dqn"):
        row, cost = rows[name], rows[name]["protocol"]
        assert (row["signal"], row["credit"], row["learns_from"]) == (name, "backprop", "reward")
        assert (row["network"], row["settings"]["optimizer"]) == ("dense 16", "adam")
        assert row["trials"] == rows["supervised"]["trials"]
        assert cost["env_steps"] == rows["supervised"]["protocol"]["env_steps"]
        assert cost["forward_passes"] > cost["env_steps"]
        assert cost["multiply_adds"] is None  # its batches do not all cost the same
        assert result.unsearched == ["supervised", "ppo", "dqn"]
    assert len(made) == 3
    again()
    assert len(made) == 3
    with (console := Console(width=100)).capture() as shown:
        console.print(table(result.rows), costs(result.rows))
    assert "policy_gradient+readout_only" not in shown.get()  # is no control of theirs
    write_report(out / "runs", out / "report.html", ())
    page = (out / "report.html").read_text()
    assert all(name in page for name in ("ppo", "dqn", "n epochs"))
    assert "77.7 % (benchmarks/criteria.csv)" in " ".join(page.split())


def test_they_keep_their_optimiser_whatever_the_others_learn_by():
    cells = Options(agents="q_agrel,ppo,a2c", sizes="16", optimizer="adamw").cells()
    kinds = {name: settings and settings.optimizer for name, settings in cells.items()}
    assert kinds == {"q_agrel": "adamw", "ppo": "adam", "a2c": "rmsprop"}


def test_a_search_tries_as_many_configurations_of_each(monkeypatch):
    looks = lay(monkeypatch, lambda job: 0.5)
    cells = {name: settings_of(name) for name in (*NAMES, "q_agrel")}
    monkeypatch.setattr(search, "EXTENSIONS", 0)
    found = search.search(cells, TASK, Path("unused"))
    assert [one.tried for one in found] == [16] * 4
    for name in NAMES:
        tried = {
            (one.settings.lr, getattr(one.settings, one.settings.varied))
            for one in looks[0][0]
            if one.agent == name
        }
        rates = {cells[name].largest_rate / 2**k for k in range(8)}
        assert tried == {(rate, choice) for rate in rates for choice in cells[name].choices}


def test_a_search_runs_them_and_what_it_chose_is_read_back(monkeypatch, tmp_path):
    without_processes(monkeypatch)
    monkeypatch.setattr(records, "FOLDER", tmp_path)
    task = replace(TASK, trials=256)
    for name in NAMES:
        settings = replace(settings_of(name), sizes=(16,), lr=0.01)
        last = replace(settings, **{settings.varied: settings.choices[-1]})
        scored = search.scores([(name, last)], (0,), task, tmp_path / "runs")
        assert 0 < scored[name][last] < 1
        row = dict.fromkeys(records.SETTINGS, "") | {
            "env": task.env, "network": "dense 16", "optimizer": last.optimizer, "batch": 128,
            "agent": name, "lr": last.lr, "init": getattr(last, last.varied),
        }  # fmt: skip
        records.merge_rows(tmp_path / "settings.csv", records.SETTINGS, records.CELL, [row])
        assert records.chosen(task.env, name, replace(settings, lr=0.5), 128) == last


@pytest.mark.parametrize("name", NAMES)
def test_a_run_counts_trials_as_trials_and_passes_as_passes(name):
    one = replace(job(name, points=(12 * 128,)), watched=True)
    learning = Learning(one)
    while not learning.learn(12 * 128, lambda trials, accuracy: None):
        pass
    row, end = learning.read(12 * 128, 1.0), learning.end(None, 1.0)
    assert (row.change_angle, end.change_angle, end.multiply_adds) == (None, None, None)
    assert end.env_steps == end.presentations == 12 * 128
    assert end.forward_passes == learning.agent.forward_passes > end.env_steps


@pytest.mark.parametrize("name", NAMES)
def test_a_run_has_no_labels_to_show_it(name):
    env = Learning(job(name)).env
    assert not env.unwrapped.reveal_label
    _, _, _, _, info = env.step(np.zeros(128, int))
    assert info == {}
