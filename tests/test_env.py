"""The single environment: what it shows, what it pays, and what it refuses."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import NameNotFound, ResetNeeded

import credit_envs
from credit_envs.datasets import DATASETS, load
from credit_envs.frame import STRIP


def make(**keywords):
    return gym.make("DigitsReward-v0", **keywords).unwrapped


def test_observations_are_the_images_in_the_layout_asked_for(dataset):
    images = {}
    for form in ("HWC", "CHW", "flat"):
        for dtype in ("uint8", "float32"):
            env = gym.make(f"{dataset}Reward-v0", layout=form, dtype=dtype, split="test")
            images[form, dtype], _ = env.reset(seed=0)
            assert images[form, dtype] in env.observation_space
    image = images["HWC", "uint8"]
    assert image.shape == DATASETS[dataset].shape
    assert any(np.array_equal(image, other) for other in load(dataset, "test").images)
    assert np.array_equal(images["CHW", "uint8"], image.transpose(2, 0, 1))
    assert np.array_equal(images["flat", "uint8"], image.ravel())
    assert np.array_equal(images["HWC", "float32"], image.astype(np.float32) / 255)
    assert np.array_equal(images["flat", "float32"], image.ravel().astype(np.float32) / 255)


def test_pixels_are_unsigned(dataset):
    env = gym.make(f"{dataset}Reward-v0")
    brightest = [env.reset(seed=seed)[0].max() for seed in range(30)]
    assert max(brightest) > 200


def test_one_class_is_paid_and_all_others_are_not():
    env, revealing = make(), make(reveal_label=True)
    revealing.reset(seed=5)
    label = revealing.step(0)[4]["label"]
    assert type(label) is int
    for action in range(10):
        image, info = env.reset(seed=5)
        assert info == {}
        terminal, reward, terminated, truncated, info = env.step(action)
        assert np.array_equal(terminal, image)
        assert (reward, terminated, truncated, info) == (float(action == label), True, False, {})
        assert type(reward) is float


@pytest.mark.parametrize("split", ["train", "validation", "train+validation", "test"])
def test_a_pass_shows_each_image_of_its_split_once(split):
    env, data = make(split=split, reveal_label=True), load("Digits", split)
    shown, expected = [], []
    env.reset(seed=3)
    for _ in data.labels:
        image = env.reset()[0]
        shown.append((image.tobytes(), env.step(0)[4]["label"]))
    expected = [(image.tobytes(), label) for image, label in zip(*data, strict=True)]
    assert sorted(shown) == sorted(expected)


def test_a_seed_fixes_the_stream_and_only_a_guess_moves_it():
    env, other = make(), make()
    for trial in range(20):
        image = env.reset(seed=None if trial else 7)[0]
        assert np.array_equal(image, other.reset(seed=None if trial else 7)[0])
        assert np.array_equal(image, env.reset()[0])
        assert env.position == trial
        env.step(0)
        other.step(1)
    assert not np.array_equal(env.reset(seed=8)[0], other.reset(seed=7)[0])


def test_a_run_resumes_at_its_position():
    env, resumed = make(), make()
    env.reset(seed=7)
    for _ in range(1500):  # into the second pass
        env.step(0)
        image = env.reset()[0]
    again, _ = resumed.reset(seed=7, options={"position": env.position})
    assert np.array_equal(again, image)
    with pytest.raises(ValueError, match="position must be"):
        resumed.reset(options={"position": -1})
    assert np.array_equal(resumed.reset()[0], image)


@pytest.mark.parametrize("action", [3, np.int32(3), np.uint64(3), np.int8(3), np.array(3)])
def test_integers_are_actions(action):
    env = make()
    env.reset(seed=0)
    assert env.step(action)[2]


@pytest.mark.parametrize(
    ("action", "error", "sentence"),
    [
        (1.0, TypeError, "must be an integer, not 1.0 of float"),
        (np.float64(1), TypeError, "must be an integer"),
        (True, TypeError, "must be an integer, not True of bool"),
        (np.True_, TypeError, "must be an integer"),
        (None, TypeError, "must be an integer, not None"),
        ("1", TypeError, "must be an integer, not '1' of str"),
        ([1], TypeError, "must be an integer"),
        (np.array([1]), TypeError, "must be an integer"),
        (-1, ValueError, r"trial 0 is outside 0\.\.9"),
        (10, ValueError, r"trial 0 is outside 0\.\.9"),
        (np.int64(2**62), ValueError, r"trial 0 is outside 0\.\.9"),
    ],
)
def test_a_bad_action_is_refused_and_the_image_stays_open(action, error, sentence):
    env = make()
    image, _ = env.reset(seed=0)
    with pytest.raises(error, match=sentence):
        env.step(action)
    assert np.array_equal(env.step(0)[0], image)


def test_there_is_one_guess_per_image():
    env = make()
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset(seed=0)
    env.step(0)
    with pytest.raises(ResetNeeded, match="One guess per image"):
        env.step(1)


@pytest.mark.parametrize("seed", [-1, 1.5, True, np.int64(1), "1"])
def test_a_bad_seed_is_refused_and_the_image_stays_open(seed):
    env = make()
    image, _ = env.reset(seed=0)
    with pytest.raises((TypeError, ValueError), match="seed must be"):
        env.reset(seed=seed)
    assert np.array_equal(env.reset()[0], image)


@pytest.mark.parametrize("keyword", ["split", "layout", "dtype", "dataset"])
def test_an_unknown_choice_is_refused(keyword):
    with pytest.raises(ValueError, match="'none such'"):
        make(**{keyword: "none such"})


@pytest.mark.parametrize("reveal", ["no", 1, None, np.True_])
def test_whether_labels_are_revealed_is_said_by_a_bool(reveal):
    for form in (gym.make, gym.make_vec):
        with pytest.raises(ValueError, match=f"reveal_label={reveal!r} must be True or False"):
            form("DigitsReward-v0", reveal_label=reveal)


def test_an_unknown_render_mode_or_id_is_refused():
    with pytest.raises(ValueError, match="render_mode='ansi' is none of 'rgb_array'"):
        credit_envs.env.RewardEnv("Digits", render_mode="ansi")
    with pytest.raises(NameNotFound):
        gym.make("NoneSuchReward-v0")


def test_a_frame_is_the_image_enlarged(dataset):
    env = gym.make(f"{dataset}Reward-v0", render_mode="rgb_array")
    image, _ = env.reset(seed=0)
    frame = env.render()[:-STRIP]
    scale = len(frame) // len(image)
    assert np.array_equal(frame[::scale, ::scale], np.broadcast_to(image, (*image.shape[:2], 3)))
    assert make().render() is None
    with pytest.raises(ResetNeeded):
        make(render_mode="rgb_array").render()
