"""An agent: what goes in and comes out, what a seed fixes, and what a file brings back."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from cells import GRID, served, serves
from states import alike, equal, state

import credit_envs  # noqa: F401
from agents import Settings, load_agent, make_agent
from agents.credit import RULES
from agents.layers import Conv2d, Linear
from agents.learner import Agent

SMALL = {"sizes": (12, 8), "lr": 0.05}
OPTIMISERS = {
    "sgd": {"optimizer": "sgd", "lr": 0.05, "weight_decay": 0.01},
    "momentum": {"optimizer": "sgd", "lr": 0.02, "momentum": 0.9},
    "adamw": {
        "optimizer": "adamw", "lr": 0.003, "weight_decay": 0.01, "betas": (0.8, 0.99), "eps": 1e-4,
        "pixels": (0.3, 0.4),
    },
}  # fmt: skip


def make(signal="reward_prediction", rule="backprop", seed=0, **settings) -> Agent:
    serves(rule, Linear if settings.get("network", "dense") == "dense" else Conv2d)
    return Agent(Settings(signal, rule, **SMALL | settings), (8, 8, 1), 10, seed=seed)


@pytest.fixture(scope="module")
def trials():
    """Batches of real digits and their labels."""
    env = gym.make_vec("DigitsReward-v0", num_envs=16, reveal_label=True)
    images, _ = env.reset(seed=0)
    batches = []
    for _ in range(12):
        following, _, _, _, info = env.step(np.zeros(16, int))
        batches.append((images, info["label"]))
        images = following
    return batches


def learn(agent, trials) -> None:
    for images, labels in trials:
        for _ in range(agent.presentations):
            action = agent.act(images)
            reward = (action == labels).astype(float)
            agent.learn(labels if agent.learns_from == "label" else reward)


def test_constants_of_the_optimiser_and_pixels_are_those_of_the_settings(trials):
    agent = make(**OPTIMISERS["adamw"])
    for group in agent.optimizer.param_groups:
        assert (group["betas"], group["eps"]) == ((0.8, 0.99), 1e-4)
    images = torch.from_numpy(trials[0][0])
    standardised = (images / 255 - 0.3) / 0.4
    torch.testing.assert_close(agent.net(images), make().net(standardised))


def test_the_answer_has_the_form_of_the_images(trials):
    agent, images = make(), trials[0][0]
    for choose in (agent.act, agent.predict):
        actions = choose(images)
        assert isinstance(actions, np.ndarray)
        assert (actions.shape, actions.dtype) == ((16,), np.int64)
        tensors = choose(torch.from_numpy(images))
        assert isinstance(tensors, torch.Tensor)
        assert (tensors.shape, tensors.dtype) == ((16,), torch.int64)
        assert type(choose(images[0])) is type(choose(torch.from_numpy(images[0]))) is int


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("network", ["dense", "conv"])
def test_bytes_and_fractions_teach_the_same(trials, network, dtype):
    agent, other = make(network=network), make(network=network)
    learn(agent, trials)
    learn(other, [((images / 255).astype(dtype), labels) for images, labels in trials])
    for name, tensor in agent.net.state_dict().items():
        torch.testing.assert_close(other.net.state_dict()[name], tensor, rtol=1e-3, atol=1e-5)


def test_numpy_and_torch_teach_the_same(trials):
    agent, other = make(), make()
    learn(agent, trials)
    for images, labels in trials:
        action = other.act(torch.from_numpy(images))
        other.learn(action == torch.from_numpy(labels))
    assert alike(agent, other)
    assert agent.trials == 12 * 16


def test_one_image_at_a_time_is_a_batch_of_one(trials):
    agent, other = make(), make()
    images, labels = trials[0]
    for image, label in zip(images, labels, strict=True):
        agent.learn(float(agent.act(image) == label))
        other.learn((other.act(image[None]) == label).astype(float))
    assert alike(agent, other)


@pytest.mark.parametrize(("signal", "rule"), GRID)
def test_every_signal_runs_with_every_rule_and_a_seed_fixes_it(signal, rule, trials):
    agents = [make(signal, rule, seed) for seed in (0, 0, 1)]
    before = state(agents[0])
    for agent in agents:
        learn(agent, trials)
    one, again, other = map(state, agents)
    assert all(value.isfinite().all() for value in one.values())
    assert equal(one, again)
    assert not equal(before, one)
    for name, value in one.items():
        if name.endswith("weight"):
            assert not torch.equal(value, other[name])


@pytest.mark.parametrize("network", ["conv", "loccon", "deep"])
def test_a_seed_fixes_every_network(network, trials):
    one, again = (make(network=network) for _ in range(2))
    learn(one, trials[:3])
    learn(again, trials[:3])
    assert alike(one, again)


CELLS = [("policy_gradient", rule) for rule in RULES]
CELLS += [("reward_prediction", "backprop"), ("agrel", "backprop"), ("label", "learned_feedback")]


@pytest.mark.parametrize(("signal", "rule"), CELLS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
@pytest.mark.parametrize("network", ["dense", "conv"])
def test_a_loaded_agent_goes_on_as_if_never_stopped(
    signal, rule, optimiser, network, trials, tmp_path
):
    if RULES[rule].needs_same_decay and optimiser == "momentum":
        pytest.skip("this rule refuses momentum")
    agent = make(signal, rule, seed=3, network=network, **OPTIMISERS[optimiser])
    trials = trials if network == "dense" else trials[:6]
    half = len(trials) // 2
    learn(agent, trials[:half])
    agent.save(tmp_path / "agent.safetensors")
    loaded = load_agent(tmp_path / "agent.safetensors", device="cpu")
    assert loaded.settings == Settings.from_dict(agent.settings.to_dict())
    assert alike(loaded, agent)
    learn(agent, trials[half:])
    learn(loaded, trials[half:])
    assert alike(loaded, agent)  # weights, optimiser and all generators
    assert loaded.trials == agent.trials
    assert np.array_equal(loaded.act(trials[0][0]), agent.act(trials[0][0]))


@pytest.mark.parametrize("name", ["q_agrel", "dqn"])
def test_a_seed_of_numpys_is_saved_as_a_plain_number(name, tmp_path):
    env = gym.make_vec("DigitsReward-v0", num_envs=16)
    agent = make_agent(name, env, seed=np.int64(7), device="cpu")
    agent.save(tmp_path / "agent.safetensors")
    assert load_agent(tmp_path / "agent.safetensors", device="cpu").seed == 7


def test_saving_changes_nothing_and_keeps_the_open_trial(trials, tmp_path):
    agent, other = make(), make()
    images, labels = trials[0]
    for one in (agent, other):
        one.act(images)
    agent.save(tmp_path / "agent.safetensors")
    for one in (agent, other):
        one.learn(np.ones(16))
    assert alike(agent, other)


@pytest.mark.parametrize("network", ["dense", "conv"])
@pytest.mark.parametrize("rule", RULES)
def test_prediction_between_act_and_learn_changes_nothing(network, rule, trials):
    agent, other = (make(served(rule), rule, network=network, lr=0.001) for _ in range(2))
    for images, _ in trials[:3]:
        actions = agent.act(images), other.act(images)
        assert np.array_equal(agent.predict(images[:5]), agent.predict(images)[:5])
        assert np.array_equal(*actions)
        agent.learn(np.ones(16))
        other.learn(np.ones(16))
    assert alike(agent, other)
