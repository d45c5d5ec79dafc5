"""Trials as tensors: held once, without warnings, and a flag for what is wrong on a device."""

import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
import torch
from vectors import DEVICES, make

from credit_envs.task import out_of_range
from credit_envs.tensors import LOOKS, PATIENCE, FirstBad, resident


def test_images_are_held_once_per_process():
    arrays = [make(3).task.images, make(5, layout="flat").task.images]
    assert np.shares_memory(*arrays)
    assert np.shares_memory(arrays[0], gym.make("DigitsReward-v0").unwrapped.task.images)
    opened = make(3).task.data
    tensors = [resident(opened, "train", torch.device("cpu"))[0] for _ in range(2)]
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


def test_large_batches_do_not_wait_for_the_flag_each_time():
    flag = FirstBad(torch.device("cpu"), lambda trial: out_of_range(trial, 10), PATIENCE)
    bad = torch.ones(2 * PATIENCE, dtype=torch.bool)
    for batch in range(LOOKS - 1):
        flag.note(bad, batch * len(bad))
    with pytest.raises(ValueError, match="trial 0 is outside"):
        flag.note(bad, (LOOKS - 1) * len(bad))


@DEVICES
def test_nothing_is_kept_back_on_the_cpu(device):
    env = make(device=device)
    env.reset(seed=0)
    env.check_actions()
