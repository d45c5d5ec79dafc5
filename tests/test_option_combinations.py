"""Whatever options are combined, no checker finds a fault, and the forms agree."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import pictures
from played import BATCH, guess, make, play
from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

from credit_envs import from_arrays
from credit_envs.testing import check_reward_env

probability = st.sampled_from([0, 0.2, 1.0])
REVERSALS = [{}, {"reverse_at": 0}, {"reverse_at": 25}, {"reverse_every": 9}]
STAGES = [{}, {"classes_per_stage": 2}, {"classes_per_stage": 3, "stage_passes": 2}]


@st.composite
def own(draw):
    """Images of one's own, of any size, and how many classes they have; or the digits."""
    if draw(st.booleans()):
        return {}, 10
    side, classes = st.integers(4, 9), draw(st.sampled_from([3, 5, 300]))
    shape = draw(side), draw(side), draw(st.sampled_from([1, 3]))
    dataset = from_arrays(*pictures(1100, shape, classes), test=pictures(9, shape, 3))
    return {"dataset": dataset}, classes


@st.composite
def options(draw):
    """Keywords of an environment on few images."""
    dataset, classes = draw(own())
    table = np.arange(3 * classes).reshape(classes, 3) % 7
    rewards = {
        "matrix": draw(st.sampled_from(["0/1", "-1/+1", np.eye(classes).tolist(), table.tolist()])),
        "abstain": draw(st.sampled_from([None, -0.5])),
        "flip": draw(probability),
        "noise": draw(st.sampled_from([0, 0.5])),
        "label_noise": draw(probability),
        "delay": draw(st.sampled_from([0, 1, 6])),
        "regret": draw(st.booleans()),
        **draw(st.sampled_from(REVERSALS)),
    }
    imbalance = draw(st.sampled_from([1, 10, [1, 0, *[0.4] * (classes - 2)]]))
    return {
        **dataset,
        "rewards": draw(st.sampled_from([None, rewards, rewards, rewards])),
        "order": {"imbalance": imbalance, **draw(st.sampled_from(STAGES))},
        "presentations": draw(st.sampled_from([1, 2])),
        "reveal_label": draw(st.booleans()),
        "layout": draw(st.sampled_from(["HWC", "CHW", "flat"])),
        "split": "validation",
    }


class Lane(gym.Env):
    """A vector environment of one, seen as a single environment."""

    def __init__(self, form, **keywords):
        self.env, self.form = make(form, num_envs=1, **keywords), form
        self.observation_space = self.env.single_observation_space
        self.action_space = self.env.single_action_space

    def reset(self, *, seed=None, options=None):
        images, info = self.env.reset(seed=seed, options=options)
        self._np_random = self.env.np_random
        self.image = np.asarray(images)[0]
        return self.image, info

    def step(self, action):
        terminal = self.image.copy()
        images, reward, ended, _, info = self.env.step(guess(self.env, self.form, action))
        self.image = np.asarray(images)[0]
        return terminal, float(reward[0]), bool(ended[0]), False, info


def check(env, renders=True):
    check_env(env, skip_render_check=not renders)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        check_env_for_sb3(env)
    assert all("minimal resolution" in str(warning.message) for warning in found)


@settings(max_examples=200, derandomize=True)
@given(keywords=options())
def test_gymnasium_and_stable_baselines3_find_no_fault(keywords):
    check(make("single", **keywords))


@pytest.mark.parametrize("form", ["numpy", "tensor"])
@settings(max_examples=60, derandomize=True)
@given(keywords=options())
def test_they_find_none_in_the_vector_forms_either(form, keywords):
    check(Lane(form, **keywords), renders=False)


@settings(max_examples=25, derandomize=True)
@given(keywords=options())
def test_the_public_check_finds_no_fault_in_any_form(keywords):
    check_reward_env(make("single", **keywords))


@settings(max_examples=50, derandomize=True)
@given(keywords=options(), seed=st.integers(0, 2**32))
def test_the_forms_agree(keywords, seed):
    if keywords["rewards"]:
        keywords["rewards"] |= {"delay": 0}  # it is per lane, and so differs by form
    times, steps = keywords["presentations"], 10
    single, numpy, tensor = (
        play(make(form, **keywords), form, [1] * times * count, seed=seed)
        for form, count in (("single", steps * BATCH), ("numpy", steps), ("tensor", steps))
    )

    def by_trial(values, batch):
        return values.reshape(steps * BATCH // batch, times, batch).swapaxes(1, 2).ravel()

    assert set(single.info) == set(numpy.info) == set(tensor.info)
    pairs = [(form.rewards, form.info) for form in (single, numpy, tensor)]
    for name in ("reward", *single.info):
        one, many, device = ({"reward": reward, **info}[name] for reward, info in pairs)
        one = by_trial(one, 1)
        assert np.array_equal(by_trial(many, BATCH), one)
        assert np.array_equal(by_trial(device, BATCH), one.astype(device.dtype))
