"""The native vector environment shows and pays what the single one does, in NumPy and torch."""

import json
import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from credit_envs.datasets import DATASETS
from credit_envs.task import out_of_range
from credit_envs.tensors import PATIENCE, FirstBad, resident

DEVICES = pytest.mark.parametrize("device", [None, "cpu"])


def make(num_envs=64, name="Digits", **keywords):
    return gym.make_vec(f"{name}Reward-v0", num_envs, **keywords)


def guesses(env, actions, device):
    actions = np.resize(actions, env.num_envs)
    return actions if device is None else torch.from_numpy(actions)


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


@DEVICES
@pytest.mark.parametrize(
    ("actions", "error", "sentence"),
    [
        (np.zeros(64), TypeError, "must be integers, not .*float64"),
        (np.zeros(64, bool), TypeError, "must be integers, not .*bool"),
        (np.zeros(63, int), ValueError, r"shape is \(63,\), not \(64,\)"),
        (np.zeros((64, 1), int), ValueError, r"shape is \(64, 1\), not \(64,\)"),
        (np.arange(64) - 1, ValueError, r"trial 64 is outside 0\.\.9"),
        (np.arange(64), ValueError, r"trial 74 is outside 0\.\.9"),
        (np.full(64, 200, np.uint8), ValueError, r"trial 64 is outside 0\.\.9"),
        (np.full(64, -1, np.int8), ValueError, r"trial 64 is outside 0\.\.9"),
        (3, (TypeError, ValueError), "actions"),
        (None, TypeError, "actions must be"),
        ("0" * 64, TypeError, "actions must be"),
        ([0.0] * 64, TypeError, "actions must be"),
    ],
)
def test_bad_actions_are_refused_and_the_batch_stays_open(device, actions, error, sentence):
    env = make(device=device)
    env.reset(seed=0)
    images = env.step(guesses(env, 0, device))[0]
    if device and isinstance(actions, np.ndarray):
        actions = torch.from_numpy(actions)
    with pytest.raises(error, match=sentence):
        env.step(actions)
    assert np.array_equal(env.reset()[0], images)
    assert env.position == 64


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


def test_tensors_elsewhere_are_refused():
    env = make(3, device="cpu")
    env.reset(seed=0)
    with pytest.raises(ValueError, match="are on meta, not on cpu"):
        env.step(torch.zeros(3, dtype=torch.int64, device="meta"))


@DEVICES
def test_a_step_before_the_first_reset_is_refused(device):
    env = make(device=device, render_mode="rgb_array")
    with pytest.raises(ResetNeeded):
        env.step(guesses(env, 0, device))
    with pytest.raises(ResetNeeded):
        env.render()


@pytest.mark.parametrize(
    ("num_envs", "error"),
    [(0, ValueError), (-1, ValueError), (361, ValueError), (2.0, TypeError), (True, TypeError)],
)
def test_a_bad_number_of_environments_is_refused(num_envs, error):
    with pytest.raises(error, match=f"num_envs.*{num_envs}"):
        make(num_envs, split="test")
    assert make(360, split="test").reset(seed=0)[0].shape == (360, 8, 8, 1)


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED, "SameStep"])
def test_other_autoreset_modes_are_refused(mode):
    with pytest.raises(ValueError, match='vectorization_mode="sync"'):
        make(autoreset_mode=mode)


@pytest.mark.parametrize("device", ["gpu", "mps", "cuda:x", 0.5])
def test_an_unknown_device_is_refused(device):
    with pytest.raises(ValueError, match='is none of None, "cpu", "cuda"'):
        make(device=device)


@pytest.mark.parametrize("device", ["cuda", "cuda:99"])
def test_a_missing_gpu_is_said(device):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ValueError, match=f"'{device}' is not there: torch finds"):
        make(device=device)


@pytest.mark.parametrize("seed", [-1, 1.5, True, np.int64(1), [1, 2]])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises((TypeError, ValueError), match="seed must be"):
        make().reset(seed=seed)


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


def test_images_are_held_once_per_process():
    arrays = [make(3).task.images, make(5, layout="flat").task.images]
    assert np.shares_memory(*arrays)
    assert np.shares_memory(arrays[0], gym.make("DigitsReward-v0").unwrapped.task.images)
    tensors = [resident("Digits", "train", torch.device("cpu"))[0] for _ in range(2)]
    assert tensors[0] is tensors[1]
    assert np.shares_memory(tensors[0].numpy(), arrays[0])


def test_tensors_of_read_only_images_warn_nobody():
    resident.cache_clear()
    with warnings.catch_warnings(action="error"):
        make(3, device="cpu")


def test_torch_is_imported_only_for_a_device():
    code = (
        "import sys, numpy, gymnasium, credit_envs;"
        "env = gymnasium.make_vec('DigitsReward-v0', 3); env.reset(seed=0); env.step([0, 0, 0]);"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_flag_keeps_the_first_bad_trial_until_it_is_read():
    flag = FirstBad(torch.device("cpu"), lambda trial: out_of_range(trial, 10), PATIENCE)
    good = torch.zeros(100, dtype=torch.bool)
    bad = good.clone()
    bad[[5, 7]] = True
    flag.note(bad, 0)
    flag.note(bad, 100)
    for trial in range(200, 900, 100):
        flag.note(good, trial)
    with pytest.raises(ValueError, match=r"trial 5 is outside 0\.\.9"):
        flag.note(good, 900)  # the thousandth trial
    flag.read()  # told once
    flag.note(bad, 1000)
    with pytest.raises(ValueError, match=r"trial 1005 is outside 0\.\.9"):
        flag.read()


@DEVICES
def test_nothing_is_kept_back_on_the_cpu(device):
    env = make(device=device)
    env.reset(seed=0)
    env.check_actions()
