"""Abstaining, credit for a near miss, and what info says of the best that could be had."""

import os
from pathlib import Path

import gymnasium as gym
import numpy as np
import pyarrow.parquet as parquet
import pytest
from played import DIGITS, FORMS, make, play, trials

from agents import evaluate, make_agent, train
from credit_envs.rewards import Rewards
from credit_envs.superclasses import SUPERCLASSES
from credit_envs.testing import check_reward_env

COUNT = 7 * 200
ABSTAIN = 10
ACTIONS = np.random.default_rng(2).integers(11, size=COUNT)


@FORMS
def test_abstaining_is_one_more_action_with_a_reward_of_its_own(form):
    options = {"matrix": "-1/+1", "abstain": 0.25}
    env = make(form, rewards=options)
    assert getattr(env, "single_action_space", env.action_space).n == 11
    rewards, info = trials(form, COUNT, ACTIONS, reveal_label=True, rewards=options)
    guessed = np.where(info["label"] == ACTIONS, 1, -1)
    assert np.array_equal(rewards, np.where(ACTIONS == ABSTAIN, 0.25, guessed))
    with pytest.raises(ValueError, match=r"outside 0\.\.10"):
        play(env, form, [11])


@FORMS
def test_abstaining_is_never_flipped_and_does_not_move_the_mirror(form):
    options = {"abstain": 5, "flip": 1}
    rewards, info = trials(form, COUNT, ACTIONS, reveal_label=True, rewards=options)
    mirrored = np.where(info["label"] == ACTIONS, 0, 1)
    assert np.array_equal(rewards, np.where(ACTIONS == ABSTAIN, 5, mirrored))


def test_agents_learn_to_abstain_where_that_pays_best():
    env = gym.make_vec(DIGITS, 16, rewards={"abstain": 3.0})
    env.reset(seed=0)
    agent = make_agent("policy_gradient+backprop", env, device="cpu")
    train(agent, env, 3000, progress_bar=False)
    assert evaluate(agent, DIGITS, "test") < 0.05  # no answer is no right answer
    env.reset(seed=1)
    assert train(agent, env, 320, progress_bar=False) > 2.5


@FORMS
@pytest.mark.parametrize("delay", [0, 2])
def test_regret_is_what_the_best_action_would_have_brought_on_average(form, delay):
    table, flip = np.random.default_rng(3).normal(size=(10, 10)), 0.2
    options = Rewards(matrix=table, flip=flip, noise=1.0, abstain=0.1, regret=True, delay=delay)
    _, info = trials(form, COUNT, ACTIONS, reveal_label=True, rewards=options)
    mean = (1 - flip) * table + flip * (table.min() + table.max() - table)
    mean = np.concatenate([mean, np.full((10, 1), 0.1)], axis=1)
    late = delay * (1 if form == "single" else 7)
    labels, actions = info["label"][late:], ACTIONS[: COUNT - late]
    close = {"rtol": 1e-5, "atol": 1e-6}
    np.testing.assert_allclose(info["optimal"][late:], mean.max(1)[labels], **close)
    regret = mean.max(1)[labels] - mean[labels, actions]
    np.testing.assert_allclose(info["regret"][late:], regret, **close)
    assert not info["optimal"][:late].any()  # nothing of a trial whose reward is pending
    assert not info["regret"][:late].any()


@FORMS
def test_info_says_no_more_of_a_trial_before_its_reward(form):
    """Two environments that differ in the labels of pending trials only."""
    matrix, delay = np.diag(np.arange(10.0)), 5  # the optimal reward is the label
    seen = []
    for start in (10**6, delay * 7 if form != "single" else delay):
        options = {"matrix": matrix, "regret": True, "delay": delay, "reverse_at": start}
        env = make(form, rewards=options, reveal_label=True)
        seen.append(play(env, form, [4] * 2 * delay, seed=0))
        rest = env.flush()[1]
        seen[-1].info["rest"] = np.asarray(rest["optimal"])
    for key in ("label", "optimal", "regret", "trial"):
        assert np.array_equal(seen[0].info[key], seen[1].info[key])
    assert np.array_equal(seen[0].rewards, seen[1].rewards)
    assert not np.array_equal(seen[0].info["rest"], seen[1].info["rest"])


@FORMS
def test_regret_has_the_types_of_rewards(form):
    env = make(form, rewards={"regret": True})
    played = play(env, form, [0] * 3, seed=0)
    assert set(played.info) == {"optimal", "regret"}
    assert played.info["regret"].dtype == played.rewards.dtype
    assert (played.info["optimal"] == 1).all()
    assert np.array_equal(played.info["regret"], 1 - played.rewards)


def test_superclasses_are_the_coarse_labels_of_the_published_files():
    if "CREDIT_ENVS_MIRROR" not in os.environ:
        pytest.skip("there is no mirror")
    folder = Path(os.environ["CREDIT_ENVS_MIRROR"]) / "uoft-cs/cifar100/cifar100"
    for file in folder.glob("test-*.parquet"):
        columns = parquet.read_table(file, columns=["fine_label", "coarse_label"])
        fine, coarse = (columns[name].to_numpy() for name in ("fine_label", "coarse_label"))
        assert np.array_equal(np.array(SUPERCLASSES["CIFAR100"])[fine], coarse)


def test_a_near_miss_within_the_superclass_is_paid_half():
    table = Rewards(matrix="superclass").tables("CIFAR100", 100)[0]
    groups = np.array(SUPERCLASSES["CIFAR100"])
    assert (np.bincount(groups) == 5).all()
    for label in range(100):
        assert table[label, label] == 1
        near = np.flatnonzero(table[label] == 0.5)
        assert len(near) == 4
        assert set(groups[near]) == {groups[label]}
        assert (table[label] == 0).sum() == 95


def test_the_public_check_passes_it():
    rewards = {"matrix": "-1/+1", "abstain": 0, "regret": True, "delay": 2, "flip": 0.1}
    check_reward_env(gym.make(DIGITS, split="test", rewards=rewards))
