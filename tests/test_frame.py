"""What a rendered trial shows: the image, and of its guess what the agent knows anyway."""

import gymnasium as gym
import numpy as np
import pytest

import credit_envs
from credit_envs.frame import SIDE, STRIP, frame, said_of
from credit_envs.order import Order
from credit_envs.rewards import Rewards
from credit_envs.task import Task


def make(**keywords):
    env = gym.make("DigitsReward-v0", render_mode="rgb_array", **keywords)
    env.reset(seed=0)
    return env


def split(env):
    """The rendered image, and the strip below it."""
    shown = env.render()
    return shown[:-STRIP], shown[-STRIP:]


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (25, 31, 3), (301, 301, 3), (64, 9, 1)])
def test_a_frame_is_large_enough_and_its_sides_are_even(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    shown = frame(image, "7: reward 1")
    height, width = len(shown) - STRIP, shown.shape[1]
    scale = height // shape[0]
    assert (height, width) == (scale * shape[0], scale * shape[1])
    assert min(height, width) >= SIDE
    assert len(shown) % 2 == width % 2 == 0
    assert shown.dtype == np.uint8
    assert shown.shape == frame(image).shape


def test_a_guess_and_its_reward_are_drawn_below_the_same_image_until_the_next_one():
    env = make()
    image, before = split(env)
    assert len(np.unique(before)) == 1
    env.step(3)
    same, after = split(env)
    assert np.array_equal(image, same)
    assert after.max() == 255
    env.reset()
    other, blank = split(env)
    assert np.array_equal(blank, before)
    assert not np.array_equal(other, image)


def test_a_strip_tells_choices_and_rewards_apart_but_not_labels():
    strips, labels = {}, {}
    env = make(reveal_label=True)
    for action in np.resize([0, 1, 2], 120):
        env.reset()
        _, reward, _, _, info = env.step(int(action))
        said = split(env)[1].tobytes()
        strips.setdefault((action, reward), set()).add(said)
        labels.setdefault((action, reward), set()).add(info["label"])
    assert len(strips) == len(set.union(*strips.values())) == 6
    assert len(labels[0, 0.0]) == 9


@pytest.mark.parametrize(
    ("rewards", "action", "told", "said"),
    [
        ({}, 7, (1.0, {"label": 7}), "7: reward 1"),
        ({"noise": 1.0}, 0, (-0.12345, {}), "0: reward -0.123"),
        ({"delay": 2}, 3, (0.0, {"trial": -1}), "3: no reward yet"),
        ({"delay": 2}, 3, (1.0, {"trial": 0, "label": 4}), "3: reward 1 of trial 0"),
        ({"abstain": 0.2}, 10, (0.2, {}), "abstains: reward 0.2"),
        ({"abstain": 0.2}, 9, (0.0, {}), "9: reward 0"),
        ({"matrix": [[0.0, 1.0]] * 10}, 1, (1.0, {}), "action 1: reward 1"),
    ],
)
def test_the_words_are_the_action_and_what_was_paid(rewards, action, told, said):
    task = Task("Digits", "train", "HWC", "uint8", Rewards(**rewards), Order())
    assert said_of(task, action, *told) == said


def test_classes_have_their_names_where_a_number_does_not_tell(dataset):
    task = Task(dataset, "test", "HWC", "uint8", Rewards(), Order())
    named = {"CIFAR10": "cat: reward 0", "FashionMNIST": "dress: reward 0"}
    assert said_of(task, 3, 0.0, {}) == named.get(dataset, "3: reward 0")


def test_classes_of_ones_own_images_have_the_names_they_were_given():
    labels = np.arange(60) % 3
    images = np.random.default_rng(0).integers(0, 256, (60, 9, 9), np.uint8)
    mine = credit_envs.from_arrays(images, labels, class_names=("top", "middle", "bottom"))
    task = gym.make("ImageReward-v0", dataset=mine).unwrapped.task
    assert said_of(task, 1, 0.0, {}) == "middle: reward 0"
