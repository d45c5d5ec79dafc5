"""scripts/train.py and scripts/sweep.py as a user runs them."""

import sys
from dataclasses import replace

import pytest
from small import without_processes
from test_options import load

from agents.comparison.options import script
from agents.comparison.plan import grid_of, read_plan
from agents.comparison.statistics import hitting_time, median_time
from agents.runs import run as running
from agents.runs.folder import find
from agents.runs.job import result_of

SMALL = ["--sizes", "16", "--epochs", "1", "--device", "cpu", "--quiet"]


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Runs a script in a folder of its own; what it printed, or said when it ended."""
    monkeypatch.chdir(tmp_path)

    def command(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *SMALL, *arguments])
        module = load(name)
        try:
            script(module.main, module.Args)
        except SystemExit as end:
            return str(end.code)
        return capsys.readouterr().out

    return command


@pytest.fixture
def made(monkeypatch):
    return without_processes(monkeypatch)


# One run


def test_a_run_says_what_came_out_and_where_it_is(command, tmp_path):
    said = command("train", "--agent", "supervised", "--seed", "3", "--lr", "0.2")
    ((record,), _) = find(tmp_path)
    assert said == (
        f"supervised with seed 3 on DigitsReward-v0: test accuracy "
        f"{record.end.test_accuracy:.1%} after {record.end.seconds:,.0f} s\n"
        f"{record.folder.relative_to(tmp_path)}\n"
    )
    assert record.config["settings"]["lr"] == 0.2
    assert record.config["command"].startswith("train --sizes 16")
    assert record.config["versions"].keys() == {
        "python",
        "torch",
        "numpy",
        "gymnasium",
        "credit_envs",
    }


def test_a_finished_run_is_not_run_again(command, made):
    first = command("train")
    assert command("train") == first
    assert len(made) == 1


def test_an_unfinished_run_is_refused_and_resumed_only_when_asked_for(
    command, monkeypatch, tmp_path
):
    stop_after(monkeypatch, 3)
    assert command("train") == "stopped: the same command with --resume goes on from there"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    said = command("train")
    assert said.startswith("error: results/train/DigitsReward-v0/q_agrel/")
    assert "that was not finished" in said
    assert "--resume goes on with it" in said
    assert "\n" not in said
    assert "test accuracy" in command("train", "--resume")
    ((record,), faults) = find(tmp_path)
    assert (record.status, faults) == ("done", [])


def stop_after(monkeypatch, rows):
    """Ctrl-C when so many rows are written."""
    append, left = running.append_row, iter(range(rows))

    def append_row(path, row):
        append(path, row)
        if next(left, None) is None:
            raise KeyboardInterrupt

    monkeypatch.setattr(running, "append_row", append_row)


def test_a_run_that_fails_says_why_and_where_to_look(command, monkeypatch):
    def fail(job):
        raise RuntimeError("bad luck")

    monkeypatch.setattr(running, "Learning", fail)
    said = command("train")
    assert said.startswith(
        "error: q_agrel with seed 100 on DigitsReward-v0: RuntimeError: bad luck"
    )
    assert said.endswith("/failed has the traceback)")
    assert "RuntimeError: bad luck (0 of" in command("train")
    assert "--resume goes on" in command("train")


# A sweep


def test_a_sweep_runs_every_combination_on_every_seed(command, made, tmp_path):
    said = command(
        "sweep", "--agents", "q_agrel,supervised", "--seeds", "2", "--vary", "lr=0.05,1e30",
        "optimizer=sgd,adam",
    )  # fmt: skip
    assert len(made) == 16
    records, _ = find(tmp_path)
    settings = {
        (r.config["agent"], r.config["settings"]["lr"], r.config["settings"]["optimizer"])
        for r in records
    }
    assert len(settings) == 8
    assert {record.config["seed"] for record in records} == {100, 101}
    assert sum(record.status == "diverged" for record in records) >= 4
    line = next(line.split() for line in said.splitlines() if "supervised  1e+30  sgd" in line)
    assert line[-4:] == ["10.0", "2", "2", "0"]
    command("sweep", "--agents", "q_agrel", "--seeds", "3", "--vary", "lr=0.05")
    assert len(made) == 17  # but one of them was done


def test_a_sweep_shows_the_trials_to_a_level(command, made, tmp_path):
    said = command("sweep", "--agents", "supervised", "--vary", "lr=0.5,1e30", "--level", "0.2")
    assert "20 %" in said
    records, _ = find(tmp_path)
    sound = [result_of(record) for record in records if record.status == "done"]
    assert len(sound) == 3
    hits = [hitting_time(result.trials, result.validation, 0.2) for result in sound]
    line = next(line.split() for line in said.splitlines() if "supervised  0.5" in line)
    assert line[-4] == f"{median_time(hits):,.0f}"
    line = next(line for line in said.splitlines() if "supervised  1e+30" in line)
    assert "not reached" in line


def test_a_sweep_is_read_from_a_file(command, made, tmp_path):
    (tmp_path / "sweep.toml").write_text(
        'agents = "supervised"\nseeds = 1\nbatch = 64\n'
        "[vary]\nsizes = [[8], [9, 8]]\nlr = [1, 0.5]\n"
    )
    command("sweep", "--file", "sweep.toml")
    records, _ = find(tmp_path)
    assert {(*r.config["settings"]["sizes"], r.config["settings"]["lr"]) for r in records} == {
        (8, 1.0), (8, 0.5), (9, 8, 1.0), (9, 8, 0.5),
    }  # fmt: skip
    assert {record.config["batch"] for record in records} == {64}


def test_a_sweep_in_which_a_run_fails_ends_with_a_sentence_and_the_others(
    command, made, monkeypatch, tmp_path
):
    def learning(job):
        if job.seed == 100:
            raise RuntimeError("bad luck")
        return Learning(job)

    Learning = running.Learning  # noqa: N806
    monkeypatch.setattr(running, "Learning", learning)
    said = command("sweep", "--agents", "supervised", "--seeds", "2")
    assert said == "error: 1 of 2 runs failed, the others are kept"
    records, _ = find(tmp_path)
    assert [record.status for record in records] == ["failed", "done"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--vary", "lr"], "vary 'lr': give name=value,value such as lr=0.05,0.1"),
        (["--vary", "lr=fast"], "vary lr: 'fast' is no float"),
        (["--vary", "drops=soon"], "vary drops: 'soon' is no row of numbers such as 64-32"),
        (["--vary", "rate=1"], "'rate' cannot be varied: choose of env, network"),
        (["--vary", "lr=-1"], "lr is a positive learning rate"),
        (["--seeds", "0"], "seeds is the number of runs of a combination"),
        (["--workers", "-1"], "workers is 0 or more"),
        (["--level", "50"], "level is an accuracy in 0..1, or 0 for none, got 50"),
        (["--file", "nowhere.toml"], "nowhere.toml cannot be read as TOML"),
        (["--file", "bad.toml"], "seeds is of the type int, got 'two'"),
        (["--file", "unknown.toml"], "unknown option 'seed'"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_a_sentence(
    command, made, arguments, sentence, tmp_path
):
    (tmp_path / "bad.toml").write_text('seeds = "two"\n')
    (tmp_path / "unknown.toml").write_text("seed = 2\n")
    said = command("sweep", *arguments)
    assert said.startswith("error: ")
    assert sentence in said
    assert "\n" not in said
    assert made == []


def test_a_grid_has_values_of_its_settings_types():
    given = ["lr=0.05,1", "batch=32", "sizes=64-32,16", "init=paper", "drops=100-200,300"]
    given += ["betas=0.9-0.99"]
    assert grid_of(given) == {
        "lr": [0.05, 1.0], "batch": [32], "sizes": ["64,32", "16"], "init": ["paper"],
        "drops": [(100, 200), (300,)], "betas": [(0.9, 0.99)],
    }  # fmt: skip


def test_a_file_s_lists_are_the_same_values(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text("[vary]\nsizes = [[64, 32], [16]]\ndrops = [[100, 200], 300]\n")
    assert read_plan(path)[1] == grid_of(["sizes=64-32,16", "drops=100-200,300"])


@pytest.mark.parametrize("content", ["[vary]\nlr = 0.1\n", "vary = 1\n"])
def test_what_is_varied_in_a_file_is_lists(content, tmp_path):
    (tmp_path / "sweep.toml").write_text(content)
    with pytest.raises(ValueError, match="has lists of values, such as lr = "):
        read_plan(tmp_path / "sweep.toml")


def test_the_curves_for_tensorboard_are_those_of_the_rows(command, made, tmp_path):
    pytest.importorskip("tensorboard", reason="the extra `tensorboard` is not installed")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    command("train", "--tensorboard", "--watched")
    ((record,), _) = find(tmp_path)
    events = EventAccumulator(str(record.folder / "tensorboard"))
    events.Reload()
    shown = {point.step: point.value for point in events.Scalars("accuracy/validation")}
    assert shown == {r.trials: pytest.approx(r.validation_accuracy) for r in record.rows}
    assert len(events.Scalars("accuracy/running")) == len(record.rows)
    assert replace(record, rows=()).status == "done"


def test_without_tensorboard_its_flag_is_refused_in_a_sentence(command, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    said = command("train", "--tensorboard")
    assert said.startswith("error: TensorBoard is not there")
    assert said.endswith("pip install 'credit-envs[tensorboard]'")
