"""What `check_reward_env` expects of an environment, by the options that it says it has."""

from collections import Counter
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from credit_envs.order import Order
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


def check_pass(order: Order, images: NDArray[np.uint8], seen: Counter[int]) -> None:
    """Raise AssertionError unless these images, by their hashes, can be those of a pass."""
    once = Counter(hash(image.tobytes()) for image in images)
    if order == Order():
        assert seen == once, "A pass must show each image of the split once."
    often = all(count == order.stage_passes * once[key] for key, count in seen.items())
    assert often, "A pass must show each image that it keeps as often as its order says."
