"""What `check_reward_env` expects of an environment, by the options it is made with."""

import copy
from collections import Counter
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from credit_envs.dataset import Dataset
from credit_envs.datasets import open_data
from credit_envs.order import Composition, Order
from credit_envs.registration import find_spec
from credit_envs.rewards import Rewards, given

LEAST = 7  # trials of a pass: a batch in the vector form
FAR = 8  # standard deviations that no noise in a test is away


class Payments:
    """The rewards that a guess may bring."""

    def __init__(self, rewards: Rewards, row: Dataset) -> None:
        self._table, self._flipped = rewards.tables(row.name, row.classes)
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


def told(rewards: Rewards) -> set[str]:
    """Return the keys of step's info without revealed labels."""
    late, regret = {"trial"}, {"optimal", "regret"}
    return (late if rewards.delay else set()) | (regret if rewards.regret else set())


def flushed(
    env: Any, paid: list[float], trials: list[int], steps: int
) -> tuple[list[float], list[int]]:
    """Return the rewards and their trials without the first `steps`, and with what is still late.

    Raise AssertionError if anything was paid in those.
    """
    assert set(trials[:steps]) == {-1}, "Until a reward is due, info['trial'] must be -1."
    assert set(paid[:steps]) == {0.0}, "Until a reward is due, it must be 0.0."
    rewards, info = env.flush()
    return paid[steps:] + rewards.tolist(), trials[steps:] + info["trial"].tolist()


def check_pass(order: Order, images: NDArray[np.uint8], seen: Counter[int]) -> None:
    """Raise AssertionError unless these images, by their hashes, can be those of a pass."""
    once = Counter(hash(image.tobytes()) for image in images)
    if order == Order():
        assert seen == once, "A pass must show each image of the split once."
    often = all(count == order.stage_passes * once[key] for key, count in seen.items())
    assert often, "A pass must show each image that it keeps as often as its order says."


class Maker:
    """Makes an environment anew in each form, and knows the data set behind it."""

    def __init__(self, env_or_id: str | gym.Env[Any, Any]) -> None:
        if isinstance(env_or_id, gym.vector.VectorEnv):
            raise TypeError(
                f"give an id, or what gym.make made: vector forms are checked, too; got {env_or_id}"
            )
        spec = copy.deepcopy(find_spec(env_or_id))
        spec.kwargs.pop("reveal_label", None)  # the checks ask for it where they need it
        self._spec, self._layout = spec, spec.kwargs.get("layout", "HWC")
        opened, split = open_data(spec.kwargs["dataset"]), spec.kwargs.get("split", "train")
        row = opened.row
        self._shape, self.data = row.shape, opened.splits[split]
        self.presentations = spec.kwargs.get("presentations", 1)
        self.rewards = given(Rewards, spec.kwargs.get("rewards"), "rewards")
        self.order = given(Order, spec.kwargs.get("order"), "order")
        self.payments, self.told = Payments(self.rewards, row), told(self.rewards)
        passes = Composition(self.order, self.data.labels, row.classes)
        self.pass_length = passes.size
        if passes.size < LEAST:
            raise ValueError(
                f"A pass has {passes.size} trials, the check needs {LEAST}: check another split."
            )

    def single(self, **keywords: Any) -> Any:
        """Return a new environment in the single form."""
        return gym.make(self._spec, disable_env_checker=True, **keywords).unwrapped

    def teacher(self) -> Any:
        """Return a twin that reveals each trial's label at once."""
        late = {"rewards": replace(self.rewards, delay=0)} if self.rewards.delay else {}
        return self.single(reveal_label=True, **late)

    def vector(self, num_envs: int, device: str | None, reveal_label: bool = False) -> Any:
        """Return a new environment in the vector form."""
        return gym.make_vec(self._spec, num_envs, reveal_label=reveal_label, device=device)

    def keys(self, observations: Any, count: int) -> list[int]:
        """Return a key per image, from its pixels as the data set has them."""
        images = np.asarray(observations).reshape(count, -1)
        if images.dtype == np.float32:
            images = np.rint(images * 255).astype(np.uint8)
        if self._layout == "CHW":
            images = images.reshape(count, self._shape[2], -1).swapaxes(1, 2)
        return [hash(image.tobytes()) for image in images]
