"""The vector environment's trials as tensors that stay on their device."""

import warnings
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from credit_envs.ahead import Ahead
from credit_envs.splits import Data
from credit_envs.stream import Stream
from credit_envs.task import Task, out_of_range

PATIENCE = 1000  # trials after which a flag is read, as that makes the host wait,
LOOKS = 8  # and batches, for those may be as large
HOST = torch.device("cpu")
NEVER = torch.iinfo(torch.int64).max  # the first bad trial while none is


class TorchBatch:
    """A task's trials as tensors, B at a time; `arrays.NumpyBatch` is its twin."""

    def __init__(self, task: Task, size: int, device: str, stays: bool | None = None) -> None:
        there = find_device(device)
        self.resident = fits(task.images.nbytes, there) if stays is None else stays
        images, labels = resident(task.data, task.split, there if self.resident else HOST)
        self._images, self._labels = images, labels.to(there)
        self._device = self._labels.device
        self._ahead = None if self.resident else Ahead(images, self._device)
        self._task, self._size = task, size
        self._no_class = FirstBad(self._device, partial(out_of_range, actions=task.actions))
        self.place_order = self.place if self.resident else as_it_is

    def place(self, values: NDArray[Any]) -> Tensor:
        """Put values where the images are."""
        return torch.from_numpy(values).to(self._device, non_blocking=True)

    def show(self, stream: Stream) -> tuple[Tensor, Tensor]:
        """Return the open images' indices (B,), and fresh observations of them."""
        if self._ahead is not None:
            index, images = self._ahead.take(stream)
            return index, self._seen(images)
        index = stream.indices()
        return index, self.observe(index)

    def close(self) -> None:
        """End the thread that brings images, if there is one."""
        if self._ahead is not None:
            self._ahead.close()

    def observe(self, index: Tensor) -> Tensor:
        """Return fresh observations of the images at `index`."""
        return self._seen(self._images.index_select(0, index))  # ten times as fast as images[index]

    def _seen(self, images: Tensor) -> Tensor:
        if self._task.dtype == "float32":
            images = images.to(torch.float32).div_(255)
        return self._task.arrange(images)

    def labels(self, index: Tensor) -> Tensor:
        """Return the classes of the images at `index`, (B,)."""
        return self._labels.index_select(0, index)

    def checked(self, actions: Tensor, trial: int) -> Tensor:
        """Return the actions (B,), or raise; out of range: at once on the CPU, later on CUDA."""
        if not isinstance(actions, Tensor):
            raise TypeError(f"The actions must be a tensor, not {type(actions).__name__}.")
        if actions.is_floating_point() or actions.is_complex() or actions.dtype == torch.bool:
            raise TypeError(f"The actions must be integers, not {actions.dtype}.")
        if actions.device != self._device:
            raise ValueError(f"The actions are on {actions.device}, not on {self._device}.")
        if actions.shape != (self._size,):
            raise ValueError(f"The actions' shape is {tuple(actions.shape)}, not ({self._size},).")
        actions = actions.to(torch.int64)  # in a smaller type their number may overflow
        self._no_class.note(actions.clamp(0, self._task.actions - 1) != actions, trial)
        return actions

    def check_actions(self) -> None:
        """Raise for the first bad action that the device keeps to itself, if there is one."""
        self._no_class.read()

    def rewards(self, actions: Tensor, labels: Tensor) -> Tensor:
        """Return 1.0 where the guess is right, else 0.0, (B,)."""
        return (actions == labels).to(torch.float32)

    def real(self, values: Tensor) -> Tensor:
        """Return the values in the type of rewards."""
        return values.to(torch.float32)

    def stack(self, rows: list[Tensor]) -> Tensor:
        """Return rows (B,) as one tensor (n, B)."""
        return torch.stack(rows)

    def flags(self, value: bool) -> Tensor:
        """Return B times the same flag."""
        return torch.full((self._size,), value, device=self._device)


def not_finite(values: Tensor) -> Tensor:
    """Return where the values are infinite or no numbers: less themselves, only others are 0."""
    return values - values != 0  # two kernels; isfinite starts five


class FirstBad:
    """Remembers on the device the first trial in which something was wrong, and tells it in time.

    On the CPU `error(trial)` is raised at once. On a GPU reading the flag makes the host wait for
    the device, so it is read every `patience` trials, or after LOOKS batches if that is later.
    """

    def __init__(
        self, device: torch.device, error: Callable[[int], Exception], patience: int | None = None
    ) -> None:
        self._error = error
        self._patience = (0 if device.type == "cpu" else PATIENCE) if patience is None else patience
        self._first = torch.full((), NEVER, device=device)
        self._unread, self._looks = 0, 0

    def note(self, bad: Tensor, trial: int | Tensor) -> None:
        """Look at which of the trials from `trial` on are bad, (B,); raise if it is time to.

        A `trial` on the device is part of a graph: who replays that calls `passed` each time.
        """
        if not self._patience and not bad.any():
            return
        rows = torch.arange(len(bad), device=bad.device) + trial
        self._first.clamp_(max=torch.where(bad, rows, NEVER).min())
        if isinstance(trial, int):
            self.passed(len(bad))

    def passed(self, trials: int) -> None:
        """Count trials that were looked at; raise if it is time to."""
        self._unread += trials
        self._looks += 1
        if self._unread >= self._patience and (self._looks >= LOOKS or not self._patience):
            self.read()

    def mark(self, trial: int) -> None:
        """Take down a bad trial that was found elsewhere, for the next reading."""
        self._first.clamp_(max=trial)
        self._unread += 1

    def read(self) -> None:
        """Raise for the first bad trial since the last reading, if there is one."""
        if not self._unread:
            return
        self._unread, self._looks = 0, 0
        first = int(self._first)
        if first != NEVER:
            self._first.fill_(NEVER)
            raise self._error(first)


@cache
def resident(opened: Data, split: str, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return a split's images (n, H, W, C) and labels (n,) on the device: once per process."""
    data = opened.splits[split]
    with warnings.catch_warnings():
        # They are read-only, and torch would warn that writing is undefined: nobody writes.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        images, labels = torch.from_numpy(data.images), torch.from_numpy(data.labels)
    return images.to(device), labels.to(device)


def fits(size: int, device: torch.device) -> bool:
    """Do so many bytes take at most half of the memory that a GPU has free? Elsewhere they fit."""
    return device.type != "cuda" or 2 * size <= torch.cuda.mem_get_info(device)[0]


def as_it_is(values: NDArray[Any]) -> NDArray[Any]:
    """Leave values where they are."""
    return values


def find_device(name: str) -> torch.device:
    """Return the device "cpu", "cuda" or "cuda:<i>", or raise a sentence if there is none."""
    try:
        device = torch.device(name)
    except (RuntimeError, TypeError):
        device = torch.device("meta")
    if device.type not in ("cpu", "cuda"):
        raise ValueError(
            f'device={name!r} is none: choose "cpu", "cuda" or "cuda:<i>", or leave it out.'
        )
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        count = torch.cuda.device_count()
        raise ValueError(f"device={name!r} is not there: torch finds {count} CUDA devices.")
    return device
