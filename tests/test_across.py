"""scripts/across.py: from comparisons' folders to the pooled figures."""

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console
from test_options import load
from test_summary import NEVER, SLOW, SUPERVISED, TASK, runs, summary

from agents.comparison.across import LEVELS, left_out, read, summarise, table
from agents.comparison.options import script


def rows(env, chance=0.1, seeds=5, diverged=None):
    agents = [
        runs("supervised", SUPERVISED, seeds),
        runs("slow", SLOW, seeds, tested=0.9, diverged=diverged),
        runs(f"only {env}", NEVER, seeds),
    ]
    return summary(*agents, task=replace(TASK, env=env, chance=chance))


TWO = rows("DigitsReward-v0"), rows("MNISTReward-v0", chance=0.2)


@pytest.fixture
def folders(tmp_path):
    for name, found in zip(("a", "b"), TWO, strict=True):
        (tmp_path / name).mkdir()
        (tmp_path / name / "summary.json").write_text(json.dumps(found))
    return tmp_path


@pytest.fixture
def run(folders, monkeypatch, capsys):
    """Run the script as a user does; what it printed."""
    module = load("across")
    monkeypatch.chdir(folders)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["across", *arguments])
        script(module.main, module.Args)
        return capsys.readouterr().out

    return run


@pytest.fixture
def refused(run):
    """The sentence that it ends with."""

    def refused(*arguments):
        with pytest.raises(SystemExit) as end:
            run(*arguments)
        assert re.fullmatch(r"error: [^\n]+", end.value.code)
        return end.value.code

    return refused


def test_a_row_has_every_figure_and_is_plain_json():
    found = summarise(TWO)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    supervised, slow = found
    assert (slow["agent"], slow["seeds"]) == ("slow", 5)
    assert slow["envs"] == ["DigitsReward-v0", "MNISTReward-v0"]
    # (.902 - .1) / (.962 - .1) and (.902 - .2) / (.962 - .2): means of its seeds' scores.
    assert np.mean(slow["scores"], 1) == pytest.approx([0.802 / 0.862, 0.702 / 0.762])
    assert slow["scores"][1][0] < slow["iqm"]["value"] < slow["scores"][0][4]
    assert slow["iqm"]["low"] < slow["iqm"]["value"] < slow["iqm"]["high"]
    assert slow["probability_of_improvement"]["supervised"]["value"] == 0
    assert supervised["probability_of_improvement"]["slow"]["value"] == 1
    assert [share["score"] for share in slow["profile"]] == list(LEVELS)
    assert [share["value"] for share in slow["profile"]][0::24] == [1, 0]


def test_agents_that_are_not_everywhere_are_left_out():
    assert left_out(TWO) == ["only DigitsReward-v0", "only MNISTReward-v0"]
    assert [row["agent"] for row in summarise(TWO)] == ["supervised", "slow"]


def test_the_table_fits_and_says_what_it_shows():
    console = Console(width=100)
    with console.capture() as text:
        console.print(table(summarise(TWO)))
    words = " ".join(text.get().split())
    assert max(map(len, text.get().splitlines())) <= 100
    assert "…" not in text.get()
    assert "100.0 [99.9, 100.1]" in words
    assert "5 seeds in each of 2 environments" in words
    assert "diverged," not in words


def test_diverged_runs_are_counted_and_the_brackets_qualified():
    found = summarise([rows("A", diverged=100), rows("B", diverged=100)])
    assert found[1]["diverged"] == 10
    assert found[1]["iqm"]["value"] == pytest.approx(0)  # they score chance
    assert "then cover less" in table(found).caption


def test_few_seeds_have_no_brackets():
    found = summarise([rows("A", seeds=3), rows("B", seeds=3)])
    assert found[1]["iqm"]["low"] is None
    assert "Too few seeds" in table(found).caption


def test_the_script_prints_the_table_and_writes_its_figures(run, folders):
    output = run("a", "b", "--out", "out")
    assert "Left out, since not in every folder: only DigitsReward-v0, only MNIST" in output
    assert output.endswith("Figures: out/across.json\n")
    written = json.loads((folders / "out/across.json").read_text())
    assert written == summarise([read(folders / "a"), read(folders / "b")])


def damaged(change):
    found = json.loads(json.dumps(TWO[1]))
    change(found)
    return json.dumps(found)


@pytest.mark.parametrize(
    ("second", "sentence"),
    [
        ("{", "'b/summary.json' is damaged"),
        ("[]", "'b/summary.json' has no rows"),
        ("3", "is damaged, or no comparison's"),
        (damaged(lambda found: found[0].pop("diverged")), "is damaged"),
        (damaged(lambda found: found[0]["test_accuracy"]["per_seed"].pop()), "is damaged"),
        (damaged(lambda found: found[0]["protocol"].update(chance="x")), "is damaged"),
        (json.dumps(TWO[0]), "one folder an environment"),
        (json.dumps(rows("B", seeds=6)), "all runs need the same seeds"),
        (json.dumps(TWO[1][1:]), "supervised"),
    ],
)
def test_folders_that_do_not_fit_are_refused_in_a_sentence(refused, folders, second, sentence):
    (folders / "b/summary.json").write_text(second)
    assert sentence in refused("a", "b", "--out", "out")
    assert not (folders / "out").exists()


@pytest.mark.parametrize("arguments", [(), ("a",)])
def test_one_environment_is_not_pooled(refused, arguments):
    assert "two environments or more" in refused(*arguments)


def test_a_folder_without_a_summary_is_named(refused):
    assert "'nowhere' holds no summary.json" in refused("a", "nowhere")
