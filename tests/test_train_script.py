"""scripts/train.py as a user runs it."""

import sys
from dataclasses import replace

import pytest

from agents.comparison.options import GRID
from agents.runs import run as running
from agents.runs.folder import find


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


def test_the_command_can_be_given_again_as_it_is_kept(command, tmp_path):
    command("train", "--out", "my runs")
    ((record,), _) = find(tmp_path)
    assert "--out 'my runs'" in record.config["command"]


def test_an_unfinished_run_is_refused_and_resumed_only_when_asked_for(
    command, monkeypatch, tmp_path
):
    stop_after(monkeypatch, 3)
    assert command("train") == "stopped: the same command with --resume goes on with it"
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


@pytest.mark.parametrize(("agent", "count"), [("q_agrel,supervised", 2), ("grid", len(GRID))])
def test_several_agents_are_refused(command, made, agent, count):
    said = command("train", "--agent", agent)
    assert said == f"error: {agent!r} are {count} agents: give one, or take scripts/sweep.py"
    assert not made


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
    assert "failed (RuntimeError: bad luck) (0 of" in command("train")
    assert "--resume goes on" in command("train")


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
