"""The single environment: one image, one guess, one reward."""

from collections.abc import Mapping
from operator import index as as_index
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

from credit_envs.frame import frame, said_of
from credit_envs.judge import NEVER_LATE, make_single_judge
from credit_envs.order import Order
from credit_envs.own import Own
from credit_envs.rewards import Rewards, check_flag, given
from credit_envs.stream import Stream, checked_presentations, checked_seed, requested_position
from credit_envs.task import (
    RENDER_FPS,
    Layout,
    PixelType,
    RenderMode,
    Task,
    check_render_mode,
    out_of_range,
)


class RewardEnv(gym.Env[NDArray[Any], Any]):
    """See an image, choose a class, get a reward: classification without being told the answer.

    ## Description
    Every episode is one trial. Images come in seeded shuffled passes without replacement, and an
    image leaves the stream only by a guess: `reset` before `step` shows the open image again, and
    an action that is refused leaves it open.

    ## Observation Space
    `Box(0, 255, (H, W, C), uint8)`; `layout` and `dtype` give other forms of the same pixels.

    ## Action Space
    `Discrete(K)`, the classes. Python and NumPy integers; anything else is refused. `rewards`
    can make them other than K.

    ## Rewards
    1.0 for the image's class, 0.0 for any other; `rewards` makes it richer.

    ## Episode End
    Every step terminates and never truncates; the terminal observation is a copy of the image just
    classified. A second guess would leak the label, so it raises `ResetNeeded`.

    ## Arguments
    - `dataset`: a name in `credit_envs.datasets.DATASETS`, which each id but `ImageReward-v0`
      brings; or images of your own: `credit_envs.own.Own`, a dict of its options, or what
      `credit_envs.from_arrays` returns.
    - `split`: "train", "validation", "train+validation" or "test".
    - `reveal_label`: step's info has "label", the class of the image just classified, else nothing.
      It is the class that is paid: a label that `rewards` changed is revealed as changed.
    - `layout`: "HWC", "CHW", or "flat" (the HWC image ravelled).
    - `dtype`: "uint8", or "float32" (pixels / 255, in 0..1).
    - `presentations`: how often each image is shown in a row, an episode and a reward each time
      (for rules that compare two rewards). They are one trial; trials are counted as they end.
    - `rewards`: `credit_envs.rewards.Rewards`, or a dict of its options: the matrix of rewards,
      an action to abstain, flips, noise, wrong labels, reversals, regret, delay. With `delay=k` a
      step is paid for the trial k before it, which info["trial"] names; until there is one, 0.0
      for trial -1: nothing to learn from. All that info says is about that trial. `flush()` gives
      the last k; a seed or a position drops them.
    - `order`: `credit_envs.order.Order`, or a dict of its options: imbalanced classes, classes in
      stages.
    - `render_mode`: None or "rgb_array": the image enlarged, and below it, once there was a
      guess, the action and the reward. Never the label.

    `reset(seed=s)` starts a stream anew; `reset(options={"position": n})` moves it to trial n.

    ## References
    Pozzi, Bohte & Roelfsema 2020, "Attention-Gated Brain Propagation" (direct-reward trials).

    ## Version History
    - v0: first version.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": RENDER_FPS}

    def __init__(
        self,
        dataset: str | Own | Mapping[str, Any] | None = None,
        split: str = "train",
        reveal_label: bool = False,
        layout: Layout = "HWC",
        dtype: PixelType = "uint8",
        presentations: int = 1,
        rewards: Rewards | Mapping[str, Any] | None = None,
        order: Order | Mapping[str, Any] | None = None,
        render_mode: RenderMode | None = None,
    ) -> None:
        check_render_mode(render_mode)
        self.render_mode = render_mode
        check_flag("reveal_label", reveal_label)
        self.reveal_label = reveal_label
        self.presentations = checked_presentations(presentations)
        self.rewards = given(Rewards, rewards, "rewards")
        self.order = given(Order, order, "order")
        self.task = Task(dataset, split, layout, dtype, self.rewards, self.order)
        self.observation_space = self.task.observation_space
        self.action_space = self.task.action_space
        self._stream = Stream(
            self.task.pass_length, 1, np.asarray, self.presentations, self.task.shuffle
        )
        self._judge = make_single_judge(self.task, self._stream, reveal_label)
        self._open = False
        self._shown: int | None = None
        self._outcome: tuple[int, float, dict[str, Any]] | None = None  # of the open image

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called; none for those that nobody named."""
        return self.task.class_names

    @property
    def position(self) -> int:
        """Trials before the open image, or before the next one between episodes."""
        return self._stream.position

    def labels_at(self, trial: int) -> NDArray[np.int64]:
        """Return the label that images of each class have at a trial, (K,): reversals move it."""
        return np.arange(self.task.classes) if self._judge is None else self._judge.labels_at(trial)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Show the next image; before a guess, the open one again."""
        position = requested_position(options)
        super().reset(seed=checked_seed(seed))
        self._stream.reset(self.np_random, seed is not None, position)
        self._shown = int(self._stream.indices()[0])
        self._open, self._outcome = True, None
        return self.task.observe(self._shown), {}

    def step(self, action: int) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        """Judge the guess: the image just classified, its reward, and the end of the episode."""
        if self._shown is None or not self._open:
            raise ResetNeeded("One guess per image: call reset() before the next step().")
        action = self._checked(action)
        self._open = False
        if self._judge is None:
            label = int(self.task.labels[self._shown])
            reward, info = float(action == label), {"label": label} if self.reveal_label else {}
        else:
            reward, info = self._judge.settle(self._shown, action)
        self._outcome = action, reward, info
        self._stream.advance()
        return self.task.observe(self._shown), reward, True, False, info

    def flush(self) -> tuple[NDArray[np.float64], dict[str, Any]]:
        """Return the rewards (n,) that a delay still holds back, oldest first, and their info."""
        if self._judge is None:
            raise ValueError(NEVER_LATE)
        return self._judge.flush()

    def render(self) -> NDArray[np.uint8] | None:
        """Return the image shown last as an RGB frame, below it the guess and what was paid.

        None without a render mode.
        """
        if self.render_mode is None:
            return None
        if self._shown is None:
            raise ResetNeeded("Nothing to render: call reset() first.")
        said = said_of(self.task, *self._outcome) if self._outcome else ""
        return frame(self.task.images[self._shown], said)

    def _checked(self, action: int) -> int:
        """Return the action as an int, or raise; 0-d arrays pass: SB3's predict makes them."""
        try:
            if isinstance(action, bool):
                raise TypeError
            action = as_index(action)
        except TypeError:
            name = type(action).__name__
            raise TypeError(f"The action must be an integer, not {action!r} of {name}.") from None
        if not 0 <= action < self.task.actions:
            raise out_of_range(self.position, self.task.actions)
        return action
