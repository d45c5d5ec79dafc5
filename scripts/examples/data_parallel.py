"""One agent in as many processes as torchrun starts: each sees its part of every batch of 128.

    torchrun --nproc-per-node 2 scripts/examples/data_parallel.py

On a machine with GPUs each process has one. Without torchrun the same agent learns alone.
"""

import gymnasium as gym

import credit_envs  # noqa: F401, registers the environments
from agents import evaluate, make_agent, train
from agents.parallel import joined

BATCH, TRIALS = 128, 60_000

with joined() as (part, device):
    leads = part[0] == 0
    env = gym.make_vec("DigitsReward-v0", num_envs=BATCH // part[1], part=part, device=device)
    env.reset(seed=0)  # which all need alike
    agent = make_agent("q_agrel", env, seed=0, device=device)
    train(agent, env, TRIALS, progress_bar=leads)
    if leads:
        agent.save("q_agrel.safetensors")  # any agent's file: one process may go on with it
        print(f"processes: {part[1]}, trials: {agent.trials:,}, test: {evaluate(agent, env):.1%}")
