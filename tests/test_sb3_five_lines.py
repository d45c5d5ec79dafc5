"""SB3's own classes on images of every size, as the README shows: five lines each."""

import gymnasium as gym
import numpy as np
import pytest
import torch
import toy as toys
from stable_baselines3 import A2C, DQN, PPO

from agents import evaluate
from agents.sb3 import Greedy, RewardVecEnv, SmallCnn
from credit_envs.vector import RewardVectorEnv

LANES = 16
BRIEF = {PPO: {"n_steps": 2, "batch_size": 32, "n_epochs": 1}, A2C: {}, DQN: {"buffer_size": 200}}
SIZES = [(8, 8, 1), (8, 8, 3), (9, 12, 1), (32, 32, 3)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("algorithm", BRIEF)
def test_it_trains_on_images_of_every_size(algorithm, size, tmp_path, monkeypatch):
    toys.install(toys.make_toy(tmp_path / "mirror", size), tmp_path / "cache", monkeypatch)
    env = RewardVecEnv(RewardVectorEnv("Toy", LANES))
    model = algorithm(
        "CnnPolicy", env, seed=0, policy_kwargs={"features_extractor_class": SmallCnn},
        **BRIEF[algorithm],
    )  # fmt: skip
    before = weights(model)
    model.learn(160)
    assert not torch.equal(weights(model), before)
    height, width, channels = size
    assert env.observation_space.shape == (channels, height, width)
    chosen = Greedy(model).act(np.zeros((5, *size), np.uint8))  # as `evaluate` shows them
    assert (chosen.shape, set(chosen) <= set(range(toys.CLASSES))) == ((5,), True)


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.policy.parameters()])


@pytest.mark.parametrize(
    ("algorithm", "keywords"),
    [
        (PPO, {"n_steps": 8, "batch_size": 128, "n_epochs": 2}),
        (A2C, {"n_steps": 1}),
        (DQN, {"train_freq": 1, "gradient_steps": 2, "batch_size": 64, "buffer_size": 4000}),
    ],
)
def test_it_learns_the_digits(algorithm, keywords):
    env = RewardVecEnv(gym.make_vec("DigitsReward-v0", num_envs=64))
    body = {"features_extractor_class": SmallCnn}
    model = algorithm("CnnPolicy", env, 1e-3, seed=0, policy_kwargs=body, **keywords)
    assert evaluate(Greedy(model), "DigitsReward-v0") < 0.25
    model.learn(6000)
    assert evaluate(Greedy(model), "DigitsReward-v0") > 0.4


def test_an_advantage_is_the_reward_minus_the_value_and_a_return_the_reward():
    """A truncated ending would add gamma times the value of another image."""
    env = RewardVecEnv(gym.make_vec("DigitsReward-v0", num_envs=LANES, rewards={"noise": 0.5}))
    given, step_wait = [], env.step_wait

    def noted():
        step = step_wait()
        given.append(step[1].copy())
        return step

    env.step_wait = noted
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=LANES, gamma=0.9, gae_lambda=0.7, seed=0)
    _, callback = model._setup_learn(8 * LANES)
    model.collect_rollouts(env, callback, model.rollout_buffer, n_rollout_steps=8)
    rollout, rewards = model.rollout_buffer, np.stack(given)
    assert rewards.std() > 0.3
    np.testing.assert_array_equal(rollout.rewards, rewards)
    np.testing.assert_array_equal(rollout.advantages, rewards - rollout.values)
    np.testing.assert_allclose(rollout.returns, rewards, atol=1e-6)  # (r - V) + V, rounded
