"""Rewards that come late: for the right trial, each once, and nothing before."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from played import BATCH, DIGITS, FORMS, guess, make, play

from agents import make_agent, train
from credit_envs.rewards import Rewards
from credit_envs.testing import check_reward_env

NOISY = {"matrix": "-1/+1", "flip": 0.2, "noise": 0.3, "label_noise": 0.1, "reverse_every": 11}


def width(form):
    return 1 if form == "single" else BATCH


@FORMS
@pytest.mark.parametrize("presentations", [1, 2])
@pytest.mark.parametrize("delay", [1, 5])
def test_a_step_is_paid_for_the_trial_so_many_before(form, delay, presentations):
    keywords = {"presentations": presentations, "reveal_label": True}
    prompt = make(form, rewards=NOISY, **keywords)
    late = make(form, rewards={**NOISY, "delay": delay}, **keywords)
    wait, steps = delay * presentations, 40
    told, shown = (play(env, form, [3] * steps, seed=1) for env in (prompt, late))
    assert np.array_equal(shown.images, told.images)
    assert (shown.rewards[:wait] == 0).all()
    assert (shown.info["trial"][:wait] == -1).all()
    assert (shown.info["label"][:wait] == -1).all()
    assert np.array_equal(shown.rewards[wait:], told.rewards[:-wait])
    assert np.array_equal(shown.info["label"][wait:], told.info["label"][:-wait])
    rest, info = late.flush()
    rest, trial = np.asarray(rest).reshape(wait, -1), np.asarray(info["trial"])
    assert np.array_equal(rest, told.rewards[-wait:])
    assert np.array_equal(np.asarray(info["label"]).reshape(wait, -1), told.info["label"][-wait:])
    trials = np.arange(width(form) * steps // presentations).reshape(-1, 1, width(form))
    trials = trials.repeat(presentations, 1).reshape(steps, -1)
    named = np.concatenate([shown.info["trial"][wait:], trial.reshape(wait, -1)])
    assert np.array_equal(named, trials)


@FORMS
def test_a_flush_empties_and_waiting_begins_again(form):
    env = make(form, rewards={"delay": 3})
    env.reset(seed=0)
    shape = (0,) if form == "single" else (0, BATCH)
    assert tuple(env.flush()[0].shape) == shape  # nothing yet
    play(env, form, [0, 1])
    rewards, info = env.flush()  # two of three
    assert len(rewards) == len(info["trial"]) == 2
    assert tuple(env.flush()[0].shape) == shape
    again = play(env, form, [0] * 4).info["trial"][:, 0]
    assert again.tolist() == [-1, -1, -1, 2 * width(form)]


@FORMS
@pytest.mark.parametrize("again", [{"seed": 7}, {"options": {"position": 10}}])
def test_a_restart_drops_what_waits_and_going_on_does_not(form, again):
    env = make(form, rewards={"delay": 2})
    play(env, form, [0] * 5, seed=7)
    env.reset(**again)
    assert len(env.flush()[0]) == 0
    env.step(guess(env, form, 0))
    env.reset()
    with pytest.raises(ValueError, match="outside"):
        env.step(guess(env, form, 10))
    assert len(env.flush()[0]) == 1


@FORMS
def test_rewards_have_the_types_of_prompt_ones(form):
    for reveal in (False, True):
        prompt, late = (
            make(form, rewards={"delay": d, "noise": 1.0}, reveal_label=reveal) for d in (0, 1)
        )
        for env in (prompt, late):
            env.reset(seed=0)
        for _ in range(3):
            expected = prompt.step(guess(prompt, form, 0))[1]
            env.reset()
            prompt.reset()
            _, reward, _, _, info = late.step(guess(late, form, 0))
            assert type(reward) is type(expected)
            assert set(info) == ({"label", "trial"} if reveal else {"trial"})
            if form == "single":
                assert {type(value) for value in info.values()} == {int}
            else:
                assert reward.dtype == expected.dtype
                assert {value.dtype for value in info.values()} <= {torch.int64, np.dtype("int64")}


@pytest.mark.parametrize("form", ["numpy", "tensor"])
def test_what_was_handed_out_stays_as_it_was(form):
    env = make(form, rewards={"delay": 2})
    env.reset(seed=0)
    for _ in range(4):
        _, rewards, _, _, info = env.step(guess(env, form, 0))
        rewards[:], info["trial"][:] = 99, 99
    assert 99 not in play(env, form, [0] * 3).rewards
    fresh = make(form, rewards={"delay": 2})
    assert not play(fresh, form, [0] * 2, seed=0).rewards.any()


@FORMS
def test_a_delay_longer_than_the_pass_is_refused(form):
    longest = 360 // width(form)
    make(form, split="test", rewards={"delay": longest})
    with pytest.raises(ValueError, match=f"delay={longest + 1} is longer than a pass, which has"):
        make(form, split="test", rewards={"delay": longest + 1})


@FORMS
@pytest.mark.parametrize("delay", [-1, 1.0, True, None])
def test_a_bad_delay_is_refused(form, delay):
    with pytest.raises(ValueError, match=f"delay={delay} must be an int, 0 or more"):
        make(form, rewards={"delay": delay})


@FORMS
@pytest.mark.parametrize("rewards", [None, {"noise": 1.0}])
def test_a_flush_without_a_delay_is_refused(form, rewards):
    with pytest.raises(ValueError, match="No reward is late here"):
        make(form, rewards=rewards).flush()


class Bystander:
    """An agent that notes whether it was asked to learn."""

    learned = 0

    def act(self, images):
        return 0 if images.ndim == 3 else np.zeros(len(images), int)

    def learn(self, answer):
        self.learned += 1


def test_train_refuses_rewards_that_come_late_in_every_form():
    single = gym.make(DIGITS, rewards=Rewards(delay=1))
    vector = gym.make_vec(DIGITS, 3, rewards=Rewards(delay=1))
    made = [lambda: gym.make(DIGITS, rewards=Rewards(delay=1))] * 2
    synchronous = SyncVectorEnv(made, autoreset_mode=AutoresetMode.SAME_STEP)
    for env in (single, vector, synchronous):
        for agent in (Bystander(), make_agent("q_agrel", vector, device="cpu")):
            with pytest.raises(ValueError, match="rewards of this environment come late"):
                train(agent, env, 8, progress_bar=False)
            assert not getattr(agent, "learned", 0)
            assert not getattr(agent, "trials", 0)


@pytest.mark.parametrize("presentations", [1, 2])
def test_the_public_check_passes_it(presentations):
    options = {"rewards": {**NOISY, "delay": 4}, "presentations": presentations}
    check_reward_env(gym.make(DIGITS, split="test", **options))
