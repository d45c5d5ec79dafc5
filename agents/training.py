"""The loop between an agent and an environment, and the exact measure of what was learned."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, cast

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import VectorEnv
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from agents.fit import check_actions, check_environment, check_in_time, check_part, check_rewards
from agents.learner import Agent
from agents.own import check_methods
from agents.right import right_actions
from agents.settings import Settings
from agents.together import Together
from credit_envs.order import Order
from credit_envs.registration import find_spec
from credit_envs.rewards import Rewards, given
from credit_envs.stream import ALONE
from credit_envs.streams import side_by_side
from credit_envs.task import Task
from credit_envs.vector import RewardVectorEnv

CHUNK = 1000  # images predicted at once
GRAINS = 2**26  # in a reward of 1: means are exact to some 1e-8


def train(agent: Any, env: gym.Env | VectorEnv, trials: int, progress_bar: bool = True) -> float:
    """Let the agent guess and learn for `trials` trials; returns the mean reward.

    `agent` has `act(images) -> actions` and `learn(answer)`. What it is answered is the reward,
    unless it says `learns_from = "label"`: then the environment must be made with
    `reveal_label=True`. A vector environment's batches are whole, so up to B - 1 trials more are
    run. Training in parts gives the same as training at once. A rule that compares two rewards
    needs an environment with `presentations=2`; only the first presentation counts. Delayed
    rewards are refused. Of batches that processes share all trials are counted; the mean is that
    of this one's part.
    """
    check_methods(agent, type(agent).__name__)
    return _rewards(agent, env, trials, 1, progress_bar)[0]


def train_together(
    agents: Sequence[Agent], env: VectorEnv, trials: int, progress_bar: bool = True
) -> list[float]:
    """Train agents at once that differ in seed or learning rate; returns each one's mean reward.

    Each learns what `env.reset(seed=agent.seed)` and `train(agent, env, trials)` would have taught
    it, in a batch of its own, and goes on where it stopped. `env` is what `gym.make_vec(id,
    num_envs=B)` gives, and stays as it is. An agent that diverges does not stop the others; it
    raises Diverged when it is evaluated.
    """
    together = Together(agents)
    if not isinstance(env, RewardVectorEnv):
        raise ValueError(
            f"agents learn together in streams of gym.make_vec(id, num_envs=B) itself, got {env}: "
            "leave out wrappers and vectorization_mode, or train them one by one"
        )
    streams = side_by_side(env, [agent.seed for agent in agents], together.trials)
    try:
        return _rewards(together, streams, trials, len(agents), progress_bar)
    finally:
        together.hand_back()


def _rewards(
    agent: Any, env: gym.Env | VectorEnv, trials: int, nets: int, progress_bar: bool
) -> list[float]:
    """Train, and return each net's mean reward."""
    if not isinstance(trials, Integral) or trials < 0:
        raise ValueError(f"trials is a whole number of trials, 0 or more, got {trials!r}")
    from_label = getattr(agent, "learns_from", "reward") == "label"
    presentations = getattr(agent, "presentations", 1)
    check_environment(env, from_label, presentations)
    check_part(agent, env)
    check_actions(agent, env)
    check_rewards(agent, env)
    batched = isinstance(env, VectorEnv)
    own = env.num_envs // nets if batched else 1
    batch = own * getattr(env.unwrapped, "part", ALONE)[1]
    steps = -(-trials // batch)
    rewarded: Any = [0.0] * nets
    images, _ = env.reset()
    with _bar(progress_bar) as bar:
        task = bar.add_task("training", total=trials)
        for step in range(steps * presentations):
            images, reward, ended, _, info = cast(Any, env.step(agent.act(images)))
            check_in_time(info)
            if step % presentations == 0:
                rewarded = rewarded + _paid(reward, nets) if step else _paid(reward, nets)
                bar.advance(task, batch)
            agent.learn(info["label"] if from_label else reward)  # which may work on it in place
            if ended is True:  # the single environment waits for its reset
                images, _ = env.reset()
    return [float(reward) / max(steps * own, 1) for reward in rewarded]


def _paid(reward: Any, nets: int) -> Any:
    """What a batch paid each net; of arrays in whole grains, whose sums know no order."""
    if isinstance(reward, Tensor):  # rounding would be two kernels more
        return reward.reshape(nets, -1).sum(1, dtype=torch.float64)
    return np.rint(np.reshape(reward, (nets, -1)).sum(1) * GRAINS) / GRAINS


def evaluate(
    agent: Any, env: str | gym.Env | VectorEnv, split: str = "test", images: int = 0
) -> float:
    """Accuracy 0..1 over every image of the split once, without exploration or learning.

    `env` is an id, or an environment whose images they are. They are shown as it shows them, but
    for wrappers; the suite's own agents see uint8 (H, W, C) in any form. Right is the action that
    the environment pays best for the image's class; where labels are reversed, as at its last
    trial. With `images`, over the first so many of the canonical order, which is random. An agent
    without `predict` is asked by `act`.
    """
    if not isinstance(images, Integral) or images < 0:
        raise ValueError(f"images is a number of images, or 0 for all, got {images}")
    task, device = _sight(agent, env, split)
    best = right_actions(env, task)
    name = "predict" if hasattr(agent, "predict") else "act"
    if not hasattr(agent, name):
        raise TypeError(f"an agent has act(images), {agent!r} has not: make_agent makes one")
    choose, called = getattr(agent, name), f"{type(agent).__name__}.{name}"
    count = len(task.labels[: images or None])
    right = 0
    for start in range(0, count, CHUNK):
        index = np.arange(start, min(start + CHUNK, count))
        shown = task.observe(index)
        chosen = choose(shown if device is None else torch.from_numpy(shown).to(device))
        actions = _actions(chosen, len(index), called)
        there = (actions >= 0) & (actions < best.shape[1])  # what is no action here is not right
        right += int(best[task.labels[index][there], actions[there]].sum())
    return right / count


def _actions(chosen: Any, count: int, called: str) -> np.ndarray:
    """What `called` returned, (count,). Raises ValueError if it is not an action for each image."""
    if isinstance(chosen, tuple):
        raise ValueError(
            f"{called} returned a tuple for {count} images: return the class of each; models of "
            "Stable-Baselines3 are given as agents.sb3.Greedy(model)"
        )
    actions = np.asarray(chosen.detach().cpu() if isinstance(chosen, Tensor) else chosen)
    if actions.shape != (count,) or actions.dtype.kind not in "iu":
        raise ValueError(
            f"{called} returned {actions.dtype} of shape {actions.shape} for {count} images: "
            f"return the class of each, whole numbers of shape ({count},)"
        )
    return actions


def _sight(agent: Any, env: str | gym.Env | VectorEnv, split: str) -> tuple[Task, str | None]:
    """The split as the environment would show it, and the device on which; None: as arrays."""
    options = find_spec(env).kwargs
    dataset, rewards = options["dataset"], given(Rewards, options.get("rewards"), "rewards")
    if isinstance(getattr(agent, "settings", None), Settings):
        options = {}
    form = options.get("layout", "HWC"), options.get("dtype", "uint8")
    return Task(dataset, split, *form, rewards, Order()), options.get("device")


def _bar(shown: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        disable=not shown,
    )  # fmt: skip
