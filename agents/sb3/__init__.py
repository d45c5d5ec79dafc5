"""Stable-Baselines3 on the reward environments: PPO, A2C and DQN as they come, in five lines.

    import gymnasium as gym
    from stable_baselines3 import PPO
    from agents import evaluate
    from agents.sb3 import Greedy, RewardVecEnv, SmallCnn

    env = RewardVecEnv(gym.make_vec("MNISTReward-v0", num_envs=64))
    body = {"features_extractor_class": SmallCnn}
    model = PPO("CnnPolicy", env, n_steps=16, policy_kwargs=body)
    model.learn(100_000)
    print(evaluate(Greedy(model), "MNISTReward-v0"))

An episode is one step, so a return is the reward and an advantage the reward minus the value:
gamma and GAE's lambda do nothing here.
"""

from agents.sb3.features import SmallCnn
from agents.sb3.greedy import Greedy
from agents.sb3.vec_env import RewardVecEnv

__all__ = ["Greedy", "RewardVecEnv", "SmallCnn"]
