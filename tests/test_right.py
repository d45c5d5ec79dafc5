"""What is right is what the environment pays best, and chance is how often a blind guess is."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from played import DIGITS, FORMS, guess, make
from small import job

import credit_envs
from agents import evaluate
from agents.right import chance
from agents.runs.learning import Learning
from credit_envs.datasets import load

ODD = np.eye(2)[np.arange(10) % 2]  # one action for even digits, one for odd ones
ROLLED = np.roll(np.eye(10), 1, axis=1)


class ByHeart:
    """Answers the test images by a table of answers [class]."""

    def __init__(self, answers):
        images, labels = load("Digits", "test")
        self.known = {image.tobytes(): answers[k] for image, k in zip(images, labels, strict=True)}

    def act(self, images):
        return np.array([self.known[np.asarray(image).tobytes()] for image in images])


@pytest.mark.parametrize(
    ("rewards", "answers", "guessing"),
    [
        ({"matrix": ODD}, np.arange(10) % 2, 0.5),
        ({"matrix": ROLLED}, (np.arange(10) + 1) % 10, 0.1),
        ({"matrix": "-1/+1", "abstain": 0.2}, np.arange(10), 0.1),
        ({"matrix": "0/1", "abstain": 2.0}, np.full(10, 10), 1.0),
        ({"matrix": -np.eye(10), "flip": 0.3, "noise": 1.0}, (np.arange(10) + 3) % 10, 0.9),
    ],
)
def test_what_is_paid_best_is_right(rewards, answers, guessing):
    env = gym.make(DIGITS, rewards=rewards)
    assert evaluate(ByHeart(answers), env) == 1
    assert evaluate(ByHeart(env.unwrapped.task.payments[0].argmin(1)), env) == 0
    assert chance(env) == pytest.approx(guessing)


@FORMS
def test_labels_that_move_are_not_known_before_a_seed(form):
    with pytest.raises(ResetNeeded, match="call reset"):
        make(form, rewards={"reverse_at": 0}).labels_at(0)


@FORMS
def test_labels_that_move_are_right_as_the_last_trial_had_them(form):
    env = make(form, rewards={"reverse_every": 14})
    env.reset(seed=0)
    plain = ByHeart(np.arange(10))
    assert evaluate(plain, env) == 1
    while env.position < 14:
        env.step(guess(env, form, 0))
        env.reset()
    assert evaluate(plain, env) == 1  # the next trial's labels have not taught yet
    env.step(guess(env, form, 0))
    assert evaluate(plain, env) == 0
    moved = ByHeart(env.labels_at(14))
    assert evaluate(moved, env) == 1
    env.reset(options={"position": 140 * 10**20})
    assert evaluate(ByHeart(env.labels_at(139)), env) == 1


def test_where_labels_move_an_id_is_refused(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))
    credit_envs.register("MovingReward-v0", "Digits", rewards={"reverse_at": 3})
    for env in ("MovingReward-v0", gym.make_vec("MovingReward-v0", 2, vectorization_mode="sync")):
        with pytest.raises(ValueError, match="depends on its trial.*give the environment that"):
            evaluate(ByHeart(np.arange(10)), env)


@pytest.mark.parametrize("nowhere", [10, -1])
def test_an_action_that_there_is_not_is_wrong(nowhere):
    share = (load("Digits", "test").labels == 3).mean()
    answers = np.where(np.arange(10) == 3, nowhere, np.arange(10))
    assert evaluate(ByHeart(answers), DIGITS) == pytest.approx(1 - share)


def test_a_run_that_diverged_scores_the_chance_of_its_environment(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))
    credit_envs.register("OddReward-v0", "Digits", rewards={"matrix": ODD, "abstain": 0.1})
    learning = Learning(replace(job("q_agrel"), env="OddReward-v0"))
    end = learning.end(diverged=128, seconds=1.0)
    assert end.test_accuracy == chance("OddReward-v0") == 0.5
