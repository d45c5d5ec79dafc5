"""The native vector environment: B images, B guesses and B rewards per step."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.spaces import Space
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from credit_envs.batching import check_autoreset_mode, checked_num_envs, checked_part, make_batch
from credit_envs.frame import frame
from credit_envs.judge import NEVER_LATE, make_judge
from credit_envs.order import Order
from credit_envs.own import Own
from credit_envs.rewards import Rewards, check_flag, given
from credit_envs.stream import (
    ALONE,
    Stream,
    checked_presentations,
    checked_seed,
    requested_position,
)
from credit_envs.task import RENDER_FPS, Layout, PixelType, RenderMode, Task, check_render_mode


class RewardVectorEnv(VectorEnv[Any, Any, Any]):
    """`RewardEnv` in batches: one gather and one comparison per step, on the CPU or a GPU.

    ## Description
    Step t shows the trials tB..tB+B-1 of the single environment with the same seed; a batch may
    straddle two passes. Autoreset is SAME_STEP: each step judges the open images and shows the
    next, with no copies of the final ones. Everything returned is new at each call.

    ## Observation Space
    The single environment's, B of them. `layout="CHW"` is a view of channels-last memory.

    ## Action Space
    B actions: a NumPy integer array, a list or a tuple of ints, or with `device` an integer tensor
    on it. A batch with an action out of range is refused and stays open; on CUDA the error
    comes up to 1000 trials later, or at `check_actions()`, since reading it makes the host wait.

    ## Rewards
    1.0 for the image's class, 0.0 for any other, or what `rewards` says: float64, float32 as a
    tensor. A `delay` counts steps, as each of the B has its own trials.

    ## Episode End
    Every step terminates every trial.

    ## Arguments
    Those of `RewardEnv`, and
    - `num_envs`: B, at most the trials of a pass.
    - `part`: (r, W) makes the B the r-th of W equal parts of a batch of W B trials, whose other
      parts other processes show. All of them reset with the same seed.
    - `device`: None for NumPy arrays; "cpu", "cuda" or "cuda:<i>" for tensors that stay there.
    - `resident`: whether all images are held on the device. Else they stay in the host's memory,
      and a thread brings them some batches ahead; `close()` ends it. None: on a GPU if they take
      at most half of what it has free.
    - `autoreset_mode`: only SAME_STEP.

    ## References
    As `RewardEnv`.

    ## Version History
    - v0: first version.
    """

    def __init__(
        self,
        dataset: str | Own | Mapping[str, Any] | None = None,
        num_envs: int = 1,
        split: str = "train",
        reveal_label: bool = False,
        layout: Layout = "HWC",
        dtype: PixelType = "uint8",
        presentations: int = 1,
        rewards: Rewards | Mapping[str, Any] | None = None,
        order: Order | Mapping[str, Any] | None = None,
        device: str | None = None,
        resident: bool | None = None,
        part: Sequence[int] = ALONE,
        render_mode: RenderMode | None = None,
        autoreset_mode: AutoresetMode = AutoresetMode.SAME_STEP,
    ) -> None:
        check_render_mode(render_mode)
        check_autoreset_mode(autoreset_mode)
        self.metadata = {
            "render_modes": ["rgb_array"],
            "render_fps": RENDER_FPS,
            "autoreset_mode": autoreset_mode,
        }
        self.render_mode = render_mode
        self.device = device
        check_flag("reveal_label", reveal_label)
        self.reveal_label = reveal_label
        self.presentations = checked_presentations(presentations)
        self.rewards = given(Rewards, rewards, "rewards")
        self.order = given(Order, order, "order")
        self.task = Task(dataset, split, layout, dtype, self.rewards, self.order)
        self.part = checked_part(part)
        self.num_envs = checked_num_envs(num_envs, self.task.pass_length, self.part[1])
        self.single_observation_space = self.task.observation_space
        self.single_action_space = self.task.action_space
        self._batch = make_batch(self.task, num_envs, device, resident)
        self._stream = self.new_stream()
        self._judge = make_judge(self.task, self._stream, self._batch, reveal_label)
        self._index: Any = None  # of the open images, (B,)

    def new_stream(self) -> Stream:
        """Return another stream of such batches, not begun yet."""
        return Stream(
            self.task.pass_length,
            self.num_envs,
            self._batch.place_order,
            self.presentations,
            self.task.shuffle,
            self.part,
        )

    @cached_property
    def observation_space(self) -> Space[Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """B observations; made when asked for, since Gymnasium's batched bounds are large."""
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> Space[Any]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """B actions."""
        return batch_space(self.single_action_space, self.num_envs)

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called; none for those that nobody named."""
        return self.task.class_names

    @property
    def position(self) -> int:
        """Trials before the open batch, with all its parts."""
        return self._stream.position

    def labels_at(self, trial: int) -> NDArray[np.int64]:
        """Return the label that images of each class have at a trial, (K,): reversals move it."""
        return np.arange(self.task.classes) if self._judge is None else self._judge.labels_at(trial)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Show the open images again, or with a seed or a position those of another batch."""
        position = requested_position(options)
        if seed is None and self._index is None and self.part != ALONE:
            raise ValueError("The parts of a batch are of one stream: reset(seed=...) them alike.")
        super().reset(seed=checked_seed(seed))
        self._stream.reset(self.np_random, seed is not None, position)
        return self._show(), {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Judge one guess per open image, then show the next images."""
        if self._index is None:
            raise ResetNeeded("Call reset() before the first step().")
        actions = self._batch.checked(actions, self._stream.first)
        if self._judge is None:
            labels = self._batch.labels(self._index)
            rewards = self._batch.rewards(actions, labels)
            info = {"label": labels} if self.reveal_label else {}
        else:
            rewards, info = self._judge.settle(self._index, actions)
        self._stream.advance()
        terminated, truncated = self._batch.flags(True), self._batch.flags(False)
        return self._show(), rewards, terminated, truncated, info

    def check_actions(self) -> None:
        """Raise the ValueError of a bad action that a CUDA device still keeps to itself."""
        self._batch.check_actions()

    def flush(self) -> tuple[Any, dict[str, Any]]:
        """Return the rewards (n, B) that a delay still holds back, oldest first, and their info."""
        if self._judge is None:
            raise ValueError(NEVER_LATE)
        return self._judge.flush()

    def render(self) -> tuple[NDArray[np.uint8], ...] | None:
        """Return the open images as RGB frames, or None without a render mode."""
        if self.render_mode is None:
            return None
        if self._index is None:
            raise ResetNeeded("Nothing to render: call reset() first.")
        return tuple(frame(self.task.images[int(index)]) for index in self._index)

    def close_extras(self, **kwargs: Any) -> None:
        """End what brings images from the host's memory."""
        self._batch.close()

    def _show(self) -> Any:
        self._index, images = self._batch.show(self._stream)
        return images
