"""Which image comes next: seeded shuffled passes without replacement, the same in every form."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDER = 0  # the stream's first SeedSequence child; options that need randomness take the next ones


class Stream:
    """The order in which `size` images are shown, `batch` at a time, from trial `position` on.

    Each batch is shown `presentations` times in a row, which are one trial.

    Pass p is shuffled by its own SeedSequence child (ORDER, p), so that any trial can be reached
    without replaying those before it. `place` puts an order where its images are, once per pass.
    """

    position: int
    """Trials before the open batch."""

    def __init__(
        self,
        size: int,
        batch: int,
        place: Callable[[NDArray[np.int64]], Any],
        presentations: int = 1,
    ) -> None:
        self.position = 0
        self._presentations, self._seen = presentations, 0  # seen: of the open batch, before now
        self._size, self._batch, self._place = size, batch, place
        self._entropy: int | None = None
        self._pass = -1  # the pass whose order is held
        self._order: Any = None

    def reset(self, rng: np.random.Generator, anew: bool, position: int | None) -> None:
        """Go on; or draw a stream anew from `rng` and begin it; or move to trial `position`."""
        if anew or self._entropy is None:
            self._entropy = int(rng.integers(2**63))
            self._pass = -1
            self.position = self._seen = 0
        if position is not None:
            self.position, self._seen = position, 0

    def indices(self) -> Any:
        """Return the indices of the open batch's images, shape (batch,)."""
        number, offset = divmod(self.position, self._size)
        if number != self._pass:
            # The next pass's first trials stand behind this one's last: no batch has to be joined.
            ahead = self._shuffle(number + 1)[: self._batch - 1]
            self._order = self._place(np.concatenate([self._shuffle(number), ahead]))
            self._pass = number
        return self._order[offset : offset + self._batch]

    def advance(self) -> None:
        """Leave the open batch behind, once it has been presented as often as it should."""
        self._seen += 1
        if self._seen == self._presentations:
            self.position += self._batch
            self._seen = 0

    def _shuffle(self, number: int) -> NDArray[np.int64]:
        child = np.random.SeedSequence(self._entropy, spawn_key=(ORDER, number))
        return np.random.default_rng(child).permutation(self._size)


def requested_position(options: dict[str, Any] | None) -> int | None:
    """Return the trial that reset's `options` ask for, or raise if it is no int >= 0."""
    position = (options or {}).get("position")
    if position is None:
        return None
    if not isinstance(position, int) or isinstance(position, bool):
        raise TypeError(f"The position must be an int, not {position!r}.")
    if position < 0:
        raise ValueError(f"The position must be 0 or more, not {position}.")
    return position


def checked_presentations(presentations: int) -> int:
    """Return how often an image is shown in a row, or raise if it is no int >= 1."""
    if not isinstance(presentations, int) or isinstance(presentations, bool):
        raise TypeError(f"presentations must be an int, not {presentations!r}.")
    if presentations < 1:
        raise ValueError(f"presentations must be 1 or more, not {presentations}.")
    return presentations


def checked_seed(seed: int | None) -> int | None:
    """Return the seed, or raise a sentence if Gymnasium could not use it."""
    if seed is None:
        return None
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise TypeError(f"The seed must be a Python int, not {seed!r} of {type(seed).__name__}.")
    if seed < 0:
        raise ValueError(f"The seed must be 0 or more, not {seed}.")
    return seed
