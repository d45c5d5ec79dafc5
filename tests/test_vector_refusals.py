"""What the vector environment refuses, and that nothing is lost by it."""

import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from vectors import DEVICES, guesses, make


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
    with pytest.raises(ValueError, match='is none: choose "cpu", "cuda" or'):
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
