"""Runs by a paper's protocol: what they learn from, what is read, when they end."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import evaluate, load_agent, make_agent, train
from agents.credit.backprop import Backprop
from agents.runs import learning
from agents.runs.folder import CHECKPOINT, METRICS, read
from agents.runs.job import Job
from agents.runs.protocol import Protocol
from agents.runs.run import run
from agents.settings import Settings, settings_of
from credit_envs.datasets import load

DIGITS, BATCH = "DigitsReward-v0", 32
SMALL = Settings("label", "backprop", sizes=(12,), lr=0.3)
PUBLISHED = Protocol("train+validation", "test")


def job(protocol, points=(640, 1280, 1920), settings=SMALL, **more):
    return Job(DIGITS, "supervised", settings, 7, BATCH, points, protocol=protocol, **more)


def ran(one, folder):
    return run(one, folder, lambda trials, accuracy: None, every=1e9)


def test_the_published_protocol_learns_from_all_images_and_reads_the_test_images(tmp_path):
    result = ran(job(PUBLISHED, reads_test=False), tmp_path)
    env = gym.make_vec(DIGITS, num_envs=BATCH, split="train+validation", reveal_label=True)
    env.reset(seed=7)
    agent = make_agent(SMALL, env, seed=7, device="cpu")
    for accuracy in result.validation:
        train(agent, env, 640, progress_bar=False)
        assert evaluate(agent, DIGITS, "test") == accuracy
    assert result.test_accuracy is None


def test_the_test_images_are_read_where_validation_was_best(tmp_path, monkeypatch):
    readings = {"validation": iter([0.5, 0.8, 0.7, 0.8]), "test": iter([0.41, 0.42, 0.43])}
    monkeypatch.setattr(
        learning, "evaluate", lambda agent, env, split, images: next(readings[split])
    )
    points = (64, 128, 192, 256)
    assert ran(job(Protocol(selects=True), points), tmp_path / "a").test_accuracy == 0.42
    assert next(readings["test"]) == 0.43  # read twice: at .5 and at .8, not again at the end


def test_what_was_selected_survives_a_stop(tmp_path, monkeypatch):
    whole = ran(job(Protocol(selects=True)), tmp_path / "whole")
    stopped = tmp_path / "stopped"
    with monkeypatch.context() as patch:
        patch.setattr(learning.Learning, "end", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            ran(job(Protocol(selects=True)), stopped)
    assert read(stopped).status == "unfinished"
    assert ran(job(Protocol(selects=True)), stopped).test_accuracy == whole.test_accuracy


def test_a_run_ends_after_so_many_points_without_a_rise(tmp_path, monkeypatch):
    curve = [0.3, 0.5, 0.5, 0.4, 0.9, 0.9]
    monkeypatch.setattr(
        learning, "evaluate", lambda agent, env, split, images: curve[agent.trials // 64 - 1]
    )
    one = job(Protocol(reads="test", patience=2), tuple(range(64, 64 * 7, 64)), reads_test=False)
    result = ran(one, tmp_path)
    assert result.validation == (0.3, 0.5, 0.5, 0.4)  # the rise to .9 comes too late
    assert result.env_steps == 4 * 64
    assert read(tmp_path).faults == ()
    assert ran(one, tmp_path).validation == result.validation  # called again, it learns no more
    rows = (tmp_path / METRICS).read_text().splitlines(keepends=True)
    (tmp_path / METRICS).write_text("".join(rows[:-1]))
    assert "has not the rows of a finished run" in read(tmp_path).faults[0]


def test_accuracy_of_the_first_images_only():
    class Always:
        def predict(self, images):
            return np.zeros(len(images), int)

        act = predict

    labels = load("Digits", "test").labels
    assert evaluate(Always(), DIGITS, "test", images=50) == (labels[:50] == 0).mean()
    assert evaluate(Always(), DIGITS, "test", images=9999) == (labels == 0).mean()
    with pytest.raises(ValueError, match="images is a number of images, or 0 for all, got -1"):
        evaluate(Always(), DIGITS, "test", images=-1)


def test_runs_of_our_own_protocol_keep_the_keys_they_had():
    plain = job(Protocol()).to_dict()
    assert "protocol" not in plain
    assert "drops" not in plain["settings"]
    keys = {
        job(p).key() for p in (Protocol(), PUBLISHED, Protocol(selects=True), Protocol(images=9))
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "wrong", [{"learns": "all"}, {"reads": "tests"}, {"images": -1}, {"patience": -2}]
)
def test_protocols_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match=r"unknown split .*: choose one of|are 0 or more"):
        Protocol(**wrong)


def test_the_learning_rate_drops_at_its_trials(tmp_path):
    """Plain descent: a step before the drop is ten times as long as the same step after it."""
    images = torch.rand(4, 8, 8, 1, generator=torch.Generator().manual_seed(0))
    env = gym.make_vec(DIGITS, num_envs=4)
    steps = {}
    for drops in ((), (8,), (4, 8)):
        agent = make_agent(Settings("label", sizes=(5,), lr=0.1, drops=drops), env, device="cpu")
        for _ in range(3):
            before = agent.net[1].weight.detach().clone()
            agent.act(images)
            agent.learn(torch.tensor([1, 2, 3, 4]))
        gradient = agent.net[1].weight.grad
        steps[drops] = float((before - agent.net[1].weight.detach()).norm() / gradient.norm())
    assert steps[()] == pytest.approx(0.1, rel=1e-4)
    assert steps[(8,)] == pytest.approx(0.01, rel=1e-4)
    assert steps[(4, 8)] == pytest.approx(0.001, rel=1e-4)


def test_a_dropped_rate_is_kept_by_what_is_saved(tmp_path):
    settings = Settings(
        "label", Backprop(), sizes=(5,), optimizer="adam", lr=0.1, drops=(64,), drop=0.5
    )
    assert Settings.from_dict(settings.to_dict()) == settings
    one = job(Protocol(), (64, 128), settings)
    ran(one, tmp_path)
    agent = load_agent(tmp_path / CHECKPOINT, device="cpu")
    assert agent.settings.rate(agent.trials) == 0.05
    assert [settings.rate(trials) for trials in (0, 63, 64)] == [0.1, 0.1, 0.05]


@pytest.mark.parametrize("wrong", [{"drops": (0,)}, {"drop": 1.5}, {"drop": 0}])
def test_drops_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match="drops are numbers of trials of 1 or more and drop is"):
        Settings(**wrong)
    assert settings_of("q_agrel").drops == ()
