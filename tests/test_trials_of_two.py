"""An agent that needs two presentations of an image: what counts, and what is learned."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import VectorWrapper
from small import POINTS, job, run_once
from states import alike

from agents import Settings, make_agent, train
from agents.learner import Agent

DIGITS = "DigitsReward-v0"
TWICE = "policy_gradient+node_perturbation_two_rewards"


class Counted(VectorWrapper):
    """Notes the rewards it pays."""

    def __init__(self, env):
        super().__init__(env)
        self.paid = []

    def step(self, actions):
        images, reward, *rest = self.env.step(actions)
        self.paid.append(reward)
        return images, reward, *rest


def make_env(presentations, num_envs=16):
    env = Counted(gym.make_vec(DIGITS, num_envs, presentations=presentations))
    env.reset(seed=3)
    return env


def make_twice(env) -> Agent:
    settings = Settings(*TWICE.split("+"), sizes=(12, 8), lr=0.01)
    return make_agent(settings, env, device="cpu")


def test_training_counts_first_presentations_only():
    env = make_env(2)
    agent = make_twice(env)
    mean = train(agent, env, 100, progress_bar=False)
    assert len(env.paid) == 2 * 7  # whole batches of 16
    assert agent.trials == env.unwrapped.position == 112
    assert mean == pytest.approx(np.mean(env.paid[::2]))
    assert np.mean(env.paid[::2]) != np.mean(env.paid[1::2])


def test_an_agent_learns_at_the_second_presentation_and_keeps_the_first():
    env = make_env(2, num_envs=4)
    agent = make_twice(env)
    seen = []
    agent.watch = lambda net, trial: seen.append(trial)
    images, _ = env.reset()
    start = agent.net[1].weight.clone()
    for presentation in range(4):
        images, reward, *_ = env.step(agent.act(images))
        agent.learn(reward)
        assert torch.equal(agent.net[1].weight, start) == (presentation == 0)
        assert len(seen) == (presentation + 1) // 2
    for trial, first, second in zip(seen, env.paid[::2], env.paid[1::2], strict=True):
        assert np.array_equal(trial.before.reward, first)
        assert np.array_equal(trial.reward, second)
        assert torch.equal(trial.before.images, trial.images)
        assert trial.before.before is None


@pytest.mark.parametrize("agent", ["reinforce", TWICE])
def test_an_environment_with_other_presentations_is_refused(agent):
    needed = 2 if agent == TWICE else 1
    for presentations in {1, 2, 3} - {needed}:
        for env in (make_env(presentations), gym.make(DIGITS, presentations=presentations)):
            one = make_agent(agent, env, device="cpu")
            with pytest.raises(
                ValueError, match=f"make the environment with presentations={needed}"
            ):
                train(one, env, 16, progress_bar=False)
            assert one.trials == 0


def test_training_alone_with_the_single_environment_is_training_in_a_batch_of_one():
    agents = []
    for env in (gym.make(DIGITS, presentations=2), make_env(2, num_envs=1)):
        env.reset(seed=3)
        agents.append(make_twice(env))
        train(agents[-1], env, 20, progress_bar=False)
        assert env.unwrapped.position == agents[-1].trials == 20
    assert alike(*agents)


@pytest.mark.parametrize(
    ("rule", "steps", "passes"),
    [
        ("backprop", 1, 1), ("node_perturbation", 1, 2), ("node_perturbation_two_rewards", 2, 2),
        ("node_perturbation_one_reward", 1, 1),
    ],
)  # fmt: skip
def test_a_run_counts_steps_of_the_environment_and_passes_apart(rule, steps, passes):
    result = run_once(replace(job(f"policy_gradient+{rule}"), reads_test=False))
    assert result.diverged is None
    assert result.trials == POINTS
    assert result.env_steps == steps * POINTS[-1]
    assert result.forward_passes == passes * POINTS[-1]
