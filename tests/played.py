"""Trials played in each form of the environment, laid out alike."""

from typing import NamedTuple

import gymnasium as gym
import numpy as np
import pytest
import torch

DIGITS = "DigitsReward-v0"
FORMS = pytest.mark.parametrize("form", ["single", "numpy", "tensor"])
BATCH = 7  # no divisor of the 1294 images: batches straddle passes


class Played(NamedTuple):
    """What was shown and paid, step by step: (steps, ...), B = 1 in the single form."""

    images: np.ndarray
    rewards: np.ndarray
    info: dict[str, np.ndarray]


def make(form, num_envs=BATCH, **keywords):
    env_id = "ImageReward-v0" if "dataset" in keywords else DIGITS
    if form == "single":
        return gym.make(env_id, disable_env_checker=True, **keywords).unwrapped
    return gym.make_vec(env_id, num_envs, device="cpu" if form == "tensor" else None, **keywords)


def guess(env, form, action):
    """The action in every trial of a batch, or a row of actions, in the environment's form."""
    if form == "single":
        return int(np.ravel(action)[0])
    actions = np.broadcast_to(action, env.num_envs).copy()
    return torch.from_numpy(actions) if form == "tensor" else actions


def play(env, form, actions, **reset):
    """Guess with each of the actions, one for all trials of a step or a row of them."""
    env.reset(**reset)
    images, rewards, infos = [], [], []
    for action in actions:
        images.append(np.asarray(env.reset()[0]))
        _, reward, _, _, info = env.step(guess(env, form, action))
        rewards.append(np.atleast_1d(np.asarray(reward)))
        infos.append({key: np.atleast_1d(np.asarray(value)) for key, value in info.items()})
    merged = {key: np.stack([info[key] for info in infos]) for key in infos[0]}
    return Played(np.stack(images), np.stack(rewards), merged)


def trials(form, count, actions, seed=0, **keywords):
    """Play `count` trials with an action each; rewards and info as (count,)."""
    env = make(form, **keywords)
    batch = 1 if form == "single" else BATCH
    rows = np.resize(actions, count).reshape(-1, batch)
    played = play(env, form, rows, seed=seed)
    return played.rewards.ravel(), {key: value.ravel() for key, value in played.info.items()}
