"""The same agents, taught alone and together."""

from dataclasses import replace

import gymnasium as gym
import torch

import credit_envs  # noqa: F401
from agents import Settings, make_agent, train, train_together
from agents.credit import RULES

torch.set_num_threads(1)

ENV, BATCH, BATCHES = "DigitsReward-v0", 8, 6
RATES = (0.05, 0.1, 0.1)
STACKABLE = [name for name, rule in RULES.items() if rule.stackable]
# Taught feedback divides a difference of costs by the noise's square, and its rounding with it.
LOUD = {name: RULES[name](noise=0.1) for name in ("learned_feedback", "least_squares_feedback")}  # pyright: ignore


def environment(settings, **keywords):
    label = settings.learns_from == "label"
    return gym.make_vec(ENV, num_envs=BATCH, reveal_label=label, **keywords)


def cell(signal="reward_prediction", credit="backprop", **others):
    return Settings(signal, LOUD.get(credit, credit), **{"sizes": (12, 9)} | others)


def made(settings, env, rates=RATES):
    return [
        make_agent(replace(settings, lr=rate), env, seed=seed, device="cpu")
        for seed, rate in enumerate(rates)
    ]


def taught(settings, batches=BATCHES, rates=RATES, **keywords):
    """Agents that learned alone, the same together, and what both kinds were paid."""
    env = environment(settings, **keywords)
    alone, together = made(settings, env, rates), made(settings, env, rates)
    paid = []
    for agent in alone:
        env.reset(seed=agent.seed)
        paid.append(train(agent, env, batches * BATCH, progress_bar=False))
    both = paid, train_together(together, env, batches * BATCH, progress_bar=False)
    return alone, together, both


def check_equal(alone, together, near=1e-5):
    """All that an agent knows, and where its generators are: they drew as many numbers."""
    assert together.trials == alone.trials
    expected, found = alone.tensors(), together.tensors()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        if name.startswith("generator"):
            assert torch.equal(found[name], tensor), name
        else:
            # The regression's sums over all trials grow, and round in the measure of the largest.
            largest = float(tensor.abs().max()) if name.endswith(".S") else 1.0
            torch.testing.assert_close(
                found[name], tensor, rtol=near, atol=near * max(1.0, largest), msg=name
            )
