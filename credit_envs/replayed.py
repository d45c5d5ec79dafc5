"""A vector environment's trials for who replays them: what the device does, apart from the host.

A graph of operations reads and writes the same memory each time it is replayed. So the indices of
the open images are copied to one place, and all else is looked up from there.
"""

from typing import Any

import torch
from torch import Tensor

from credit_envs.rewards import Rewards
from credit_envs.stream import ALONE
from credit_envs.vector import RewardVectorEnv


class Replayed:
    """The open batch of an environment that was reset; the environment goes on by `turn` alone."""

    def __init__(self, env: Any) -> None:
        self._env = checked(env)
        self._index = torch.empty_like(self._env._index)  # (B,)

    @property
    def device(self) -> torch.device:
        """Where the images are."""
        return self._index.device

    def turn(self) -> None:
        """The host's part: open these trials for `images` and `answer`, and leave them behind."""
        self._index.copy_(self._env._index)
        for _ in range(self._env.presentations):
            self._env._stream.advance()
        self._env._index = self._env._stream.indices()

    def images(self) -> Tensor:
        """Observations of the open images."""
        return self._env._batch.observe(self._index)

    def answer(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """Rewards of guesses within range, and labels, (B,)."""
        labels = self._env._batch.labels(self._index)
        return self._env._batch.rewards(actions, labels), labels


def checked(env: Any) -> RewardVectorEnv:
    """Return the environment, or raise a ValueError if its trials cannot be replayed."""
    if not isinstance(env, RewardVectorEnv) or env.device is None:
        raise ValueError(
            "Only trials that stay on a device, and in no wrapper, can be replayed: use "
            'gym.make_vec(id, num_envs=B, device="cuda") as it is.'
        )
    if env.rewards != Rewards():
        raise ValueError(
            f"{env.rewards} need the host in each trial: replay trials without reward options, or "
            "step through these."
        )
    if env.part != ALONE:
        raise ValueError(f"A graph has whole batches, not part={env.part}: step through these.")
    if not env._batch.resident:
        raise ValueError("A graph finds images on the device alone: make it with resident=True.")
    if env._index is None:
        env.reset()
    return env
