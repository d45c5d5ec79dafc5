"""A run's folder is read back as it was written; damage is said, and what is good is kept."""

import json
from dataclasses import asdict

import pytest

from agents.runs.folder import CONFIG, DONE, FAILED, FORMAT, METRICS, End, Unreadable, find, read
from agents.runs.folder import write_json as write
from agents.runs.rows import Row, append_row, write_rows

POINTS = [128, 256, 384]
ROWS = [Row(at, 0.1 + at / 1000, 1 / 3, 41.5, at * 1e-3) for at in POINTS]
END = End(0.75, None, 1.5, 384, 384, 384, 4711, 41.5)
CONFIGURATION = {
    "format": FORMAT, "env": "DigitsReward-v0", "agent": "q_agrel", "points": POINTS, "batch": 32,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    """A finished run."""
    made = tmp_path / "DigitsReward-v0" / "q_agrel" / "01234567" / "seed-100"
    write(made / CONFIG, CONFIGURATION)
    write_rows(made / METRICS, ROWS[:1])
    for row in ROWS[1:]:
        append_row(made / METRICS, row)
    write(made / DONE, asdict(END))
    return made


def said(fault, *parts):
    assert "\n" not in fault
    assert all(part in fault for part in parts), fault


def test_what_was_written_is_read(folder, tmp_path):
    records, faults = find(tmp_path)
    assert faults == []
    (record,) = records
    assert (record.folder, record.config, record.end) == (folder, CONFIGURATION, END)
    assert record.rows == tuple(ROWS)  # to the last bit


def test_a_row_without_an_angle_has_an_empty_field(folder):
    rows = [Row(128, 0.5, 0.25, None, 0.125)]
    write_rows(folder / METRICS, rows)
    assert (folder / METRICS).read_text() == (
        "trials,validation_accuracy,running_accuracy,change_angle,seconds\n128,0.5,0.25,,0.125\n"
    )
    assert read(folder).rows == tuple(rows)


def test_a_run_is_done_diverged_failed_or_unfinished(folder):
    assert read(folder).status == "done"
    write(folder / DONE, asdict(END) | {"diverged": 130})
    assert read(folder).status == "diverged"
    (folder / DONE).unlink()
    assert read(folder).status == "unfinished"
    write(folder / FAILED, {"error": "bad luck"})
    assert (read(folder).status, read(folder).failed) == ("failed", "bad luck")


@pytest.mark.parametrize(
    ("line", "kept"),
    [
        ("384,0.484,0.33", 2),  # torn by a kill
        ("384,0.484,0.3333,41.5,0.38", 2),  # torn within its last number
        ("384,0.484,0.3333,41.5,0.384,1\n", 2),
        ("384,1.484,0.3333,41.5,0.384\n", 2),
        ("384,0.484,nan,41.5,0.384\n", 2),
        ("384,0.484,0.3333,541.5,0.384\n", 2),
        ("384,0.484,0.3333,41.5,inf\n", 2),
        ("256,0.484,0.3333,41.5,0.384\n", 2),  # not above the one before
        ("\x00\x00\x00\x00", 2),
        ("\n", 2),
    ],
)
def test_a_corrupt_row_is_said_and_those_above_it_are_kept(folder, line, kept):
    write_rows(folder / METRICS, ROWS[:2])
    with (folder / METRICS).open("a") as file:
        file.write(line)
    record = read(folder)
    assert record.rows == tuple(ROWS[:kept])
    (fault,) = record.faults
    said(fault, str(folder / METRICS), "row 3", "when its command is given again")


@pytest.mark.parametrize("content", [b"", b"trials,accuracy\n", b"\xff\xfe\x00", b"\x00" * 99])
def test_metrics_without_their_heading_have_no_rows(folder, content):
    (folder / METRICS).write_bytes(content)
    record = read(folder)
    assert record.rows == ()
    said(*record.faults, str(folder / METRICS))
    assert record.end == END


def test_a_finished_run_that_lacks_rows_is_found(folder):
    write_rows(folder / METRICS, ROWS[:2])
    said(*read(folder).faults, f"{folder / METRICS} has not the rows of a finished run")
    (folder / METRICS).unlink()
    said(*read(folder).faults, f"{folder / METRICS} has not the rows of a finished run")


@pytest.mark.parametrize("content", ["", "{", "[]", "\x00" * 30, '{"accuracy": 1}'])
def test_a_damaged_end_is_no_end(folder, content):
    (folder / DONE).write_text(content)
    record = read(folder)
    assert (record.status, record.rows) == ("unfinished", tuple(ROWS))
    said(*record.faults, str(folder / DONE))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "is damaged"),
        ("", "is damaged"),
        ("[1]", "is of the format None"),
        (json.dumps({"format": "credit-envs run 0"}), "is of the format 'credit-envs run 0'"),
    ],
)
def test_an_unreadable_run_is_said_and_the_others_are_read(folder, tmp_path, content, sentence):
    other = folder.with_name("seed-101")
    write(other / CONFIG, CONFIGURATION)
    (folder / CONFIG).write_text(content)
    records, faults = find(tmp_path)
    assert [record.folder for record in records] == [other]
    said(*faults, str(folder / CONFIG), sentence, "the run is made again")
    with pytest.raises(Unreadable, match=sentence.replace("[", r"\[")):
        read(folder)


def test_a_folder_that_holds_no_run_is_named(tmp_path):
    with pytest.raises(Unreadable, match="is no run: it has no config.json"):
        read(tmp_path)
    assert find(tmp_path) == ([], [])


def test_results_from_before_runs_had_folders_are_named_once(folder, tmp_path):
    for seed in (100, 101):
        (tmp_path / "q_agrel" / "0123-640").mkdir(parents=True, exist_ok=True)
        (tmp_path / "q_agrel" / "0123-640" / f"seed-{seed}.json").touch()
    records, faults = find(tmp_path)
    assert len(records) == 1
    said(*faults, "before runs had folders: delete them")
