"""scripts/reproduce.py as it is called, and what it refuses, in words and before any run."""

import sys
from dataclasses import replace

import pytest
import torch
from test_options import load as load_script
from tiny import FREE, TINY, make

from agents.comparison.options import script
from agents.presets import FIGURES
from agents.reproduction import needs, results

pytestmark = pytest.mark.usefixtures("made")  # no processes
LONG = replace(FREE, lines=(FREE.lines[0], replace(FREE.lines[1], epochs=50)))


def command(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["reproduce", *arguments])
    module = load_script("reproduce")
    script(module.main, module.Args)


def test_the_list_has_every_figure(monkeypatch, capsys):
    command(monkeypatch, "--list")
    listed = capsys.readouterr().out
    assert all(name in listed for name in [*FIGURES, "ratio"])


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
