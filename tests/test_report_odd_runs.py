"""Runs that are few, foreign, damaged or evil: the report says so, and shows the others."""

import json

import pytest
from made_up import AGENTS, POINTS, write_comparison, write_run
from reading import Reader

from agents.report import write_report
from agents.report.page import page
from agents.runs.folder import CONFIG, DONE, METRICS, write_json
from agents.runs.rows import Row, append_row, write_rows


@pytest.fixture
def runs(tmp_path):
    return write_comparison(tmp_path)


@pytest.mark.parametrize("where", ["name", "command", "device_name", "commit", "env", "device"])
def test_what_comes_from_outside_is_escaped(tmp_path, where):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    write_run(tmp_path, "supervised", 100)
    write_run(tmp_path, "mine:Own", 100, **{where: evil})
    write_run(tmp_path, "mine:Own", 101, failed=evil, **({} if where == "env" else {where: evil}))
    made = page(tmp_path)
    assert not {"script", "img"} & {tag for tag, _ in Reader(made).tags}
    assert "<script>alert(1)</script>" in Reader(made).text


def test_a_folder_of_an_evil_name_is_escaped(tmp_path):
    root = tmp_path / "<script>alert(1)<" / "script>"
    write_run(root, "supervised", 100)
    tags = {tag for tag, _ in Reader(page(root)).tags}
    assert "script" not in tags


def test_an_empty_folder_is_said_and_no_folder_is_refused(tmp_path):
    text = Reader(page(tmp_path)).text
    assert "There are no runs in this folder." in text
    with pytest.raises(ValueError, match="is no folder: give one that has runs below it"):
        write_report(tmp_path / "none", tmp_path / "report.html")


def test_a_page_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="report.html' cannot be written: .+"):
        write_report(tmp_path, tmp_path / "file" / "report.html")


def test_no_finished_run_is_said(tmp_path):
    write_run(tmp_path, "supervised", 100, rows=3)
    text = Reader(page(tmp_path)).text
    assert "No run has finished yet, so there is no answer." in text
    assert f"3 of {len(POINTS)} evaluations made" in text


def test_all_that_went_wrong_is_listed(runs):
    write_run(runs, "q_agrel", 105, diverged=777)
    write_run(runs, "q_agrel", 106, failed="no memory left")
    write_run(runs, "q_agrel", 107, rows=4)
    (write_run(runs, "q_agrel", 108) / CONFIG).write_text("{")
    append_row(write_run(runs, "q_agrel", 109) / METRICS, Row(1, 0.5, 0.5, None, 1.0))
    garbled = {"format": "credit-envs run 1", "agent": "q_agrel", "points": [32], "batch": 32}
    write_json(runs / "garbled" / CONFIG, garbled)
    write_run(runs / "copy", "q_agrel", 100, AGENTS["q_agrel"], watched=True)
    text = Reader(page(runs)).text
    part = text[text.rindex("What did not go well") :]
    for said in (
        "not finite from trial 777 on; it counts as chance", "no memory left",
        f"4 of {len(POINTS)} evaluations made", "seed-108/config.json is damaged",
        "seed-109/metrics.csv is damaged in row", "garbled is left out",
        "it has the settings and the seed of another",
    ):  # fmt: skip
        assert said in part
    assert "1 diverged, 1 failed and 1 unfinished" in text


def test_runs_of_a_rule_that_was_edited_stand_apart(tmp_path):
    for code, pace in {"0a": 500, "0b": 9000}.items():
        write_run(tmp_path, "q_agrel", 100, pace, key=code, code=code)
    text = Reader(page(tmp_path)).text
    assert "q_agrel (code 0a)" in text
    assert "q_agrel (code 0b)" in text
    assert "it has the settings and the seed of another" not in text


def test_runs_under_another_pytorch_stand_apart(tmp_path):
    for torch in ("2.8.0", "2.13.0"):
        write_run(tmp_path, "supervised", 100, key=torch, versions={"torch": torch})
    text = Reader(page(tmp_path)).text
    assert "on a CPU, PyTorch 2.8.0." in text
    assert "on a CPU, PyTorch 2.13.0." in text


def test_runs_by_a_papers_protocol_say_what_they_read_and_are_not_left_out(tmp_path):
    published = {"learns": "train+validation", "reads": "test", "patience": 3}
    flat = [Row(at, 0.5, 0.5, None, 1.0) for at in POINTS[:5]]  # without a rise: it ends early
    folder = write_run(tmp_path, "supervised", 100, protocol=published, reads_test=False)
    write_rows(folder / METRICS, flat)
    text = Reader(page(tmp_path)).text
    assert ", read on test" in text
    assert "read the test images all along, as a paper did" in text
    assert "last test accuracy, %" in text
    assert "50.0" in text
    assert "search" not in text


def test_environments_are_told_apart_and_an_unknown_one_keeps_its_runs(runs):
    write_run(runs, "q_agrel", 100, env="MineReward-v0")
    text = Reader(page(runs)).text
    assert "MineReward" in text
    assert "unknown environment 'MineReward-v0'" in text
    assert "Learning curves" in text


def test_a_network_and_a_rule_that_this_version_does_not_know_are_shown_too(runs):
    for seed in range(100, 105):
        folder = write_run(runs, "q_agrel", seed, key="other", env="MNISTReward-v0")
        config = (folder / CONFIG).read_text()
        for known, mine in (("dense", "mine"), ("backprop", "my_rule")):
            config = config.replace(f'"{known}"', f'"{mine}"')
        (folder / CONFIG).write_text(config)
    text = Reader(page(runs)).text
    assert "MNISTReward\u2011v0, mine 64\u201132" in text
    assert "my_rule" in text


def test_a_single_reading_is_no_curve(tmp_path):
    folder = write_run(tmp_path, "supervised", 100, points=POINTS[:1])
    rows = (folder / METRICS).read_text().splitlines(keepends=True)
    (folder / METRICS).write_text("".join(rows[:2]))
    assert "Validation was read only once in these runs" in Reader(page(tmp_path)).text


def test_a_finished_run_without_its_test_accuracy_is_left_out(tmp_path):
    done = write_run(tmp_path, "supervised", 100) / DONE
    write_json(done, json.loads(done.read_text()) | {"test_accuracy": None})
    assert "No run has finished yet" in Reader(page(tmp_path)).text


def test_a_finished_run_that_has_lost_rows_is_left_out_and_said(tmp_path):
    metrics = write_run(tmp_path, "supervised", 100) / METRICS
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:5]))
    text = Reader(page(tmp_path)).text
    assert "No run has finished yet" in text
    assert "metrics.csv has not the rows of a finished run" in text
