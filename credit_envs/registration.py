"""Ids of environments: the suite's own, and those of the user."""

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from credit_envs.dataset import Dataset
from credit_envs.datasets import DATASETS, describe
from credit_envs.order import Order
from credit_envs.own import Own
from credit_envs.rewards import Rewards, given


def register(
    id: str,
    dataset: str | Own | Mapping[str, Any] | None = None,
    *,
    rewards: Rewards | Mapping[str, Any] | None = None,
    order: Order | Mapping[str, Any] | None = None,
) -> None:
    """Give images, and the way they are paid and shown, an id by which all of the suite knows them.

    All is as in `RewardEnv`; None for what whoever makes it may say. Images are opened only when an
    environment is made. Where other processes are to know the id, call this in a module, and name
    it "module:id".

    Raises TypeError, ValueError for options that are none.
    """
    if dataset is not None and not isinstance(dataset, str):
        dataset = given(Own, dataset, "dataset").plain()
    given(Rewards, rewards, "rewards")
    given(Order, order, "order")
    said = {"dataset": dataset, "rewards": rewards, "order": order}
    gym.register(
        id=id,
        entry_point="credit_envs.env:RewardEnv",
        vector_entry_point="credit_envs.vector:RewardVectorEnv",
        kwargs={name: value for name, value in said.items() if value is not None},
    )


def find_spec(env: Any) -> EnvSpec:
    """The spec of an environment, of an id, or of "module:id", whose module is imported first.

    The module may lie in the current folder. Raises ValueError if there is no such environment, or
    it is none of images.
    """
    inner = getattr(env, "unwrapped", None)
    spec = _registered(env) if isinstance(env, str) else getattr(inner, "spec", None)
    if spec is None:
        raise ValueError(
            f"{env} has no spec: make it with gym.make or gym.make_vec, or give an id."
        )
    if "dataset" not in spec.kwargs:
        raise _unknown(spec.id)
    return spec


def row_of(env: Any) -> Dataset:
    """The row of an environment's images, without a download. Raises ValueError, OSError."""
    return describe(find_spec(env).kwargs["dataset"])


def _registered(env: str) -> EnvSpec:
    module, colon, name = env.rpartition(":")
    if colon:
        _import(module, env)
    try:
        return gym.spec(name)
    except gym.error.Error as fault:
        raise _unknown(env) from fault


def _unknown(env: str) -> ValueError:
    ids = ", ".join(f"{name}Reward-v0" for name in DATASETS)
    return ValueError(
        f"unknown environment {env!r}: choose one of {ids}, or register an id for images of your "
        'own in a module, and give it as "module:id"'
    )


def _import(module: str, env: str) -> None:
    path = sys.path.copy()
    sys.path.insert(0, str(Path.cwd()))
    try:
        import_module(module)
    except ImportError as fault:
        raise ValueError(f"{env!r} names a module that cannot be imported ({fault})") from fault
    finally:
        sys.path[:] = path  # processes that are started from here inherit it
