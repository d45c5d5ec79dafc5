"""The native vector environment shows and pays what the single one does, in NumPy and torch."""

import json

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics
from vectors import DEVICES, guesses, make

from credit_envs.datasets import DATASETS


@DEVICES
@pytest.mark.parametrize(
    "keywords", [{}, {"layout": "CHW"}, {"layout": "flat", "dtype": "float32"}]
)
def test_it_shows_and_pays_what_the_single_form_does(device, keywords):
    env = make(64, device=device, split="test", reveal_label=True, **keywords)
    single = gym.make("DigitsReward-v0", split="test", reveal_label=True, **keywords)
    actions = np.random.default_rng(0).integers(10, size=(12, 64))  # two passes of 360 and more
    images, info = env.reset(seed=4)
    single.reset(seed=4)
    assert info == {}
    for row in actions:
        following, rewards, terminated, truncated, info = env.step(guesses(env, row, device))
        assert set(info) == {"label"}
        for b, action in enumerate(row):
            image, _ = single.reset()
            assert np.array_equal(images[b], image)
            _, reward, _, _, single_info = single.step(action)
            assert (rewards[b], info["label"][b]) == (reward, single_info["label"])
        assert terminated.all()
        assert not truncated.any()
        images = following


@DEVICES
def test_types_and_shapes(device, dataset):
    env = make(5, dataset, device=device, reveal_label=True)
    images, _ = env.reset(seed=0)
    assert images.shape == (5, *DATASETS[dataset].shape)
    _, rewards, terminated, truncated, info = env.step(guesses(env, 0, device))
    outputs = [images, rewards, terminated, truncated, info["label"]]
    dtypes = ["uint8", "float32" if device else "float64", "bool", "bool", "int64"]
    assert [str(output.dtype).removeprefix("torch.") for output in outputs] == dtypes
    assert {type(output) for output in outputs} == {torch.Tensor if device else np.ndarray}
    assert all(len(output) == 5 for output in outputs)


def test_an_info_is_empty_unless_labels_are_revealed():
    env = make()
    assert env.reset(seed=0)[1] == {}
    assert env.step(np.zeros(64, int))[4] == {}


@DEVICES
def test_a_batch_is_open_until_it_is_guessed(device):
    env = make(device=device)
    images, _ = env.reset(seed=0)
    assert np.array_equal(env.reset()[0], images)
    following = env.step(guesses(env, 0, device))[0]
    assert np.array_equal(env.reset()[0], following)
    assert env.position == 64
    assert not np.array_equal(following, images)


@DEVICES
def test_a_run_resumes_at_its_position(device):
    env, resumed = make(device=device), make(100, device=device)
    env.reset(seed=1)
    for _ in range(50):
        images = env.step(guesses(env, 0, device))[0]
    again, _ = resumed.reset(seed=1, options={"position": env.position})
    assert np.array_equal(again[:64], images)


@DEVICES
def test_what_was_handed_out_stays_as_it_was(device):
    env = make(device=device, reveal_label=True)
    images, _ = env.reset(seed=0)
    held = [images, *env.step(guesses(env, 0, device))]
    labels = held.pop()["label"]
    kept = [np.asarray(array).copy() for array in [*held, labels]]
    for array in [*env.step(guesses(env, 0, device))[:4]]:
        array[:] = 0
    assert all(np.array_equal(a, b) for a, b in zip([*held, labels], kept, strict=True))


def test_lists_tuples_and_small_integers_are_actions():
    env = make(3)
    env.reset(seed=0)
    for actions in ([1, 2, 3], (1, 2, 3), np.array([1, 2, 3], np.uint8)):
        env.step(actions)
    with pytest.raises(ValueError, match=r"shape is \(0,\), not \(3,\)"):
        env.step([])
    tensors = make(3, device="cpu")
    tensors.reset(seed=0)
    for dtype in (torch.int8, torch.uint8, torch.uint16):
        tensors.step(torch.tensor([1, 2, 3], dtype=dtype))


@DEVICES
def test_gymnasium_makes_it_again_from_its_spec(device):
    env = make(16, layout="flat", device=device)
    again = gym.make_vec(env.spec)
    assert json.loads(env.spec.to_json())["kwargs"]["num_envs"] == 16
    assert np.array_equal(env.reset(seed=0)[0], again.reset(seed=0)[0])
    assert again.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


def test_batch_spaces_are_made_when_asked_for():
    env = make(64)
    images, _ = env.reset(seed=0)
    env.step(np.zeros(64, int))
    assert not {"observation_space", "action_space"} & set(vars(env))
    assert images in env.observation_space
    env.step(env.action_space.sample())
    assert env.observation_space is env.observation_space


def test_gymnasiums_wrappers_take_it():
    env = DictInfoToList(RecordEpisodeStatistics(make(4, reveal_label=True)))
    env.reset(seed=0, options={"reset_mask": np.array([True, False, False, False])})
    for _ in range(3):
        _, rewards, _, _, infos = env.step(np.zeros(4, int))
        for reward, info in zip(rewards, infos, strict=True):
            assert (info["episode"]["r"], info["episode"]["l"]) == (reward, 1)
            assert reward == (info["label"] == 0)


def test_options_are_read_and_not_taken():
    options = {"reset_mask": np.array([True]), "position": 3}
    env = make(1)
    env.reset(seed=0, options=options)
    assert set(options) == {"reset_mask", "position"}
    assert env.position == 3


@DEVICES
def test_a_frame_per_open_image(device):
    env = make(3, device=device, render_mode="rgb_array")
    single = gym.make("DigitsReward-v0", render_mode="rgb_array")
    env.reset(seed=0)
    single.reset(seed=0)
    frames = env.render()
    assert len(frames) == 3
    assert np.array_equal(frames[0], single.render())
    assert make(3).render() is None
