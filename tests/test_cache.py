"""The cache file: mapped once, filled once, where the variables say."""

import mmap
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import toy as toys
from safetensors.numpy import load_file

from credit_envs.datasets import load, verify


def test_a_touched_but_sound_file_is_read_once_and_gets_its_time_back(
    toy, filled, tmp_path, monkeypatch
):
    written = filled.stat().st_mtime_ns
    file = toys.move_cache(filled, tmp_path / "other", monkeypatch)
    os.utime(file)
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "nowhere"))  # so it cannot be rebuilt
    toys.check_toy(toy, load("Toy", "test"))
    assert file.stat().st_mtime_ns == written


def test_verify_of_a_file_that_is_not_there(toy):
    with pytest.raises(FileNotFoundError, match=r"Toy\.safetensors"):
        verify("Toy")


def test_it_is_a_safetensors_file_and_nothing_is_left_beside_it(toy, filled):
    arrays = load_file(filled)
    assert set(arrays) == {"train_images", "train_labels", "test_images", "test_labels"}
    np.testing.assert_array_equal(arrays["train_images"], load("Toy", "train+validation").images)
    np.testing.assert_array_equal(arrays["test_labels"], load("Toy", "test").labels)
    assert {file.suffix for file in filled.parent.iterdir()} <= {".safetensors", ".lock"}


def test_the_arrays_are_mapped_once_and_read_only(filled):
    train, whole = load("Toy", "train"), load("Toy", "train+validation")
    assert load("Toy", "train").images is train.images
    assert np.shares_memory(train.images, whole.images)
    for array in (*train, *whole):
        assert not array.flags.writeable
        assert type(array) is np.ndarray
        base = array
        while isinstance(base, np.ndarray):
            base = base.base
        assert isinstance(base, mmap.mmap)


def test_threads_that_load_at_once_get_the_same_arrays(toy):
    with ThreadPoolExecutor(8) as pool:
        splits = list(pool.map(load, ["Toy"] * 8, ["test"] * 8))
    assert all(split.images is splits[0].images for split in splits)


def test_two_processes_fill_it_once_and_both_end_right(tmp_path):
    large = toys.make_toy(tmp_path / "mirror", shape=(64, 64, 3), train=2000)
    gate = tmp_path / "gate"
    setup = {"CREDIT_ENVS_MIRROR": str(large.mirror), "GATE": str(gate)}
    both = [toys.start_loading(large, tmp_path / "cache", **setup) for _ in range(2)]
    for one in both:
        assert one.stdout.readline() == "ready\n"
    gate.touch()
    outputs = [one.communicate(timeout=60) for one in both]
    assert [out.strip() for out, _ in outputs] == [toys.checksum(large)] * 2, outputs
    assert sum("Reading someone/toy" in err for _, err in outputs) == 1


KILLED = """
import os, signal
from credit_envs import cache, datasets

cache.check = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # all is written, but not in place
datasets.load("Digits", "test")
"""


def test_nothing_of_a_killed_build_is_left_after_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path))
    killed = subprocess.run([sys.executable, "-c", KILLED], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert any(file.suffix == ".partial" for file in tmp_path.iterdir())
    load("Digits", "test")
    assert {file.suffix for file in tmp_path.iterdir()} <= {".safetensors", ".lock"}


def test_a_folder_that_cannot_be_written_is_said(toy, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "file"))
    with pytest.raises(OSError, match=f"{tmp_path}/file cannot be written .* CREDIT_ENVS_CACHE"):
        load("Toy", "test")


def test_the_cache_is_where_the_variables_say(toy, tmp_path, monkeypatch):
    monkeypatch.delenv("CREDIT_ENVS_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    load("Toy", "test")
    assert (tmp_path / "xdg" / "credit-envs" / "Toy.safetensors").is_file()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    load("Toy", "test")
    assert (tmp_path / "home" / ".cache" / "credit-envs" / "Toy.safetensors").is_file()
