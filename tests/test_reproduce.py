"""A figure from end to end on the digits: it resumes, and counts as it says."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny import FREE, TINY, make

from agents.presets import FIGURES
from agents.presets.figure import LEFT, Quick
from agents.reproduction import reproduce, results
from agents.reproduction.plan import Plan
from agents.runs import sweep
from agents.runs.folder import DONE, METRICS, read

pytestmark = pytest.mark.usefixtures("made")  # no processes


def runs(tmp_path):
    return sorted((tmp_path / "runs").glob("**/config.json"))


def test_a_quick_figure_is_run_by_both_protocols_on_one_seed(tmp_path):
    made = make(tmp_path)
    assert made == results.read(tmp_path / "rows" / "tiny.quick.json")
    assert made.quick
    assert [(r["line"], r["protocol"], r["seed"], r["epochs"]) for r in made.rows] == [
        (line, protocol, 100, 2) for protocol in ("published", "own") for line in ("BP", "Q")
    ]
    for path in runs(tmp_path):
        run = read(path.parent)
        (row,) = (
            row for row in made.rows
            if f"tiny {row['line']}" == run.config["agent"]
            and (row["protocol"] == "published") == (run.config["protocol"]["reads"] == "test")
        )  # fmt: skip
        assert run.config["settings"]["drops"] == [1437 if row["protocol"] == "published" else 1294]
        if row["protocol"] == "published":
            assert run.config["protocol"]["learns"] == "train+validation"
            assert run.config["points"] == [1440, 2880]
            assert row["accuracy"] == max(r.validation_accuracy for r in run.rows)
            assert row["stop"] is None  # two epochs are too few
            assert row["measured"] == {}
        else:
            assert row["accuracy"] == run.end.test_accuracy
            assert {1312, 2592} <= set(run.config["points"])
            assert 0 < row["level"] < 1
            assert bool(row["measured"]) == (row["line"] == "Q")  # backprop has no feedback


def test_the_last_epoch_can_be_what_counts(tmp_path, monkeypatch):
    def run_all(*given):
        results = sweep.run_all(*given)
        return [replace(one, validation=(*one.validation[:-2], 0.9, 0.4)) for one in results]

    monkeypatch.setattr(reproduce, "run_all", run_all)
    for last, expected in (False, 0.9), (True, 0.4):
        rows = make(tmp_path, replace(TINY, last=last)).rows
        assert {row["accuracy"] for row in rows if row["protocol"] == "published"} == {expected}


def test_a_figure_that_was_stopped_goes_on_where_it_was(tmp_path):
    whole = make(tmp_path / "whole")
    make(tmp_path, seeds=2)  # finished runs
    first = runs(tmp_path)[0].parent
    (first / DONE).unlink()  # one that was killed before its end
    rows = (first / METRICS).read_text().splitlines(keepends=True)
    (first / METRICS).write_text("".join(rows[:-1]))
    before = {p: (p.parent / DONE).stat().st_mtime_ns for p in runs(tmp_path) if p.parent != first}
    again = make(tmp_path)
    assert {p: (p.parent / DONE).stat().st_mtime_ns for p in before} == before
    kept = ("line", "protocol", "accuracy", "last", "hit", "measured")
    assert [{k: r[k] for k in kept} for r in again.rows] == [
        {k: r[k] for k in kept} for r in whole.rows
    ]


def test_lines_run_by_themselves_join_those_that_are_there(tmp_path, made):
    whole = make(tmp_path / "whole", FREE, seeds=2).rows
    make(tmp_path, FREE, lines=("Q",), seeds=2)
    assert {agent for agent, _ in made[8:]} == {"tiny Q"}
    joint = make(tmp_path, FREE, lines=("BP",)).rows
    expected = [row for row in whole if (row["line"], row["seed"]) != ("BP", 101)]
    same = ("protocol", "line", "seed", "accuracy", "key")
    assert [[row[name] for name in same] for row in joint] == [
        [row[name] for name in same] for row in expected
    ]


def test_rows_of_other_settings_do_not_stay(tmp_path):
    assert {row["line"] for row in make(tmp_path, FREE).rows} == {"BP", "Q"}
    bp, q = FREE.lines
    figure = replace(FREE, lines=(replace(bp, settings=replace(bp.settings, lr=2)), q))
    assert {row["line"] for row in make(tmp_path, figure, lines=("Q",)).rows} == {"Q"}


def test_a_full_figure_has_its_epochs_seeds_and_patience():
    planned = Plan(TINY, quick=False).runs()
    assert [one.job.seed for one in planned[:5]] == [100, 101, 102, 103, 104]
    first, last = planned[0].job, planned[-1].job
    assert (len(first.points), first.protocol.patience, first.protocol.selects) == (60, 45, False)
    assert (last.protocol.patience, last.protocol.selects, last.reads_test) == (0, True, True)
    assert first.settings.drops == (1437, 30 * 1437)
    assert not first.reads_test
    assert Plan(TINY, quick=False, seeds=2).seed_range == range(100, 102)


@pytest.mark.parametrize("quick", [False, True])
def test_runs_that_several_figures_need_are_made_once(quick):
    """Lines that differ in nothing but their names lie in one folder, wherever they are listed."""
    folders = {}
    for figure in FIGURES.values():
        if figure.unit == LEFT:
            continue
        here = replace(figure, env="DigitsReward-v0")  # whose images are always there
        for one in Plan(here, quick, seeds=1).runs():
            alike = figure.env, one.job.key()
            folders.setdefault(alike, set()).add(one.job.folder(Path()))
    assert [folder for folder in folders.values() if len(folder) > 1] == []


def test_lines_too_long_for_a_quick_figure_are_left_out():
    figure = FIGURES["strong-dfc-H"]
    figure = replace(figure, env="DigitsReward-v0")
    assert {one.epochs for one in Plan(figure, quick=True).runs()} == {0.125, 0.25, 0.5, 1}
    in_full = {one.epochs for one in Plan(figure, quick=False).runs()}
    assert in_full == {0.125, 0.25, 0.5, 1, 4, 16, 40}


def test_a_smaller_quick_network_is_said_in_the_rows(tmp_path):
    made = make(tmp_path, replace(TINY, quick=Quick(1, 1, images=100, sizes=(9,))))
    assert {tuple(row["sizes"]) for row in made.rows} == {(9,)}
    assert {row["images"] for row in made.rows} == {100}
