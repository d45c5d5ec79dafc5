"""scripts/compare.py as a user runs it: what it leaves, what it says, and how it can be ended."""

import csv
import json
import os
import pty
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from matplotlib.image import imread
from script import COMPARE, finish, finished, gone, importing, once, start, started

from agents.comparison.statistics import evaluation_points

TRAIN = 1294  # images of the digits
POINTS = evaluation_points(TRAIN, 2 * TRAIN, 128)
KEPT = ("supervised", "q_agrel")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A comparison of labels, reward and a user's own agent, never disturbed."""

    def make(folder):
        output, errors = finish(start(folder, ",".join([*KEPT, "mine:Recorder"])))
        (folder / "output").write_text(output)
        assert errors == ""

    return once(tmp_path_factory, "whole", make)


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A comparison killed in its last runs, then run to its end under a terminal."""

    def make(folder):
        process = start(folder, ",".join([*KEPT, "mine:Slow"]), FINISHED="4")
        pids = started(folder, process)
        process.kill()
        finish(process, -signal.SIGKILL)
        left = {"gone": gone(pids), "kept": {str(k): at for k, at in finished(folder).items()}}
        (folder / "left.json").write_text(json.dumps(left))
        (folder / "go").touch()
        (folder / "output").write_text(under_terminal(folder, ",".join([*KEPT, "mine:Slow"])))

    return once(tmp_path_factory, "killed", make)


def under_terminal(folder, agents):
    ours, theirs = pty.openpty()
    arguments = ["--agents", agents, "--sizes", "16", "--epochs", "2", "--seeds", "2"]
    process = subprocess.Popen(
        [sys.executable, str(COMPARE), *arguments, "--out", "out"],
        cwd=folder, stdout=theirs, stderr=theirs, stdin=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "100", "FINISHED": "4"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:
        pass  # the other end was closed
    os.close(ours)
    assert process.wait() == 0, shown.decode()
    return shown.decode()


def summary(folder):
    return {row["agent"]: row for row in json.loads((folder / "out/summary.json").read_text())}


def test_the_summary_has_a_row_with_every_field_for_each_agent(whole):
    rows = summary(whole)
    fields = "env agent signal credit network seeds epochs trials device test_accuracy protocol "
    fields += "trials_to_criterion ratio_to_supervised censored diverged"
    assert list(rows) == ["supervised", "q_agrel", "mine:Recorder"]
    for row in rows.values():
        assert set(fields.split()) <= set(row)
        assert set(row["test_accuracy"]) == {"mean", "low", "high", "per_seed"}
        assert (row["env"], row["seeds"], row["epochs"]) == ("DigitsReward-v0", 2, 2)
        assert row["trials"] == POINTS[-1]
    assert [row["learns_from"] for row in rows.values()] == ["label", "reward", "reward"]
    assert rows["q_agrel"]["network"] == "dense 16"


def test_runs_that_report_have_the_seeds_from_100_on(whole):
    assert all(row["protocol"]["seeds"] == [100, 101] for row in summary(whole).values())
    assert {path.name for path in finished(whole)} == {"seed-100", "seed-101"}


def test_the_curves_have_every_reading_of_every_run(whole):
    with (whole / "out/curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["env", "agent", "seed", "trials", "validation_accuracy"]
    read = [(row["agent"], int(row["seed"]), int(row["trials"])) for row in rows]
    agents = [*KEPT, "mine:Recorder"]
    assert read == [(a, s, trials) for a in agents for s in (100, 101) for trials in POINTS]
    assert all(0 <= float(row["validation_accuracy"]) <= 1 for row in rows)


def test_the_picture_is_a_png_of_1200_pixels_width(whole):
    path = whole / "out/curves.png"
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert imread(path).shape[:2] == (690, 1200)


def test_the_table_and_the_paths_of_picture_and_report_are_printed(whole):
    output = (whole / "output").read_text()
    for agent, row in summary(whole).items():
        shown = f"{100 * row['test_accuracy']['per_seed'][0]:.1f}"
        assert any(agent in line and shown in line for line in output.splitlines())
    *_, picture, report = output.splitlines()
    assert (picture, report) == ("Learning curves: out/curves.png", "Report: out/report.html")
    assert "Learning from reward takes" in (whole / report.removeprefix("Report: ")).read_text()
    assert "Default settings, since none were searched for on this task: supervised" in output


def test_without_a_terminal_the_lines_are_plain(whole):
    output = (whole / "output").read_text()
    assert "\x1b" not in output
    assert "\r" not in output
    assert max(map(len, output.splitlines())) <= 100


def test_an_agent_of_ones_own_is_made_with_the_spaces_of_a_trial_and_the_seed(whole):
    for seed in (100, 101):
        seen, choice, given = np.load(whole / f"seen-{seed}.npz")["made_with"]
        assert (seen, choice) == ("Box(0, 255, (8, 8, 1), uint8)", "Discrete(10)")
        assert given == str(seed)


def test_nothing_but_images_and_rewards_reaches_an_agent_of_ones_own(whole):
    seen = np.load(whole / "seen-100.npz")
    assert str(seen["dtypes"]) == "uint8"
    assert seen["rewards"].shape == (POINTS[-1],)
    assert set(np.unique(seen["rewards"])) == {0, 1}
    assert 0.05 < seen["rewards"].mean() < 0.15  # of always guessing 3


def test_a_killed_comparison_goes_on_without_running_finished_runs_again(killed):
    kept = json.loads((killed / "left.json").read_text())["kept"]
    after = {str(path): at for path, at in finished(killed).items()}
    assert len(kept) == 4
    assert {path: after[path] for path in kept} == kept
    assert len(after) == 6


def test_a_killed_comparison_ends_as_one_that_never_was(killed, whole):
    rows, others = summary(killed), summary(whole)
    for agent in KEPT:
        for figure in ("test_accuracy", "trials_to_criterion", "ratio_to_supervised", "level"):
            assert rows[agent][figure] == others[agent][figure]
    curves = [(folder / "out/curves.csv").read_text() for folder in (killed, whole)]
    assert curves[0].replace("mine:Slow", "mine:Recorder") == curves[1]


def test_a_killed_comparison_leaves_no_process_behind(killed):
    assert json.loads((killed / "left.json").read_text())["gone"]


def test_under_a_terminal_there_is_a_live_bar(killed):
    output = (killed / "output").read_text()
    assert "━" in output
    assert "100 %" in output
    assert "trials/s" in output
    assert "\x1b[" in output


def test_ctrl_c_ends_with_a_sentence_and_no_process_left(tmp_path):
    shutil.copy(COMPARE.parents[1] / "tests/own.py", tmp_path / "mine.py")
    process = start(tmp_path, "supervised,mine:Slow", FINISHED="2")
    os.kill(importing(process), signal.SIGINT)  # a terminal's Ctrl-C reaches the runs' processes
    pids = started(tmp_path, process)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = finish(process, 1)
    assert errors == "stopped: finished runs are kept, the same command goes on from there\n"
    assert gone(pids)
    assert len(finished(tmp_path)) == 2


def test_a_failing_run_ends_with_its_error_and_leaves_the_finished_ones(tmp_path):
    shutil.copy(COMPARE.parents[1] / "tests/own.py", tmp_path / "mine.py")
    _, errors = finish(start(tmp_path, "supervised,mine:Broken", FINISHED="2"), 1)
    assert errors.startswith("error: mine:Broken with seed 10")
    assert "ZeroDivisionError: my own fault" in errors
    assert "mine.py, line " in errors
    assert errors.count("\n") == 1
    assert len(finished(tmp_path)) == 2


def test_a_foreign_agents_package_is_named_in_a_sentence(tmp_path):
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents/__init__.py").touch()
    _, errors = finish(start(tmp_path, "supervised", PYTHONPATH=str(tmp_path)), 1)
    assert errors.startswith("error: Python finds a foreign module `agents` at")
    assert errors.count("\n") == 1
