"""A figure from end to end on the digits: it resumes, counts as it says, and refuses in words."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_options import load as load_script
from tiny import TINY, make

from agents.comparison.options import script
from agents.presets import FIGURES
from agents.presets.figure import LEFT, Quick
from agents.reproduction import needs, reproduce, results
from agents.reproduction.plan import Plan
from agents.runs import sweep
from agents.runs.folder import DONE, METRICS, read

pytestmark = pytest.mark.usefixtures("made")  # no processes
FREE = replace(TINY, reference="")  # no line counts trials to another's level
LONG = replace(FREE, lines=(FREE.lines[0], replace(FREE.lines[1], epochs=50)))


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


@pytest.mark.parametrize(
    ("figure", "lines", "sentence"),
    [
        (TINY, ("FA",), "tiny has no line 'FA': choose of 'BP', 'Q'"),
        (TINY, ("Q",), "tiny counts trials to a level that 'BP' sets: name it in --lines, too"),
        (FIGURES["lansdell-autoencoder"], ("NP",), "run it whole, without --lines"),
        (FIGURES["np-scaling"], ("backprop 16-16 lr 0.2",), "run it whole, without --lines"),
        (LONG, ("Q",), "tiny --quick has no run of 'Q', which takes more epochs: choose another"),
    ],
)
def test_lines_that_cannot_be_run_alone_are_refused(tmp_path, figure, lines, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(tmp_path, figure, lines=lines)


def test_a_place_for_rows_that_is_none_is_told_before_the_runs(tmp_path, made):
    (tmp_path / "rows").touch()
    with pytest.raises(ValueError, match="rows .*rows' is no folder to write in"):
        make(tmp_path)
    assert made == []


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
    assert {one.epochs for one in Plan(figure, quick=False).runs()} == {
        0.125,
        0.25,
        0.5,
        1,
        4,
        16,
        40,
    }


def test_a_smaller_quick_network_is_said_in_the_rows(tmp_path):
    made = make(tmp_path, replace(TINY, quick=Quick(1, 1, images=100, sizes=(9,))))
    assert {tuple(row["sizes"]) for row in made.rows} == {(9,)}
    assert {row["images"] for row in made.rows} == {100}


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["reproduce", *arguments])
    module = load_script("reproduce")
    script(module.main, module.Args)


def test_the_list_has_every_figure(monkeypatch, capsys):
    command(monkeypatch, "--list")
    listed = capsys.readouterr().out
    assert all(name in listed for name in [*FIGURES, "ratio"])


def test_an_unknown_name_lists_those_there_are(monkeypatch):
    with pytest.raises(SystemExit, match="error: unknown figure 'mnist': choose one of brainprop-"):
        command(monkeypatch, "mnist", "--quick")


def test_missing_images_name_the_two_variables_and_stop_no_other_figure(
    tmp_path, monkeypatch, capsys
):
    module = load_script("reproduce")
    figures = {
        "brainprop-mnist-conv": replace(TINY, name="lost", env="MNISTReward-v0"),
        "akrout-mnist": TINY,
    }
    monkeypatch.setattr(module, "FIGURES", figures)
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    args = module.Args(
        names=tuple(figures),
        quick=True,
        device="cpu",
        out=tmp_path / "runs",
        rows=tmp_path / "rows",
    )
    with pytest.raises(RuntimeError, match="1 of 2 figures were not made: lost needs images"):
        module.main(args)
    said = " ".join(capsys.readouterr().out.split())
    assert "CREDIT_ENVS_MIRROR names a folder" in said
    assert "CREDIT_ENVS_CACHE one with" in said
    assert (tmp_path / "rows" / "tiny.quick.json").exists()


def test_a_full_figure_without_a_gpu_or_memory_offers_the_quick_one(monkeypatch):
    cpu, big = torch.device("cpu"), replace(TINY, gpu=True, memory=6.0)
    with pytest.raises(ValueError, match="tiny in full needs a GPU with 6 GiB.*--quick does"):
        needs.check(big, cpu, insists=False)
    needs.check(replace(TINY, memory=0.1), cpu, insists=False)
    monkeypatch.setattr(needs, "memory", lambda device: 2.0)
    with pytest.raises(ValueError, match="needs 6 GiB of memory, cpu has 2.0 GiB.*--quick does"):
        needs.check(big, cpu, insists=True)


def test_memory_is_known_here():
    found = needs.memory(torch.device("cpu"))
    assert found is None or 0 < found < 1e6


def test_a_record_that_is_damaged_is_said(tmp_path):
    (tmp_path / "a.json").write_text('{"figure": "tiny"')
    with pytest.raises(ValueError, match="a.json is no record of a reproduced figure .*delete it"):
        results.read(tmp_path / "a.json")


def test_a_number_of_seeds_below_one_is_refused(tmp_path):
    with pytest.raises(ValueError, match="seeds is the number of runs of each line, 1 or more"):
        make(tmp_path, seeds=-1)
