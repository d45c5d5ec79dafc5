"""Gymnasium's plain loop: one image, one guess, one reward.

One linear unit per class learns to predict the reward of choosing it.

    python scripts/examples/loop.py
"""

import gymnasium as gym
import numpy as np
from gymnasium.spaces.utils import flatdim

import credit_envs  # noqa: F401, registers the environments

TRIALS, RATE, EPSILON = 20_000, 0.05, 0.1

env = gym.make("DigitsReward-v0", layout="flat", dtype="float32")
random = np.random.default_rng(0)
weights = np.zeros((flatdim(env.action_space), flatdim(env.observation_space)))
rewards = []

env.reset(seed=0)
for _ in range(TRIALS):
    image, _ = env.reset()  # an image that nobody guessed yet is shown again, none is lost
    values = weights @ image  # the reward that each class is believed to bring
    action = values.argmax() if random.random() > EPSILON else random.integers(len(values))
    _, reward, _, _, _ = env.step(action)
    weights[action] += RATE * (float(reward) - values[action]) * image
    rewards.append(reward)

print(f"mean reward of the last 2,000 trials: {np.mean(rewards[-2000:]):.1%}")
