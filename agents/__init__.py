"""Agents that learn from a scalar reward, and the supervised ones they are measured against.

import gymnasium as gym, credit_envs
from agents import evaluate, make_agent, train

env = gym.make_vec("MNISTReward-v0", num_envs=128)
agent = make_agent("q_agrel", env, seed=0)
train(agent, env, trials=60_000)
print(evaluate(agent, "MNISTReward-v0"))
"""

from agents.making import load_agent, make_agent
from agents.settings import AGENTS, Settings
from agents.training import evaluate, train, train_together

__all__ = ["AGENTS", "Settings", "evaluate", "load_agent", "make_agent", "train", "train_together"]
