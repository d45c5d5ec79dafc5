"""The group of reward options: off by default, kept in a spec, and refused where they are bad."""

import copy
import json

import gymnasium as gym
import numpy as np
import pytest
from played import DIGITS, FORMS, make, play

from credit_envs.rewards import Rewards


@FORMS
def test_without_options_nothing_is_judged(form):
    for rewards in (None, {}, Rewards(), {"matrix": "0/1"}):
        assert make(form, rewards=rewards)._judge is None


def test_a_spec_with_options_is_json():
    for rewards in ({"flip": 0.1}, Rewards(matrix=np.eye(10) * 3)):
        spec = gym.make(DIGITS, rewards=rewards).spec
        again = gym.make(gym.envs.registration.EnvSpec.from_json(spec.to_json()))
        expected = Rewards(**rewards) if isinstance(rewards, dict) else rewards
        assert again.unwrapped.rewards == expected
        json.loads(gym.make_vec(DIGITS, 3, rewards=rewards).spec.to_json())


@FORMS
def test_a_copy_of_an_environment_pays_by_its_own_seed(form):
    first = make(form, rewards={"noise": 1.0})
    first.reset(seed=0)
    paid, expected = (
        play(env, form, [3, 3, 3], seed=5).rewards
        for env in (copy.deepcopy(first), make(form, rewards={"noise": 1.0}))
    )
    assert np.array_equal(paid, expected)


@FORMS
@pytest.mark.parametrize(
    ("rewards", "error", "sentence"),
    [
        (3, TypeError, r"rewards=3 must be a dict of options, or Rewards\(...\)"),
        ({"flop": 1}, ValueError, "rewards has no option 'flop', only matrix, abstain, flip"),
        ({"matrix": "0/2"}, ValueError, "'0/2' is none of '0/1', '-1/.1', 'superclass'.*table"),
        ({"matrix": np.eye(9)}, ValueError, "has 9 rows, but there are 10 classes"),
        ({"matrix": [1, 2]}, ValueError, r"must be a table \[class, action\]"),
        ({"matrix": [[1], [2]]}, ValueError, "two actions or more"),
        ({"matrix": [[1, 2], [3]]}, ValueError, "must be a table"),
        ({"matrix": [[1, np.nan]] * 10}, ValueError, "finite rewards"),
        ({"matrix": None}, ValueError, "must be a table"),
        ({"flip": 1.1}, ValueError, r"flip=1.1 is no probability: give a number in 0\.\.1"),
        ({"flip": "0.1"}, ValueError, "flip='0.1' is no probability"),
        ({"label_noise": -0.1}, ValueError, "label_noise=-0.1 is no probability"),
        ({"label_noise": True}, ValueError, "label_noise=True is no probability"),
        ({"abstain": "no"}, ValueError, "abstain='no' is no reward: give a finite number"),
        ({"abstain": np.nan}, ValueError, "abstain=nan is no reward"),
        ({"regret": 1}, ValueError, "regret=1 must be True or False"),
        ({"matrix": "superclass"}, ValueError, "only CIFAR100 has, not Digits: give the rewards"),
        ({"noise": -1}, ValueError, "noise=-1 is no standard deviation: give 0 or more"),
        ({"noise": float("inf")}, ValueError, "noise=inf is no standard deviation"),
    ],
)
def test_a_bad_option_is_refused_in_a_sentence(form, rewards, error, sentence):
    with pytest.raises(error, match=sentence):
        make(form, rewards=rewards)
