"""Stepping alone: how near an environment's step is to the gather that it cannot do without."""

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode

from agents.speed.case import Case, Sample, Side, race, side
from agents.speed.images import Scale

OPTIONS: dict[str, dict[str, Any]] = {
    "matrix": {"rewards": {"matrix": "-1/+1"}},
    "abstain": {"rewards": {"abstain": 0.1}},
    "flip": {"rewards": {"flip": 0.1}},
    "noise": {"rewards": {"noise": 0.1}},
    "label_noise": {"rewards": {"label_noise": 0.1}},
    "reverse_at": {"rewards": {"reverse_at": 5000}},
    "reverse_every": {"rewards": {"reverse_every": 5000}},
    "delay": {"rewards": {"delay": 3}},
    "regret": {"rewards": {"regret": True}},
    "imbalance": {"order": {"imbalance": 10.0}},
    "classes_per_stage": {"order": {"classes_per_stage": 2}},
    "presentations": {"presentations": 2},
    "reveal_label": {"reveal_label": True},
}


def stepping(env_id: str, envs: int, **options: Any) -> Side:
    """The native vector environment, with the same actions at each step."""
    env = gym.make_vec(env_id, num_envs=envs, **options)
    env.reset(seed=0)
    device = options.get("device")
    actions = np.arange(envs) % 10
    given = actions if device is None else torch.from_numpy(actions).to(device)
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    return side(lambda: env.step(given), envs, wait)


def _gather(take: Callable[[Any], Any], order: Any, batch: int) -> Side:
    """The bare gather of a pass's images in batches, again and again."""
    at = 0

    def step() -> None:
        nonlocal at
        take(order[at : at + batch])
        at = (at + batch) % (len(order) - batch)

    return side(step, batch)


def _against_take(scale: Scale) -> Sample:
    images, order = _images(scale)
    theirs = _gather(lambda rows: images.take(rows, axis=0), order, scale.size(1024))
    return race(stepping(scale.gray, scale.size(1024)), theirs, scale)


def _against_index_select(scale: Scale) -> Sample:
    images = torch.from_numpy(_images(scale)[0].copy())
    order = torch.randperm(len(images))
    theirs = _gather(lambda rows: images.index_select(0, rows), order, scale.size(4096))
    return race(stepping(scale.gray, scale.size(4096), device="cpu"), theirs, scale)


def _images(scale: Scale) -> tuple[np.ndarray, np.ndarray]:
    """The images, and an order."""
    env: Any = gym.make(scale.gray).unwrapped
    images = env.task.images
    return images, np.random.default_rng(0).permutation(len(images))


def _against_memcpy(scale: Scale) -> Sample:
    images, _ = _images(scale)
    source, target = np.ones((2, scale.size(2**28)), np.uint8)
    native = stepping(scale.gray, scale.size(1024))
    ours = native._replace(items=native.items * images[0].size / 1e9)
    theirs = side(lambda: np.copyto(target, source), scale.size(2**28) / 1e9)
    return race(ours, theirs, scale)


def _against_sync(mode: AutoresetMode, scale: Scale) -> Sample:
    few = scale.size(64)
    env = gym.make_vec(
        scale.gray, num_envs=few, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}
    )
    env.reset(seed=0)
    actions = np.arange(few) % 10
    idle = mode == AutoresetMode.NEXT_STEP  # every second step only resets, and decides nothing
    theirs = side(lambda: env.step(actions), few / 2 if idle else few)
    return race(stepping(scale.gray, scale.size(1024)), theirs, scale)


def _option(options: dict[str, Any], scale: Scale) -> Sample:
    plain = stepping(scale.gray, scale.size(1024))
    return race(stepping(scale.gray, scale.size(1024), **options), plain, scale)


NATIVE = "native vector environment, 1024 x 28x28"

CASES = (
    Case("numpy", NATIVE, "X.take of as many images", "images/s", _against_take, 0.75),
    Case("memcpy", NATIVE, "memcpy of 256 MiB", "GB/s", _against_memcpy),
    *(
        Case(
            f"sync-{mode.name.lower()}", NATIVE, f"SyncVectorEnv(64), {mode.name}", "images/s",
            partial(_against_sync, mode), 80,
        )
        for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP)
    ),
    Case(
        "torch", "torch vector environment, cpu, 4096", "index_select of as many images",
        "images/s", _against_index_select, 0.80,
    ),
)  # fmt: skip

OPTION_CASES = tuple(
    Case(
        f"option-{name}", f"the same with {name}", "without", "images/s",
        partial(_option, options), 0.70,
    )
    for name, options in OPTIONS.items()
)  # fmt: skip
