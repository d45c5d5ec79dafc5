"""What `check_reward_env` expects to be paid, by the options that an environment says it has."""

from typing import Any

import gymnasium as gym
import numpy as np

from credit_envs.rewards import Rewards

FAR = 8  # standard deviations that no noise in a test is away


class Payments:
    """The rewards that a guess may bring."""

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        rewards: Rewards = getattr(env, "rewards", Rewards())
        self._table = rewards.table(env.task.classes)  # pyright: ignore[reportAttributeAccessIssue]
        self._flipped = rewards.flipped(self._table)
        self._flip, self._noise = rewards.flip, rewards.noise
        self.actions = self._table.shape[1]

    def guess(self, label: int, right: bool) -> int:
        """Return the best action for an image of the class, or the one after it."""
        return int((self._table[label].argmax() + (not right)) % self.actions)

    def check(self, label: int, action: int, reward: float) -> None:
        """Raise AssertionError unless the guess may have been paid this."""
        possible = [self._table[label, action]] if self._flip < 1 else []
        possible += [self._flipped[label, action]] if self._flip > 0 else []
        off = min(abs(value - reward) for value in possible)
        assert off <= FAR * self._noise + 1e-6 * np.abs(self._table).max(), (
            f"A {'right' if action == self.guess(label, True) else 'wrong'} guess was paid {reward}"
            f" and not {' or '.join(map(str, possible))}."
        )
