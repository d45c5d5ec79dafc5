"""Runs on an id that pays in a way of its own: made, left alone when done, and told apart."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from made_up import write_run
from small import job, quietly

import credit_envs
from agents.report.gather import gather
from agents.runs.attempt import Attempt
from agents.runs.folder import find, read
from agents.runs.run import run
from credit_envs.order import Order
from credit_envs.rewards import Rewards

MINE = "MineReward-v0"
PAID = [{"matrix": "-1/+1"}, {"noise": 0.5}, {"flip": 0.1}, {"abstain": 0.3, "regret": True}]


@pytest.fixture
def register(monkeypatch):
    """Gives the digits with some options the id MINE."""
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))

    def register(form=None, **options):
        gym.envs.registration.registry.pop(MINE, None)
        credit_envs.register(MINE, "Digits", **options)
        gym.envs.registration.registry[MINE].kwargs.update(form or {})

    return register


def test_options_that_are_none_get_no_id(register):
    with pytest.raises(ValueError, match="rewards has no option 'flips', only matrix"):
        register(rewards={"flips": 0.1})
    with pytest.raises(TypeError, match="order=2 must be a dict of options, or Order"):
        register(order=2)
    assert MINE not in gym.envs.registration.registry


@pytest.mark.parametrize("rewards", PAID)
def test_a_run_is_made_and_left_alone_when_it_is_done(register, tmp_path, rewards):
    register(rewards=rewards)
    one = replace(job("q_agrel"), env=MINE)
    attempt = Attempt(one, tmp_path, {}, threads=1)
    made = attempt()
    assert made.result.trials == one.points
    record = read(one.folder(tmp_path))
    assert (record.status, record.faults) == ("done", ())
    assert attempt() == made
    assert read(one.folder(tmp_path)) == record


@pytest.mark.parametrize("rewards", PAID)
def test_a_row_has_the_mean_of_what_was_paid(register, tmp_path, monkeypatch, rewards):
    register(rewards=rewards)
    monkeypatch.chdir(tmp_path)
    one = replace(job("own:Recorder", points=(128, 384)), env=MINE)
    run(one, tmp_path / "run", quietly, source={})
    paid = np.load("seen-100.npz")["rewards"]
    running = [row.running_accuracy for row in read(tmp_path / "run").rows]
    assert running == pytest.approx([paid[:128].mean(), paid[128:].mean()], abs=1e-8)


def test_a_run_is_called_by_its_options(register):
    def key(**options):
        register(**options)
        return replace(job("q_agrel"), env=MINE).key()

    plain = job("q_agrel").key()
    assert key() == key(rewards=None, order={}) == key(rewards={"matrix": "0/1"}) == plain
    assert key(rewards={"flip": 0.5}) == key(rewards=Rewards(flip=np.float32(0.5)))
    assert key(order={"imbalance": np.full(10, 0.5)}) == key(order=Order(imbalance=[0.5] * 10))
    others = [{"rewards": rewards} for rewards in (*PAID, {"flip": 0.2}, {"matrix": np.eye(10)})]
    others += [{"order": {"imbalance": 2}}, {"form": {"dtype": "float32"}}]
    assert len({plain} | {key(**options) for options in others}) == 1 + len(others)


def test_runs_under_other_options_are_no_comparison(tmp_path):
    for n, options in enumerate([None, {"rewards": {"flip": 0.1}}, {"rewards": {"flip": 0.2}}]):
        write_run(tmp_path, "supervised", 100, key=str(n), **({"options": options} if n else {}))
    records, _ = find(tmp_path)
    comparisons, faults = gather(records)
    assert (len(comparisons), faults) == (3, [])
