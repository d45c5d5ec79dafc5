"""Rewards that come late: what was earned waits here until it is told."""

from collections import deque
from typing import Any

Outcome = dict[str, Any]  # "reward" and what the info says about it, each (B,)


class Pending:
    """The outcomes of the last `steps` steps, in order; `batch` is what `judge.Judge` has.

    `blank` is what is told while there is nothing to tell.
    """

    def __init__(self, steps: int, blank: Outcome, batch: Any) -> None:
        self._steps, self._blank, self._batch = steps, blank, batch
        self._waiting: deque[Outcome] = deque()

    def exchange(self, outcome: Outcome) -> Outcome:
        """Take a step's outcome, and return the one that is due now."""
        self._waiting.append(outcome)
        if len(self._waiting) > self._steps:
            return self._waiting.popleft()
        return {key: values + 0 for key, values in self._blank.items()}  # + 0 makes new arrays

    def flush(self) -> Outcome:
        """Return all that waits, (n, B), the oldest first; then nothing does."""
        rows = [self._blank, *self._waiting]  # the blank, so that there is a row to stack
        self.clear()
        return {key: self._batch.stack([row[key] for row in rows])[1:] for key in self._blank}

    def clear(self) -> None:
        """Forget what waits."""
        self._waiting.clear()
