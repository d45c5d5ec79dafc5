"""Which image comes next: seeded shuffled passes without replacement, the same in every form."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from gymnasium.error import ResetNeeded
from numpy.typing import NDArray

# The stream's SeedSequence children: what each kind of randomness is drawn from.
ORDER, FLIP, NOISE, LABELS, CYCLE, KEPT, STAGES = range(7)

Place = Callable[[NDArray[Any]], Any]
Part = tuple[int, int]  # which part of a batch, of how many
ALONE = (0, 1)


class PerPass:
    """A value for each trial, made pass by pass, and looked up for batches that may straddle two.

    `place` puts the values of a pass where the images are, once per pass.
    """

    def __init__(
        self, make: Callable[[int], NDArray[Any]], size: int, batch: int, place: Place
    ) -> None:
        self._make, self._size, self._batch, self._place = make, size, batch, place
        self._number = -1  # the pass whose values are held
        self._values: Any = None
        self._placed: Any = None
        self._next: NDArray[Any] | None = None  # of the pass after it, if a batch asked for them

    def forget(self) -> None:
        """Make everything again, since what it is made of has changed."""
        self._number = -1
        self._next = None

    def at(self, position: int) -> Any:
        """Return the values of the batch of trials from `position` on, (batch,)."""
        number, offset = divmod(position, self._size)
        if number != self._number:
            made = self._next if number == self._number + 1 else None
            self._values = self._make(number) if made is None else made
            self._placed, self._next = self._place(self._values), None
            self._number = number
        end = offset + self._batch
        if end <= self._size:
            return self._placed[offset:end]
        if self._next is None:
            self._next = self._make(number + 1)
        ahead = self._next[: end - self._size]
        return self._place(np.concatenate([self._values[offset:], ahead]))


class Stream:
    """The order in which `size` images are shown, `batch` at a time, from trial `position` on.

    Each batch is shown `presentations` times in a row, which are one trial. With `part` (r, W) it
    is the r-th of W equal parts of a larger batch, whose other parts are shown elsewhere.

    Pass p is shuffled by its own SeedSequence child (ORDER, p), so that any trial can be reached
    without replaying those before it. `shuffle(stream, p)` makes its order, if it is not plain.
    """

    position: int
    """Trials before the open batch, the larger one's."""
    whole: int
    """Trials of the batch with all its parts."""
    seen: int
    """Presentations of the open batch before now."""
    begun: int
    """How often trials have not simply followed each other."""

    def __init__(
        self,
        size: int,
        batch: int,
        place: Place,
        presentations: int = 1,
        shuffle: Callable[["Stream", int], NDArray[np.int64]] | None = None,
        part: Part = ALONE,
    ) -> None:
        self.position = self.seen = self.begun = 0
        self._before, self.whole = part[0] * batch, part[1] * batch
        self.size, self.batch, self.presentations = size, batch, presentations
        self._entropy: int | None = None
        self._order = PerPass(partial(shuffle or plain_shuffle, self), size, batch, place)

    def reset(self, rng: np.random.Generator, anew: bool, position: int | None) -> None:
        """Go on; or draw a stream anew from `rng` and begin it; or move to trial `position`."""
        anew = anew or self._entropy is None
        if anew:
            self._entropy = int(rng.integers(2**63))
            self._order.forget()
        if anew or position is not None:
            self.position, self.seen = position or 0, 0
            self.begun += 1

    def indices(self) -> Any:
        """Return the indices of the open batch's images, shape (batch,)."""
        return self.at(self.position)

    def at(self, position: int) -> Any:
        """Return the indices of the images that are shown from trial `position` on, (batch,)."""
        return self._order.at(position + self._before)

    @property
    def first(self) -> int:
        """The first trial that is open here."""
        return self.position + self._before

    def advance(self) -> None:
        """Leave the open batch behind, once it has been presented as often as it should."""
        self.position, self.seen = self.after(self.position, self.seen)

    def after(self, position: int, seen: int) -> tuple[int, int]:
        """Return position and presentations before of what is shown after a presentation."""
        if seen + 1 < self.presentations:
            return position, seen + 1
        return position + self.whole, 0

    def child(self, *key: int) -> np.random.Generator:
        """Return a generator of the stream's own for one kind of randomness."""
        if self._entropy is None:
            raise ResetNeeded("A seed draws what happens here: call reset() first.")
        return np.random.default_rng(np.random.SeedSequence(self._entropy, spawn_key=key))


def plain_shuffle(stream: Stream, number: int) -> NDArray[np.int64]:
    """Return every image once, in the order of pass `number`, (size,)."""
    return stream.child(ORDER, number).permutation(stream.size)


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
