"""Vector environments in NumPy (device None) and torch form, and guesses for either."""

import gymnasium as gym
import numpy as np
import pytest
import torch

DEVICES = pytest.mark.parametrize("device", [None, "cpu"])


def make(num_envs=64, name="Digits", **keywords):
    return gym.make_vec(f"{name}Reward-v0", num_envs, **keywords)


def guesses(env, actions, device):
    actions = np.resize(actions, env.num_envs)
    return actions if device is None else torch.from_numpy(actions)
