"""A trial replayed as a graph learns what a plain trial learns, bit for bit.

Without a GPU the graph is one in software: whatever of a trial lives on the host shows there, too.
"""

import sys

import gymnasium as gym
import pytest
import torch
from cells import CELLS
from gymnasium.vector import VectorWrapper
from recorder import Recorder
from states import alike, equal, state

from agents import learner
from agents.captured import Captured, CudaGraph
from agents.credit import RULES
from agents.credit.backprop import Backprop
from agents.learner import Agent, Diverged
from agents.metrics import Alignment
from agents.plasticity import make_optimizer
from agents.settings import Settings
from agents.training import train

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
BATCH = 50  # which does not divide a pass


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request, late_flags):
    return request.param


def pair(settings, device, **options):
    env = gym.make_vec(
        "DigitsReward-v0", num_envs=BATCH, device=device,
        reveal_label=settings.learns_from == "label",
        presentations=settings.rule.presentations, **options,
    )  # fmt: skip
    env.reset(seed=3)
    return Agent(settings, (8, 8, 1), 10, seed=1, device=device), env


def captured(agent, env):
    return Captured(agent, env, Recorder if agent.device.type == "cpu" else CudaGraph)


def run(trial, batches):
    for _ in range(batches):
        trial()


def same(settings, device, batches=7):
    """Whether replayed trials are plain trials in everything that is saved."""
    plain, env = pair(settings, device)
    train(plain, env, batches * BATCH, progress_bar=False)
    replayed, env = pair(settings, device)
    run(captured(replayed, env), batches)
    assert replayed.trials == plain.trials == env.unwrapped.position
    return alike(replayed, plain)


@pytest.mark.parametrize(("signal", "credit"), CELLS)
def test_a_replayed_trial_learns_what_a_plain_one_learns(signal, credit, device):
    assert same(Settings(signal, credit, sizes=(7, 6), lr=0.01), device)


def test_passes_end_and_flags_are_read_between_replays(device):
    assert same(Settings(sizes=(7,)), device, batches=60)


def test_replayed_convolutions_learn_what_plain_ones_learn(device):
    assert same(Settings(credit="kolen_pollack", network="conv"), device, batches=6)


def capturable(*settings, **constants):
    """An optimiser as it is on a GPU."""
    optimizer = make_optimizer(*settings, **constants)
    for group in optimizer.param_groups:
        group["capturable"] = True
    return optimizer


def test_fewer_bits_are_replayed(device):
    assert same(Settings(credit="kolen_pollack", sizes=(7,), precision="bf16"), device)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_replayed_optimizers_count_their_steps(optimizer, device, monkeypatch):
    if device == "cpu":  # where PyTorch refuses what it can do as well
        monkeypatch.setattr(
            sys.modules["torch.optim.adam"], "_get_capturable_supported_devices", lambda: ["cpu"]
        )
        monkeypatch.setattr(learner, "make_optimizer", capturable)
    assert same(Settings(sizes=(7,), optimizer=optimizer, lr=0.01), device)


def test_momentum_is_replayed_and_the_learning_rate_drops(device):
    drops = (4 * BATCH, 6 * BATCH)
    assert same(Settings(sizes=(7,), momentum=0.9, drops=drops, drop=0.5), device)


def test_the_rewards_are_those_of_the_trials(device):
    plain, env = pair(Settings(sizes=(7,)), device)
    mean = train(plain, env, 20 * BATCH, progress_bar=False)
    trial = captured(*pair(Settings(sizes=(7,)), device))
    rewards = torch.stack([trial().clone() for _ in range(20)])
    assert float(rewards.mean()) == pytest.approx(mean)


def test_plain_trials_may_come_between(device):
    agent, env = pair(Settings(sizes=(7,)), device)
    trial = captured(agent, env)
    for batches in (5, 4):
        run(trial, batches)
        train(agent, env, 3 * BATCH, progress_bar=False)
    plain, env = pair(Settings(sizes=(7,)), device)
    train(plain, env, 15 * BATCH, progress_bar=False)
    assert alike(agent, plain)


@pytest.mark.parametrize("before", [0, 5])  # batches; at first the optimiser has no memory
def test_an_agent_that_was_restored_goes_on(before, device):
    agent, env = pair(Settings(sizes=(7,), momentum=0.9), device)
    trial = captured(agent, env)
    run(trial, before)
    kept = state(agent)
    run(trial, 8)
    after = state(agent)
    env.reset(options={"position": before * BATCH})
    agent.restore(kept)
    agent.trials = before * BATCH
    run(trial, 8)
    assert equal(agent.tensors(), after)


def roots(agent):
    """What hangs on the nodes in which a pass's graph ends at the weights, while it lives."""
    weights = [p for p in agent.net.parameters() if p.requires_grad]
    with torch.enable_grad():
        return [p.view_as(p).grad_fn.next_functions[0][0].metadata for p in weights]


@pytest.mark.parametrize("credit", ["learned_feedback", "dfc"])
def test_no_graph_of_a_plain_trial_lives_on_in_one_that_is_replayed(credit, device):
    settings = Settings("label_mse", credit, sizes=(7,), lr=0.01, drops=(7 * BATCH,))
    agent, env = pair(settings, device)

    def plain():
        train(agent, env, BATCH, progress_bar=False)
        for root in roots(agent):
            root["plain"] = True

    plain()
    assert any("plain" in root for root in roots(agent))
    trial = captured(agent, env)
    assert not any("plain" in root for root in roots(agent))
    run(trial, 5)
    plain()
    run(trial, 1)  # the rate has dropped: another capture
    assert not any("plain" in root for root in roots(agent))


def test_divergence_is_told_with_its_trial(device):
    agent, env = pair(Settings(sizes=(7,)), device)
    trial = captured(agent, env)
    run(trial, 6)
    agent.net[-1].weight.data.fill_(torch.inf)
    with pytest.raises(Diverged, match=f"trial {6 * BATCH} are not finite"):
        run(trial, 30)
    assert agent.trials <= 6 * BATCH + 1100  # 1000 trials later, or at an evaluation


class Counting(Backprop):
    """Its changes grow with a number that the host keeps."""

    name = "counting"

    def assign(self, net, trial):
        super().assign(net, trial)
        net.count = getattr(net, "count", 0) + 1
        net[-1].weight.grad *= net.count


class Reading(Backprop):
    """Waits for a number of the device's."""

    name = "reading"

    def learn(self, net, trial):
        if trial.costs.mean() > 1e6:
            net.train()


def test_what_a_rule_keeps_on_the_host_shows(device, monkeypatch):
    monkeypatch.setitem(RULES, "counting", Counting)
    assert not same(Settings(credit="counting", sizes=(7,)), device)


def test_a_rule_that_waits_for_the_device_cannot_be_captured(device, monkeypatch):
    monkeypatch.setitem(RULES, "reading", Reading)
    with pytest.raises(RuntimeError):
        same(Settings(credit="reading", sizes=(7,)), device)


def test_what_cannot_be_replayed_is_refused(device):
    agent, env = pair(Settings(sizes=(7,)), device)
    with pytest.raises(ValueError, match="flip=0.1.* need the host in each trial"):
        Captured(*pair(Settings(sizes=(7,)), device, rewards={"flip": 0.1}))
    for other in (gym.make_vec("DigitsReward-v0", num_envs=BATCH), VectorWrapper(env)):
        with pytest.raises(ValueError, match="on a device, and in no wrapper, can be replayed"):
            Captured(agent, other)
    with pytest.raises(ValueError, match="make it with resident=True"):
        Captured(*pair(Settings(sizes=(7,)), device, resident=False))
    with pytest.raises(ValueError, match=r"shows \(0, 2\)"):
        Captured(agent, gym.make_vec("DigitsReward-v0", BATCH, device=device, part=(0, 2)))
    with pytest.raises(ValueError, match="this agent learns from labels"):
        Captured(Agent(Settings("label"), (8, 8, 1), 10, device=device), env)
    with pytest.raises(ValueError, match="a CUDA graph needs a GPU, this agent is on cpu"):
        Captured(*pair(Settings(sizes=(7,)), "cpu"))
    Alignment(agent)
    with pytest.raises(ValueError, match="only trials of the engine's agents, unwatched"):
        Captured(agent, env)
