"""In a trial nothing crosses between host and device, and neither waits for the other.

Without a GPU the device is PyTorch's `meta`, whose tensors have shapes but no values: whatever
would read one fails. On a GPU the same trials run on it, and PyTorch watches for waits as well.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import gymnasium as gym
import numpy as np
import pytest
import torch
from cells import CELLS, served
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import credit_envs.tensors
from agents import learner
from agents.captured import PLAIN, Captured, CudaGraph
from agents.credit import RULES
from agents.credit.backprop import Backprop
from agents.layers import Conv2d
from agents.learner import Agent
from agents.seeding import generators
from agents.settings import Settings

CONVOLVED = [name for name, rule in RULES.items() if Conv2d in rule.serves]
HAS_GPU = torch.cuda.is_available()
NO_GPU = pytest.mark.skipif(not HAS_GPU, reason="no GPU")


class Crossing(AssertionError):
    """An operation joined two devices, and one of them had to wait."""


class Apart(TorchDispatchMode):
    """Refuses operations on several devices, but for copies that nobody waits for."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        tensors = [x for x in tree_leaves((args, kwargs, out)) if isinstance(x, Tensor)]
        if len({x.device for x in tensors}) > 1 and not kwargs.get("non_blocking"):
            raise Crossing(f"{func} joins {sorted({str(x.device) for x in tensors})}")
        return out


@contextmanager
def nothing_crosses() -> Iterator[None]:
    with Apart(), warnings.catch_warnings():
        if HAS_GPU:
            warnings.simplefilter("ignore")  # this mode is a prototype, says PyTorch
            torch.cuda.set_sync_debug_mode("error")
        try:
            yield
        finally:
            if HAS_GPU:
                torch.cuda.set_sync_debug_mode("default")


@pytest.fixture(params=["meta", pytest.param("cuda", marks=NO_GPU)])
def device(request, monkeypatch):
    """A GPU, or what stands for one: there are no generators of that device."""
    if request.param == "meta":
        monkeypatch.setattr(credit_envs.tensors, "find_device", torch.device)
        monkeypatch.setattr(
            learner, "generators", lambda seed, _: generators(seed, torch.device("cpu"))
        )
    return request.param


def made(device, settings, **options):
    env = gym.make_vec(
        "DigitsReward-v0", num_envs=4, device=device, presentations=settings.rule.presentations,
        reveal_label=settings.learns_from == "label", **options,
    )  # fmt: skip
    return Agent(settings, (8, 8, 1), int(env.single_action_space.n), device=device), env


def run(device, settings, trials=4, position=0, **options):
    """Some trials; in the first everything is made that stays."""
    agent, env = made(device, settings, **options)
    images, _ = env.reset(seed=0, options={"position": position})

    def trial() -> None:
        nonlocal images
        for _ in range(agent.presentations):
            images, reward, _, _, info = env.step(agent.act(images))
            agent.learn(info["label"] if agent.learns_from == "label" else reward)

    trial()
    with nothing_crosses():
        for _ in range(trials - 1):
            trial()
    return agent


@pytest.mark.parametrize(("signal", "credit"), CELLS)
def test_no_rule_and_no_signal_crosses(device, signal, credit):
    assert run(device, Settings(signal, credit, sizes=(5, 4))).trials == 16


@pytest.mark.parametrize("credit", CONVOLVED)
def test_no_convolution_crosses(device, credit):
    """Pooling, batch norm and dropout are in this net, too."""
    run(device, Settings(served(credit), credit, network="conv"), trials=2)


@pytest.mark.parametrize("credit", ["feedback_alignment", "least_squares_feedback"])
def test_no_local_connection_crosses(device, credit):
    run(device, Settings(credit=credit, network="loccon"), trials=2)


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_no_optimizer_crosses(device, optimizer):
    run(device, Settings(sizes=(5, 4), optimizer=optimizer, drops=(8,)))


@pytest.mark.parametrize(
    "rewards",
    [
        {"matrix": "-1/+1", "flip": 0.1, "noise": 0.5, "label_noise": 0.1, "regret": True},
        {"matrix": np.eye(10, 12), "reverse_at": 6},
        {"abstain": 0.2, "reverse_every": 6, "delay": 2},
    ],
)
def test_no_reward_option_crosses(device, rewards):
    run(device, Settings(sizes=(5,)), rewards=rewards)


@pytest.mark.parametrize("signal", ["label", "reward_prediction"])
def test_no_form_of_the_images_crosses(device, signal):
    order = {"imbalance": 2.0, "classes_per_stage": 5}
    run(device, Settings(signal, sizes=(5,)), dtype="float32", order=order)


def test_the_next_pass_comes_without_a_wait(device):
    images = len(credit_envs.datasets.load("Digits", "train").labels)
    run(device, Settings(sizes=(5,)), position=images - 6, rewards={"flip": 0.1})


class Nothing:
    """A graph that does nothing when it is replayed: what is left is the host's part."""

    def __init__(self, agent):
        pass

    def capture(self, body):
        body()

    aside = capture

    def replay(self):
        pass


def test_no_replay_crosses(device):
    agent, env = made(device, Settings(sizes=(5,)))
    env.reset(seed=0)
    trial = Captured(agent, env, CudaGraph if device == "cuda" else Nothing)
    for _ in range(PLAIN + 1):
        trial()
    with nothing_crosses():
        for _ in range(5):
            trial()
    assert agent.trials == 4 * (PLAIN + 6)


class Reading(Backprop):
    """Would wait for the device."""

    name = "reading"

    def __init__(self, read):
        object.__setattr__(self, "read", read)

    def assign(self, net, trial):
        self.read(trial.costs)
        super().assign(net, trial)


@pytest.mark.parametrize(
    "read",
    [
        lambda costs: costs.mean().item(),
        lambda costs: bool((costs > 0).all()),
        lambda costs: costs[costs > 0],
        lambda costs: costs.cpu(),
        lambda costs: torch.zeros(len(costs)).to(costs.device),
    ],
)
def test_a_rule_that_waits_is_caught(device, read, monkeypatch):
    monkeypatch.setitem(RULES, "reading", Reading)
    with pytest.raises((Crossing, RuntimeError, NotImplementedError)):
        run(device, Settings(credit=Reading(read), sizes=(5,)))
