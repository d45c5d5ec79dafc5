"""Stable-Baselines3's view of the native vector environment: `VecEnv` over `VectorEnv`."""

import time
from collections.abc import Sequence
from typing import Any, cast

import gymnasium as gym
import numpy as np
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import VectorEnv
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv
from stable_baselines3.common.vec_env.base_vec_env import VecEnvIndices

from credit_envs.vector import RewardVectorEnv

Infos = list[dict[str, Any]]


class RewardVecEnv(VecEnv):
    """`gym.make_vec(id, num_envs=B)` as PPO, A2C and DQN want it: B images, B rewards a step.

    Observations are channels-first uint8 (B, C, H, W), rewards float32 (B,), and every step ends
    all B episodes by termination, never by truncation: a truncated one would be credited with the
    value of an image that has nothing to do with it. All arrays are new at each call.

    What the environment knows beside that stays there. `infos` is one empty dict, B times, but for
    the first `stats_window_size` lanes, which tell reward and length of their episode: SB3's
    running mean looks at no more. Wrap it in SB3's `VecMonitor` where every episode must tell.

    The B lanes are one environment with one seed: `seed(s)` makes the next `reset()` show what
    `VectorEnv.reset(seed=s)` shows. Raises ValueError, TypeError for what SB3 cannot learn from.
    """

    def __init__(self, env: VectorEnv, stats_window_size: int = 100) -> None:
        native = _checked(env)
        self.env, self.stats_window_size = env, stats_window_size
        shape = cast(Box, native.single_observation_space).shape
        self._axes = (0, 1, 2, 3) if native.task.layout == "CHW" else (0, 3, 1, 2)
        seen = tuple(shape[axis - 1] for axis in self._axes[1:])
        self._actions: Any = None
        self._began = time.time()
        actions = int(cast(Discrete, native.single_action_space).n)
        super().__init__(env.num_envs, Box(0, 255, seen, np.uint8), Discrete(actions))

    def reset(self) -> NDArray[np.uint8]:
        """Show the open images again, or those of the seed or the options that were set before."""
        images, _ = self.env.reset(seed=self._seeds[0], options=self._options[0] or None)
        self._reset_seeds()
        self._reset_options()
        return images.transpose(self._axes)

    def step_async(self, actions: np.ndarray) -> None:
        """Take the guesses (B,)."""
        self._actions = actions

    def step_wait(self) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.bool_], Infos]:
        """Judge them: the next images, the rewards, who is done (all), infos."""
        images, rewards, terminated, _, _ = self.env.step(self._actions)
        rewards = rewards.astype(np.float32)
        return images.transpose(self._axes), rewards, terminated, self._infos(rewards)

    def _infos(self, rewards: NDArray[np.float32]) -> Infos:
        told = rewards[: self.stats_window_size].tolist()
        now = round(time.time() - self._began, 6)
        episodes = {reward: {"episode": {"r": reward, "l": 1, "t": now}} for reward in set(told)}
        infos: Infos = [{}] * self.num_envs
        infos[: len(told)] = [episodes[reward] for reward in told]
        return infos

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_images(self) -> Sequence[np.ndarray]:
        """RGB frames of the open images, if the environment was made to render."""
        return cast(Sequence[np.ndarray], self.env.render())

    def get_attr(self, attr_name: str, indices: VecEnvIndices = None) -> list[Any]:
        """The environment's attribute, once for each lane that is asked for."""
        return [getattr(self.env, attr_name)] * self._lanes(indices)

    def set_attr(self, attr_name: str, value: Any, indices: VecEnvIndices = None) -> None:
        """Set the environment's attribute, for all lanes alike."""
        self._require_all(f"attribute {attr_name!r}", indices)
        setattr(self.env.unwrapped, attr_name, value)

    def env_method(
        self, method_name: str, *method_args: Any, indices: VecEnvIndices = None,
        **method_kwargs: Any,
    ) -> list[Any]:  # fmt: skip
        """Call the environment's method once, for all lanes; each is given what it returned."""
        self._require_all(f"method {method_name!r}", indices)
        return [getattr(self.env, method_name)(*method_args, **method_kwargs)] * self.num_envs

    def env_is_wrapped(
        self, wrapper_class: type[gym.Wrapper], indices: VecEnvIndices = None
    ) -> list[bool]:
        """No lane is: wrappers of single environments have no place here."""
        return [False] * self._lanes(indices)

    def _lanes(self, indices: VecEnvIndices) -> int:
        return len(list(self._get_indices(indices)))

    def _require_all(self, what: str, indices: VecEnvIndices) -> None:
        if sorted(self._get_indices(indices)) != list(range(self.num_envs)):
            raise ValueError(
                f"the {self.num_envs} lanes are one environment: its {what} is theirs together, "
                f"so leave indices={indices!r} out"
            )


def _checked(env: Any) -> RewardVectorEnv:
    """The native environment inside, if SB3 can learn from it. Raises ValueError, TypeError."""
    native = getattr(env, "unwrapped", None)
    if not isinstance(env, VectorEnv) or not isinstance(native, RewardVectorEnv):
        raise TypeError(
            f"RewardVecEnv takes a native vector environment, not {env!r}: make it with "
            "gym.make_vec(id, num_envs=B)"
        )
    if native.reveal_label:
        raise ValueError("SB3's agents learn from rewards alone: make it without reveal_label")
    if native.rewards.delay:
        raise ValueError(
            f"SB3 credits a reward to the step that returns it, but these come "
            f"{native.rewards.delay} trials late: make the environment without a delay"
        )
    if native.device is not None:
        raise ValueError(
            f"SB3 takes NumPy arrays, but this environment's are tensors on {native.device!r}: "
            "make it without device, and give the algorithm its own device"
        )
    if native.task.dtype != "uint8" or native.task.layout == "flat":
        raise ValueError(
            f"SB3 scales uint8 images of three dimensions and nothing else, not dtype="
            f"{native.task.dtype!r} with layout={native.task.layout!r}: leave both out"
        )
    return native
