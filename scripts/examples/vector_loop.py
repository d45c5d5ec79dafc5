"""Gymnasium's vector loop: 32 images a step, and returns as its own wrapper counts them.

The learner is that of loop.py.

    python scripts/examples/vector_loop.py
"""

import gymnasium as gym
import numpy as np
from gymnasium.spaces.utils import flatdim
from gymnasium.wrappers.vector import RecordEpisodeStatistics

import credit_envs  # noqa: F401, registers the environments

TRIALS, BATCH, RATE, EPSILON = 40_000, 32, 0.5, 0.1

env = gym.make_vec("DigitsReward-v0", num_envs=BATCH, layout="flat", dtype="float32")
env = RecordEpisodeStatistics(env, buffer_length=2000)
random, rows = np.random.default_rng(0), np.arange(BATCH)
weights = np.zeros((flatdim(env.single_action_space), flatdim(env.single_observation_space)))

images, _ = env.reset(seed=0)
for _ in range(TRIALS // BATCH):
    values = images @ weights.T  # (B, K)
    guesses = random.integers(len(weights), size=BATCH)
    actions = np.where(random.random(BATCH) > EPSILON, values.argmax(1), guesses)
    following, rewards, _, _, _ = env.step(actions)  # each step ends a trial and shows the next
    errors = rewards - values[rows, actions]
    np.add.at(weights, actions, RATE / BATCH * errors[:, None] * images)
    images = following

print(f"{env.episode_count:,} episodes of {np.mean(env.length_queue):g} step")
print(f"mean return of the last 2,000: {np.mean(env.return_queue):.1%}")
