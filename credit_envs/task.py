"""What the single and the vector environment share: the images of a split, and how they look."""

from typing import Any, Literal, get_args

import numpy as np
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

from credit_envs.datasets import open_data
from credit_envs.order import Composition, Order
from credit_envs.rewards import Rewards
from credit_envs.splits import check_split

Layout = Literal["HWC", "CHW", "flat"]
PixelType = Literal["uint8", "float32"]
RenderMode = Literal["rgb_array"]

RENDER_FPS = 4


class Task:
    """The images and labels of one split, laid out as the user asked."""

    images: NDArray[np.uint8]
    """Shape (n, H, W, C), read-only, shared by all environments of the process."""
    labels: NDArray[np.int64]
    """Shape (n,), read-only."""
    observation_space: Box
    """What one image looks like to an agent."""
    action_space: Discrete
    """The classes, or what else the rewards have columns for."""
    payments: NDArray[np.float64]
    """What is paid [class, action] without and with a flip, (2, K, A)."""
    pass_length: int
    """Trials of a pass: as many as images, if the order is plain."""

    def __init__(
        self,
        dataset: object,
        split: str,
        layout: Layout,
        dtype: PixelType,
        rewards: Rewards,
        order: Order,
    ) -> None:
        check_choice("layout", layout, get_args(Layout))
        check_choice("dtype", dtype, get_args(PixelType))
        check_split(split)
        self.data = open_data(dataset)
        self.split, self.layout, self.dtype = split, layout, dtype
        self.images, self.labels = self.data.splits[split]
        row = self.data.row
        self.dataset, self.class_names = row.name, row.class_names
        shape = self.arrange(np.empty(row.shape)).shape
        high = 255 if dtype == "uint8" else 1
        self.observation_space = Box(0, high, shape, np.dtype(dtype).type)
        self.classes = row.classes
        self.rewards = rewards
        self.payments = rewards.tables(row.name, row.classes)
        self.actions = self.payments.shape[2]
        self.action_space = Discrete(self.actions)
        self.pass_length, self.shuffle = len(self.images), None
        if order != Order():
            passes = Composition(order, self.labels, self.classes)
            self.pass_length, self.shuffle = passes.size, passes.shuffle

    def observe(self, index: int | np.integer | NDArray[np.int64]) -> NDArray[Any]:
        """Return fresh observations of the images at `index`: one, or a batch for a batch."""
        images = self.images.take(index, axis=0)
        if self.dtype == "float32":
            images = np.divide(images, 255, dtype=np.float32)
        return self.arrange(images)

    def arrange(self, images: Any) -> Any:
        """Lay out (..., H, W, C) images, arrays or tensors, without a copy."""
        if self.layout == "flat":
            return images.reshape(*images.shape[:-3], -1)
        if self.layout == "CHW":
            return images.swapaxes(-1, -3).swapaxes(-1, -2)
        return images


def check_choice(keyword: str, value: object, choices: tuple[str, ...]) -> None:
    """Raise a sentence if `value` is none of the choices."""
    if value not in choices:
        raise ValueError(f"{keyword}={value!r} is none of {', '.join(map(repr, choices))}.")


def check_render_mode(render_mode: str | None) -> None:
    """Raise a sentence if there is no such way to render."""
    if render_mode is not None:
        check_choice("render_mode", render_mode, get_args(RenderMode))


def out_of_range(trial: int, actions: int) -> ValueError:
    """Return the error for an action that there is not, the same in every form."""
    return ValueError(f"The action of trial {trial} is outside 0..{actions - 1}.")
