"""Which actions are right, by what an environment pays, and how often one that never looks is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_envs.registration import find_spec, row_of
from credit_envs.rewards import Rewards, given
from credit_envs.task import Task


def right_actions(env: Any, task: Task) -> NDArray[np.bool_]:
    """[class, action]: is no other action paid more for images of that class, noise apart?

    `task` has what `env` pays. Where labels are reversed, as at the environment's last trial. An id
    has had none: ValueError.
    """
    right = _best_paid(task.payments)
    if not task.rewards.reverses:
        return right
    inner: Any = None if isinstance(env, str) else env.unwrapped
    if not hasattr(inner, "labels_at"):
        raise ValueError(
            f"which class {env} has an image in depends on its trial, as its labels are reversed: "
            "give the environment that the agent has learned in, as gym.make or "
            "gym.make_vec(id, num_envs=B) made it"
        )
    return right[inner.labels_at(max(inner.position - 1, 0))]


def chance(env: Any) -> float:
    """Accuracy 0..1 of the best action that never looks, where all classes are as frequent."""
    row, rewards = row_of(env), given(Rewards, find_spec(env).kwargs.get("rewards"), "rewards")
    return float(_best_paid(rewards.tables(row.name, row.classes)).mean(0).max())


def _best_paid(payments: NDArray[np.float64]) -> NDArray[np.bool_]:
    paid = payments[0]  # by no flip
    return paid == paid.max(1, keepdims=True)
