"""What a search found is written to two tables, which the comparison reads back."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from landscape import RATES, lay, peaked
from test_options import load

from agents.comparison import compare, records
from agents.comparison.options import Options, script
from agents.settings import Settings, settings_of

MIDDLE = RATES[3]


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """Run scripts/search.py, its tables going to a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(records, "FOLDER", tmp_path / "benchmarks")

    def searched(best, *arguments):
        lay(monkeypatch, peaked(best, "paper"))
        monkeypatch.setattr(sys, "argv", ["search", "--device", "cpu", *arguments])
        module = load("search")
        script(module.main, module.Args)

    return searched


def test_what_a_search_found_is_what_a_comparison_runs_with(searched, monkeypatch):
    searched(MIDDLE, "--agents", "supervised,q_agrel", "--sizes", "16", "--epochs", "2")
    plain = replace(settings_of("q_agrel"), sizes=(16,))
    chosen = records.chosen("DigitsReward-v0", "q_agrel", plain, 128)
    assert chosen == replace(plain, lr=MIDDLE, init="paper")
    asked = []
    monkeypatch.setattr(compare, "run_all", lambda jobs, *_: asked.extend(jobs) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compare.compare(Options(agents="q_agrel", sizes="16", epochs=2), 2, Path("out"))
    assert [job.settings for job in asked] == [chosen, chosen]


@pytest.mark.parametrize(
    ("env", "agent", "sizes", "batch"),
    [
        ("MNISTReward-v0", "q_agrel", (16,), 128),
        ("DigitsReward-v0", "reinforce", (16,), 128),
        ("DigitsReward-v0", "q_agrel", (17,), 128),
        ("DigitsReward-v0", "q_agrel", (16,), 64),
    ],
)
def test_settings_are_those_of_the_cell_alone(searched, env, agent, sizes, batch):
    searched(MIDDLE, "--agents", "supervised,q_agrel", "--sizes", "16")
    assert records.chosen(env, agent, replace(settings_of(agent), sizes=sizes), batch) is None


def test_each_optimizer_has_settings_of_its_own(searched):
    searched(MIDDLE, "--agents", "supervised", "--sizes", "16", "--epochs", "2")
    options = {"optimizer": "adam", "sizes": "16", "epochs": 2}
    (plain,) = Options(agents="supervised", **options).cells().values()
    assert plain == Settings("label", optimizer="adam", lr=0.001, sizes=(16,))
    assert records.chosen("DigitsReward-v0", "supervised", plain, 128) is None
    assert records.criterion("DigitsReward-v0", plain, 128, 2) is None
    searched(RATES[5] / 50, "--agents", "supervised", "--sizes", "16", "--optimizer", "adam")
    chosen = records.chosen("DigitsReward-v0", "supervised", plain, 128)
    assert chosen == replace(plain, lr=RATES[5] / 50, init="paper")
    assert len(records.read_table(records.FOLDER / "settings.csv")) == 2


def test_an_unknown_optimizer_is_refused():
    with pytest.raises(ValueError, match="unknown optimizer 'rms': choose one of sgd, adam"):
        Options(optimizer="rms").check()


def test_the_criterion_is_superviseds_own_mean_for_the_budget_it_had(searched):
    searched(MIDDLE, "--agents", "supervised,q_agrel", "--sizes", "16", "--epochs", "2")
    small = Settings(sizes=(16,))
    assert records.criterion("DigitsReward-v0", small, 128, 2) == pytest.approx(0.9005)
    assert records.criterion("DigitsReward-v0", small, 128, 3) is None
    assert records.criterion("DigitsReward-v0", Settings(), 128, 2) is None


def test_a_second_search_replaces_its_cells_and_keeps_the_others(searched):
    searched(MIDDLE, "--agents", "supervised,q_agrel", "--sizes", "16")
    searched(RATES[4], "--agents", "q_agrel,agrel", "--sizes", "16")
    rows = records.read_table(records.FOLDER / "settings.csv")
    assert tuple(rows[0]) == records.SETTINGS
    rates = {row["agent"]: float(row["lr"]) for row in rows}
    assert rates == {"agrel": RATES[4], "q_agrel": RATES[4], "supervised": MIDDLE}
    assert list(rates) == sorted(rates)
    assert len(rows) == 3
    assert len(records.read_table(records.FOLDER / "criteria.csv")) == 1


@pytest.mark.parametrize(
    ("network", "sizes", "name"),
    [
        ("dense", (), "dense 500-300"), ("dense", (64, 32), "dense 64-32"),
        ("resnet18", (), "resnet18 64"), ("resnet18", (8,), "resnet18 8"),
        ("tanh", (), "tanh 256-256-256"), ("sigmoid", (), "sigmoid 500"),
        ("conv", (), "conv"), ("conv", (16,), "conv"),
    ],
)  # fmt: skip
def test_a_network_is_named_with_its_sizes_if_it_could_have_others(network, sizes, name):
    assert records.network_name(Settings(network=network, sizes=sizes)) == name


@pytest.mark.parametrize("table", ["settings.csv", "criteria.csv"])
def test_every_network_in_the_tables_is_named_as_settings_name_it(table):
    for row in records.read_table(records.FOLDER / table):
        network, _, sizes = row["network"].partition(" ")
        given = tuple(map(int, sizes.split("-"))) if sizes else ()
        assert records.network_name(Settings(network=network, sizes=given)) == row["network"]
