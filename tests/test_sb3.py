"""PPO, A2C and DQN as agents of ours: SB3's own learning, put down and taken up bit for bit."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C, DQN, PPO

import credit_envs  # noqa: F401
from agents import AGENTS, Settings, load_agent, make_agent, train
from agents.checkpoint import read
from agents.learner import Agent, Diverged
from agents.networks import NETWORKS
from agents.sb3 import RewardVecEnv
from agents.sb3.features import Body

LANES = 16
KINDS = {"ppo": PPO, "a2c": A2C, "dqn": DQN}
NAMES = pytest.mark.parametrize("name", KINDS)
pytestmark = pytest.mark.usefixtures("same_generators")


def settings(name, **changes):
    return replace(AGENTS[name], **{"sizes": (16,), "lr": 1e-3, **changes})


def make_env(seed=3):
    env = gym.make_vec("DigitsReward-v0", num_envs=LANES)
    env.reset(seed=seed)
    return env


def make(name, **changes):
    return make_agent(settings(name, **changes), make_env(), seed=7, device="cpu")


def weights(agent):
    return torch.cat([p.detach().flatten() for p in agent.model.policy.parameters()])


@NAMES
def test_it_learns_bit_for_bit_what_sb3s_own_loop_does(name):
    ours, trials = make(name, epsilon=0.3), 24 * LANES
    before = weights(ours)
    train(ours, make_env(), trials, progress_bar=False)
    body = {"network": "dense", "sizes": (16,), "seed": 7}
    model = KINDS[name](
        "CnnPolicy", RewardVecEnv(make_env()), learning_rate=1e-3, seed=7, device="cpu",
        policy_kwargs={
            "net_arch": [], "features_extractor_class": Body, "features_extractor_kwargs": body
        },
        **settings(name, epsilon=0.3).keywords(LANES),
    )  # fmt: skip
    model.env.seed(3)
    model.learn(trials)
    theirs = torch.cat([p.detach().flatten() for p in model.policy.parameters()])
    assert torch.equal(weights(ours), theirs)
    assert not torch.equal(before, theirs)
    assert ours.trials == model.num_timesteps == trials


@NAMES
def test_a_saved_agent_goes_on_bit_for_bit(name, tmp_path):
    """In the middle of a rollout, and with what SB3 draws from disturbed in between."""
    env, agent = make_env(), make(name, epsilon=0.3)
    train(agent, env, 10 * LANES, progress_bar=False)
    agent.save(tmp_path / "agent")
    train(agent, env, 23 * LANES, progress_bar=False)
    torch.rand(3), np.random.rand(3)  # noqa: NPY002
    again = load_agent(tmp_path / "agent", device="cpu")
    assert again.settings.to_dict() == agent.settings.to_dict()
    env.reset(options={"position": 10 * LANES})
    train(again, env, 23 * LANES, progress_bar=False)
    assert torch.equal(weights(again), weights(agent))
    assert (again.trials, again.forward_passes) == (agent.trials, agent.forward_passes)


@NAMES
def test_a_saved_agent_is_tensors_and_plain_facts(name, tmp_path):
    agent = make(name)
    train(agent, make_env(), 5 * LANES, progress_bar=False)
    agent.save(tmp_path / "agent")
    tensors, facts = read(tmp_path / "agent")  # safetensors: there is no pickle in it
    assert facts["settings"]["signal"] == name
    assert {key.split("/")[0] for key in tensors} >= {"policy", "buffer", "generator", "plain"}


@NAMES
@pytest.mark.parametrize("network", ["dense", "conv"])
def test_its_body_has_the_weights_that_a_cell_with_the_same_seed_begins_with(name, network):
    sizes = (16,) if network == "dense" else ()
    agent = make(name, network=network, sizes=sizes)
    cell = make_agent(Settings(network=network, sizes=sizes), make_env(), seed=7, device="cpu")
    assert isinstance(cell, Agent)
    (body, *others) = [m for m in agent.model.policy.modules() if isinstance(m, Body)]
    assert len(others) == (name == "dqn")  # its target network
    own = dict(cell.net.named_parameters())
    for key, weight in body.net.named_parameters():
        assert torch.equal(weight, own.pop(key))
    assert len(own) == 1  # the output layer


@NAMES
@pytest.mark.parametrize(
    "network", sorted(NETWORKS.keys() - {"lenet_cifar"})
)  # digits are too small
def test_it_learns_on_every_network(name, network):
    sizes = {"dense": (16,), "resnet18": (4,), "tanh": (16,), "sigmoid": (16,)}.get(network, ())
    agent = make(name, network=network, sizes=sizes)
    before = weights(agent)
    train(agent, make_env(), 8 * LANES, progress_bar=False)
    assert not torch.equal(weights(agent), before)
    assert weights(agent).isfinite().all()


@pytest.mark.parametrize(
    ("name", "passes"),
    [
        ("ppo", 24 + 24 * 4),  # acting, then 4 passes over each rollout
        ("a2c", 24 + 24),
        # Random before `learning_starts` = 100 trials; then a replayed batch, and its next images.
        ("dqn", (24 - 7) + 2 * (24 - 6)),
    ],
)
def test_forward_passes_are_counted_with_those_that_learn_again(name, passes):
    agent = make(name, epsilon=0.0)
    train(agent, make_env(), 24 * LANES, progress_bar=False)
    assert agent.forward_passes == passes * LANES
    agent.predict(np.zeros((5, 8, 8, 1), np.uint8))
    assert agent.forward_passes == passes * LANES


@NAMES
def test_prediction_is_greedy_and_learns_nothing(name):
    agent, images = make(name, epsilon=1.0), np.asarray(make_env().reset()[0])
    first, before = agent.predict(images), weights(agent)
    assert all((agent.predict(images) == first).all() for _ in range(5))
    assert torch.equal(weights(agent), before)
    assert (agent.model.predict(images, deterministic=True)[0] == first).all()


@NAMES
def test_one_environment_at_a_time_will_do(name):
    env = gym.make("DigitsReward-v0")
    env.reset(seed=0)
    agent = make_agent(settings(name), env, device="cpu")
    assert 0 <= train(agent, env, 12, progress_bar=False) <= 1
    assert agent.trials == 12


def test_tensors_in_are_tensors_out():
    agent = make("ppo")
    chosen = agent.act(torch.zeros(LANES, 8, 8, 1, dtype=torch.uint8))
    assert (type(chosen), chosen.dtype) == (torch.Tensor, torch.int64)
    agent.learn(torch.zeros(LANES))


@pytest.mark.parametrize("lr", [1e37, 1e30])  # of the weights, or only of what they make of images
@NAMES
def test_numbers_that_are_no_longer_finite_are_a_divergence(name, lr):
    agent = make(name, lr=lr)
    with pytest.raises(Diverged):
        train(agent, make_env(), 40 * LANES, progress_bar=False)


@pytest.mark.parametrize("name", ["ppo", "a2c"])
def test_a_prediction_that_finds_them_is_one_too(name):
    agent = make(name)
    with torch.no_grad():
        agent.model.policy.action_net.weight.fill_(1e38)
    with pytest.raises(Diverged):
        agent.predict(np.full((2, 8, 8, 1), 255, np.uint8))


def test_trials_that_cannot_be_are_refused_in_a_sentence():
    agent, images = make("ppo"), np.zeros((LANES, 8, 8, 1), np.uint8)
    with pytest.raises(RuntimeError, match="call act"):
        agent.learn(np.zeros(LANES))
    with pytest.raises(
        ValueError, match="made for 16 uint8 images at a time, got 3 of torch.uint8"
    ):
        agent.act(images[:3])
    with pytest.raises(ValueError, match="got 16 of torch.float32"):
        agent.act(images.astype(np.float32))
    with pytest.raises(ValueError, match="this agent sees uint8 images, got torch.float32"):
        agent.predict(images / np.float32(255))
    agent.act(images)
    with pytest.raises(ValueError, match="the reward of trial 0 is not a finite number"):
        agent.learn(np.full(LANES, np.nan))
    with pytest.raises(ValueError, match="answers of shape"):
        agent.learn(np.zeros(3))
    agent.learn(np.zeros(LANES))  # it stayed open


def test_dqn_replays_from_two_batches_at_least():
    agent = make("dqn", buffer_size=LANES + 1)
    assert train(agent, make_env(), 24 * LANES, progress_bar=False) >= 0
