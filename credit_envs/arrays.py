"""The vector environment's trials as NumPy arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_envs.stream import Stream
from credit_envs.task import Task, out_of_range


class NumpyBatch:
    """A task's trials as NumPy arrays, B at a time; `tensors.TorchBatch` is its twin."""

    def __init__(self, task: Task, size: int) -> None:
        self.observe, self.place_order = task.observe, self.place
        self._actions, self._size = task.actions, size
        # As small as can be, so that they stay in the processor's cache.
        self._labels = task.labels.astype(np.min_scalar_type(task.classes - 1))

    def place(self, values: NDArray[Any]) -> NDArray[Any]:
        """Put values where the images are."""
        return values

    def show(self, stream: Stream) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """Return the open images' indices (B,), and fresh observations of them."""
        index = stream.indices()
        return index, self.observe(index)

    def close(self) -> None:
        """Nothing here needs an end."""

    def labels(self, index: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the classes of the images at `index`, (B,)."""
        return self._labels.take(index).astype(np.int64)

    def checked(self, actions: Any, trial: int) -> NDArray[np.int64]:
        """Return the actions as an integer array (B,), or raise; `trial` is the first one's."""
        actions = np.asarray(actions)
        if actions.dtype.kind not in "iu" and actions.size:
            raise TypeError(f"The actions must be integers, not {actions.dtype}.")
        if actions.shape != (self._size,):
            raise ValueError(f"The actions' shape is {actions.shape}, not ({self._size},).")
        if actions.min() < 0 or actions.max() >= self._actions:
            bad = np.flatnonzero((actions < 0) | (actions >= self._actions))
            raise out_of_range(trial + int(bad[0]), self._actions)
        return actions.astype(np.int64, copy=False)

    def check_actions(self) -> None:
        """Raise what is kept back: nothing, as `checked` raises at once."""

    def rewards(
        self, actions: NDArray[np.integer], labels: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return 1.0 where the guess is right, else 0.0, (B,)."""
        return (actions == labels).astype(np.float64)

    def real(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values in the type of rewards."""
        return values

    def stack(self, rows: list[NDArray[Any]]) -> NDArray[Any]:
        """Return rows (B,) as one array (n, B)."""
        return np.stack(rows)

    def flags(self, value: bool) -> NDArray[np.bool_]:
        """Return B times the same flag."""
        return np.full(self._size, value)
