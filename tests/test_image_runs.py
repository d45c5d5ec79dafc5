"""Comparisons and runs know images of one's own, and notice when they change."""

import json
from dataclasses import replace

import gymnasium as gym
import pytest
from pictures import pictures, write_folder
from small import job, without_processes
from test_options import load

import credit_envs
from agents.runs import job as jobs
from agents.runs.folder import find

MODULE = """
import numpy as np
import credit_envs

classes = np.arange(400) % 4
noise = np.random.default_rng(0).integers(0, 60, (400, 8, 8))
bars = 190 * (np.arange(8) // 2 == classes[:, None])[:, None]  # where the bar is
images = (noise + bars).astype(np.uint8)
credit_envs.register("BarsReward-v0", credit_envs.from_arrays(images, classes))
"""


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))


def test_a_comparison_on_ones_own_images(tmp_path, monkeypatch, registry, capsys):
    without_processes(monkeypatch)
    (tmp_path / "my_bars.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    compare = load("compare")
    compare.main(
        compare.Args(
            env="my_bars:BarsReward-v0", agents="supervised", sizes="16", batch=16, epochs=3,
            seeds=2, device="cpu", out=tmp_path, quiet=True,
        )
    )  # fmt: skip
    assert "my_bars:BarsReward-v0" in capsys.readouterr().out
    records, faults = find(tmp_path / "runs")
    assert (len(records), faults) == (2, [])
    assert all(record.end.test_accuracy > 0.5 for record in records)
    (row,) = json.loads((tmp_path / "summary.json").read_text())
    assert row["protocol"]["chance"] == 0.25
    assert "Image of class" in (tmp_path / "report.html").read_text()


@pytest.fixture
def photos(tmp_path, monkeypatch, registry):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    folder = write_folder(tmp_path / "photos", pictures())
    credit_envs.register("PhotosReward-v0", {"folder": folder})
    return folder


def key(**changes):
    jobs._images.cache_clear()  # as another process would begin
    return replace(job("q_agrel"), **changes).key()


def test_a_run_on_other_images_is_another_run(photos):
    before = key(env="PhotosReward-v0")
    assert key(env="PhotosReward-v0") == before
    next((photos / "cat").iterdir()).unlink()
    assert key(env="PhotosReward-v0") != before


def test_a_run_on_the_tables_images_is_called_as_ever():
    assert not {"images", "options"} & set(job("q_agrel").to_dict())
