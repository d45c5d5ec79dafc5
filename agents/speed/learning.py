"""Learning from reward, trial by trial, against supervised learning written by hand."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium as gym
import torch

from agents.captured import Captured
from agents.credit import DeepFeedbackControl
from agents.learner import Agent
from agents.making import make_agent
from agents.settings import Settings
from agents.speed.case import Case, Sample, race, side
from agents.speed.images import Scale
from agents.speed.loops import plain, supervised
from credit_envs.tensors import resident

YARDSTICK = "hand-written supervised PyTorch loop"
CELL = Settings("reward_prediction", lr=0.01)


def trials(
    settings: Settings, env_id: str, batch: int, device: str, replay: bool = False,
    resident: bool | None = None,
) -> tuple[Agent, Callable[[], object]]:  # fmt: skip
    """An agent, and its trial with a batch: step, act, reward, learn; on a GPU, maybe replayed."""
    env = gym.make_vec(env_id, num_envs=batch, device=device, resident=resident)
    agent = make_agent(settings, env, device=device)
    images, _ = env.reset(seed=0)
    if replay and agent.device.type == "cuda":
        return agent, Captured(agent, env)

    def trial() -> None:
        nonlocal images
        images, reward, *_ = env.step(agent.act(images))
        agent.learn(reward)

    return agent, trial


def yardstick(
    settings: Settings, env_id: str, batch: int, device: str
) -> tuple[torch.nn.Module, Callable[[], None]]:
    """The same net in plain PyTorch, and a step of supervised learning with a batch."""
    env: Any = gym.make_vec(env_id, num_envs=1)
    net = plain(make_agent(replace(settings, credit="backprop"), env, device="cpu").net)
    net.to(device=device, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    images, labels = resident(env.task.data, "train", torch.device(device))
    return net, supervised(net, images, labels, batch, settings.lr)


def _learning(settings: Callable[[Scale], Settings], colour: bool, scale: Scale) -> Sample:
    env_id, batch = scale.colour if colour else scale.gray, scale.size(128)
    task = settings(scale), env_id, batch, "cpu"
    ours, theirs = trials(*task)[1], yardstick(*task)[1]
    return race(side(ours, batch), side(theirs, batch), scale)


def _case(
    name: str, what: str, settings: Callable[[Scale], Settings], least: float | None,
    colour: bool = False,
) -> Case:  # fmt: skip
    prepare = partial(_learning, settings, colour)
    return Case(name, what, YARDSTICK, "images/s", prepare, least)


def hidden(*sizes: int, scale: Scale) -> tuple[int, ...]:
    """Hidden sizes."""
    return tuple(map(scale.size, sizes))


def dense(credit: str, scale: Scale) -> Settings:
    """A credit rule on the paper's dense net."""
    return replace(CELL, credit=credit, sizes=hidden(1500, 1000, 500, scale=scale))


def conv(scale: Scale) -> Settings:
    """Q-AGREL on the convolutional net with batch norm."""
    return replace(CELL, network="conv")


def dfc(rate: float, scale: Scale) -> Settings:
    """Deep feedback control's analytic steady state on its own net."""
    rule = DeepFeedbackControl(rate=rate)
    return replace(CELL, credit=rule, network="tanh", sizes=hidden(256, 256, 256, scale=scale))


CASES = (
    _case("q_agrel", "q_agrel, dense", partial(dense, "backprop"), 0.97),
    _case("q_agrel-conv", "q_agrel, conv with batch norm", conv, 0.95, colour=True),
    _case(
        "direct", "direct_feedback_alignment, dense",
        partial(dense, "direct_feedback_alignment"), 1.15,
    ),
    _case("kolen_pollack", "kolen_pollack, dense", partial(dense, "kolen_pollack"), 0.90),
    _case("learned", "learned_feedback, dense", partial(dense, "learned_feedback"), 0.55),
    _case("dfc", "dfc, analytic, fixed Q, tanh", partial(dfc, 0.0), 0.30),
    _case("dfc-learned", "dfc, analytic, learned Q, tanh", partial(dfc, 0.5), None),
)  # fmt: skip
