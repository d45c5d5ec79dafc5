"""A full disk, a read-only folder, a damaged file: each is said in a sentence, the rest is kept."""

import errno
import json
import os
import shutil
from dataclasses import replace

import pytest
from killing import left
from made_up import write_run
from small import QUIET, job, quietly

from agents import checkpoint
from agents.runs import run as running
from agents.runs.attempt import Failed
from agents.runs.folder import End, find, read
from agents.runs.folder import whole as whole_run
from agents.runs.run import Unwritable, run
from agents.runs.sweep import run_all, sweep

JOB = replace(job("q_agrel", momentum=0.9), watched=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("whole")
    run(JOB, JOB.folder(folder), quietly, source={})
    return folder


@pytest.fixture
def root(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "runs")
    return tmp_path / "runs"


def test_a_full_disk_ends_with_a_sentence_and_the_run_goes_on_when_there_is_room(
    made, whole, monkeypatch, tmp_path
):
    """Wherever it is found: the writes of a run fail one after the other."""
    said = []
    for room in range(20):
        with monkeypatch.context() as full:
            fill(full, room)
            try:
                run_all([JOB], tmp_path, QUIET)
                break
            except Failed as fault:
                said.append(str(fault))
                assert not list(JOB.folder(tmp_path).glob("failed"))
    assert len(said) > 5
    assert all("cannot be written (No space left on device)" in sentence for sentence in said)
    assert not any("\n" in sentence for sentence in said)
    assert left_of(tmp_path) == left_of(whole)


def fill(full, room):
    """After `room` more writes the disk takes nothing."""
    writes = iter(range(room))

    def fsync(file):
        if next(writes, None) is None:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def append(path, row):
        fsync(None)
        append_row(path, row)

    append_row = running.append_row
    full.setattr(checkpoint.os, "fsync", fsync)
    full.setattr(running, "append_row", append)


def left_of(root):
    content = left(JOB.folder(root))
    return content | {"files": [name for name in content["files"] if name != "lock"]}


def test_a_read_only_folder_is_said_and_what_is_in_it_is_read(made, root):
    finished, new = JOB, replace(JOB, seed=101)
    for folder in [*root.glob("**/"), root]:
        folder.chmod(0o500)
    try:
        if os.access(root, os.W_OK):
            pytest.skip("root may write anywhere")
        assert run_all([finished], root, QUIET)
        with pytest.raises(Failed, match="cannot be written .Permission denied.: what is there is"):
            run_all([new], root, QUIET)
    finally:
        for folder in [root, *root.glob("**/")]:
            folder.chmod(0o700)


def test_a_folder_that_is_a_file_is_said(tmp_path):
    (tmp_path / "runs").touch()
    with pytest.raises(Unwritable, match="cannot be written .Not a directory."):
        run(JOB, JOB.folder(tmp_path / "runs"), quietly, source={})


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.999])
def test_a_truncated_checkpoint_is_said_and_the_run_begins_anew(made, whole, root, kept, capsys):
    folder = JOB.folder(root)
    content = (folder / "last.safetensors").read_bytes()
    (folder / "last.safetensors").write_bytes(content[: int(kept * len(content))])
    (folder / "done").unlink()
    run_all([JOB], root, QUIET)
    said = capsys.readouterr().err
    assert said.startswith(f"{JOB} begins anew, its checkpoint is of no use: {folder}")
    assert said.count("\n") == 1
    assert left_of(root) == left_of(whole)


def test_a_truncated_checkpoint_of_a_finished_run_takes_nothing_from_it(made, whole, root):
    (JOB.folder(root) / "last.safetensors").write_bytes(b"")
    run_all([JOB], root, QUIET)
    assert made == []
    assert read(JOB.folder(root)).rows == read(JOB.folder(whole)).rows


DAMAGES = {
    "a torn row": ("metrics.csv", lambda text: text[:-5]),
    "a corrupt row": ("metrics.csv", lambda text: text.replace("\n256,", "\n2x6,")),
    "a lost row": ("metrics.csv", lambda text: text[: text.index("\n256,") + 1]),
    "a row too many": ("metrics.csv", lambda text: text + "512,0.5,0.5,,1.5\n"),
    "no heading": ("metrics.csv", lambda text: text.partition("\n")[2]),
    "an empty end": ("done", lambda text: ""),
    "an end of an older version": ("done", lambda text: '{"accuracy": 0.5}'),
    "an end of words": ("done", lambda text: text.replace('"diverged": null', '"diverged": "no"')),
    "an empty config": ("config.json", lambda text: ""),
    "a config without points": ("config.json", lambda text: text.replace('"points"', '"points_"')),
}


@pytest.mark.parametrize(("name", "damage"), DAMAGES.values(), ids=DAMAGES)
def test_damage_is_said_and_mended_from_the_checkpoint(made, whole, root, name, damage, capsys):
    path = JOB.folder(root) / name
    path.write_text(damage(path.read_text()))
    _, faults = find(root)
    assert len(faults) == 1
    assert str(path) in faults[0]
    assert "\n" not in faults[0]
    run_all([JOB], root, QUIET)
    said = capsys.readouterr().err
    assert faults[0] in said
    assert said.count("\n") == 1
    assert find(root)[1] == []
    assert left_of(root) == left_of(whole)
    assert read(JOB.folder(root)).rows == read(JOB.folder(whole)).rows  # seconds too: not run again


def test_a_run_that_is_killed_while_it_is_mended_is_not_taken_for_whole(root, monkeypatch):
    rows = JOB.folder(root) / "metrics.csv"
    rows.write_text(rows.read_text()[:-5])
    with monkeypatch.context() as killed:
        killed.setattr(running, "write_rows", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(JOB, JOB.folder(root), quietly, lambda said: None, source={})
    assert read(JOB.folder(root)).status == "unfinished"


def test_a_diverged_run_that_lost_rows_says_so(tmp_path):
    folder = write_run(tmp_path, "q_agrel", 100, diverged=2000)
    assert read(folder).faults == ()
    rows = (folder / "metrics.csv").read_text().splitlines(keepends=True)
    (folder / "metrics.csv").write_text("".join(rows[:-1]))
    (fault,) = read(folder).faults
    assert "has not the rows of a finished run" in fault


def test_a_run_that_diverged_in_its_last_batch_lacks_no_row():
    """A point is read when its batch is over, which may be after the trial that diverged."""
    end = End(0.1, 40, 1.0, 40, 40, 40, None, None)
    assert whole_run((), end, {"points": [33, 100], "batch": 32})
    assert not whole_run((), end, {"points": [32, 100], "batch": 32})


def test_a_folder_of_an_older_version_is_left_alone_and_its_runs_are_made_anew(made, root):
    old = JOB.folder(root).parent.with_name("89abcdef") / "seed-100"
    JOB.folder(root).parent.rename(old.parent)
    config = json.loads((old / "config.json").read_text()) | {"format": "credit-envs run 0"}
    (old / "config.json").write_text(json.dumps(config))
    before = {path: path.read_bytes() for path in old.iterdir()}
    assert sweep([JOB], root, QUIET)[0].result
    assert made == [("q_agrel", 100)]
    assert {path: path.read_bytes() for path in old.iterdir()} == before
    records, (fault,) = find(root)
    assert len(records) == 1
    assert "is of the format 'credit-envs run 0', this version reads 'credit-envs run 1'" in fault


def test_what_a_kill_left_half_written_is_taken_away(made, whole, root):
    for name in ("last.safetensors", "done", "config.json", "metrics.csv"):
        (JOB.folder(root) / f".{name}.0123abcd").write_bytes(b"half")
    (JOB.folder(root) / "done").unlink()
    run_all([JOB], root, QUIET)
    assert left_of(root) == left_of(whole)
