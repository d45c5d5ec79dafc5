"""What comes to an agent from another device than its own, and what a GPU tells late."""

import cells  # noqa: F401  one torch thread
import gymnasium as gym
import numpy as np
import pytest
import torch

import credit_envs  # noqa: F401
from agents import Settings, checkpoint, load_agent, make_agent
from agents.exchange import like
from agents.learner import Agent

GPU_STATE = 16  # bytes of a CUDA generator's state, a seed and an offset


def from_a_gpu(agent, path, offset):
    """The agent's file, as it would be had it learned on a GPU."""
    draws = torch.full((GPU_STATE,), offset, dtype=torch.uint8)
    kept = {
        name: draws.clone() if name.startswith("generator/") else tensor
        for name, tensor in agent.tensors().items()
    }
    checkpoint.write(path, kept, agent.facts)


@pytest.mark.usefixtures("same_generators")
@pytest.mark.parametrize("name", ["reinforce", "ppo"])
def test_an_agent_from_a_gpu_goes_on_with_the_same_weights_and_draws_of_its_own(name, tmp_path):
    env = gym.make_vec("DigitsReward-v0", num_envs=32)
    agent = make_agent(name, env, device="cpu")
    for path, offset in (("one", 1), ("same", 1), ("other", 2)):
        from_a_gpu(agent, tmp_path / path, offset)
    images, _ = env.reset(seed=0)
    chosen = []
    for path in ("one", "same", "other"):
        loaded = load_agent(tmp_path / path, device="cpu")
        assert np.array_equal(loaded.predict(images), agent.predict(images))
        chosen.append(loaded.act(images))
    one, same, other = chosen
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_actions_lie_where_the_images_do():
    assert like(torch.zeros(2, 1, 1, 1, device="meta"), torch.ones(2)).device.type == "meta"


@pytest.mark.usefixtures("late_flags")  # nothing has stopped the trial by then
@pytest.mark.parametrize("signal", ["label", "label_mse", "label_bce"])
def test_a_label_that_is_none_is_told_late_and_loses_nothing(signal):
    agent = Agent(Settings(signal, sizes=(7,)), (4, 4, 1), 3, device="cpu")
    agent.act(torch.rand(2, 4, 4, 1))
    agent.learn(torch.tensor([1, 3]))
    with pytest.raises(ValueError, match="the label of trial 1 is not one of the classes 0..2"):
        agent.check()
