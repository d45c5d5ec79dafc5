"""Ten seeds in one computation, against one after another, and on a GPU against one alone."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import gymnasium as gym
import torch

from agents.making import make_agent
from agents.settings import Settings
from agents.speed.case import Case, Missing, Reading, Sample, Side, race, side
from agents.speed.images import DRY, Scale
from agents.speed.learning import CELL, conv, dense, hidden, trials
from agents.together import Together
from credit_envs.streams import side_by_side

SEEDS = 10


def together(
    settings: Settings, env_id: str, batch: int, device: str, seeds: int
) -> Callable[[], None]:
    """A trial of so many seeds at once, each with a batch of its own."""
    env: Any = gym.make_vec(env_id, num_envs=batch, device=device)
    agents = [make_agent(settings, env, seed=seed, device=device) for seed in range(seeds)]
    streams, stack = side_by_side(env, range(seeds)), Together(agents)
    images, _ = streams.reset()

    def trial() -> None:
        nonlocal images
        images, reward, *_ = streams.step(stack.act(images))
        stack.learn(reward)

    return trial


def small(credit: str, scale: Scale) -> Settings:
    """A net so small that products take as long to begin as to make."""
    return replace(CELL, credit=credit, sizes=hidden(64, 32, scale=scale))


def usual(scale: Scale) -> Settings:
    """The dense net of the suite's MNIST table."""
    return replace(CELL, sizes=hidden(500, 300, scale=scale))


def exactly(precision: str, scale: Scale) -> Settings:
    """The paper's dense net at a precision."""
    return replace(dense("backprop", scale), precision=precision)


def _sides(
    settings: Callable[[Scale], Settings], env_id: str, batch: int, device: str, scale: Scale
) -> tuple[Side, Side]:
    """All seeds at once, and one."""
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    batch, seeds = scale.size(batch), scale.size(SEEDS)
    task = settings(scale), env_id, batch, device
    return side(together(*task, seeds), seeds * batch, wait), side(trials(*task)[1], batch, wait)


def _one_by_one(
    settings: Callable[[Scale], Settings], digits: bool, batch: int, scale: Scale
) -> Sample:
    env_id = "DigitsReward-v0" if digits else scale.gray
    return race(*_sides(settings, env_id, batch, "cpu", scale), scale)


def _on_gpu(name: str, scale: Scale) -> Sample:
    """The figure: how many times as long a trial of all seeds takes as that of one."""
    if scale.device != "cuda" and scale.largest > DRY.largest:
        raise Missing("it needs a GPU")
    settings = partial(exactly, name)
    both = race(*_sides(settings, scale.gray, 128, scale.device, scale), scale)

    def sample() -> Reading:
        reading = both()
        return reading._replace(figure=scale.size(SEEDS) / reading.figure)

    return sample


def _case(
    name: str, what: str, settings: Callable[[Scale], Settings], digits: bool, batch: int
) -> Case:
    return Case(
        f"seeds-{name}", f"{SEEDS} seeds together, {what}, batch {batch}", "one after another",
        "images/s", partial(_one_by_one, settings, digits, batch),
    )  # fmt: skip


CASES = (
    _case("digits", "q_agrel, digits, dense 64-32", partial(small, "backprop"), True, 32),
    _case("learned", "learned_feedback, the same", partial(small, "learned_feedback"), True, 32),
    _case("dense", "q_agrel, dense 500-300", usual, False, 128),
    _case("conv", "q_agrel, digits, conv with batch norm", conv, True, 32),
)

GPU_CASES = tuple(
    Case(
        f"gpu-seeds-{name}", f"{SEEDS} seeds together, q_agrel, dense, batch 128, {name}: time",
        "one seed", "images/s", partial(_on_gpu, name), most=2.5 if name == "tf32" else None,
    )
    for name in ("float32", "tf32")
)  # fmt: skip
