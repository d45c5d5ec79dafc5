"""What is paid where `Rewards` asks for more than 1.0 for the image's class."""

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_envs.arrays import NumpyBatch
from credit_envs.pending import Pending
from credit_envs.rewards import Rewards
from credit_envs.stream import CYCLE, FLIP, LABELS, NOISE, PerPass, Stream
from credit_envs.task import Task

NEVER_LATE = "No reward is late here: flush() needs rewards with a delay."


class Judge:
    """Judges the guesses at a stream's open batch.

    All randomness belongs to the trial, not to the order in which it is asked for: every form
    of the environment, and a run that resumes, pays the same. `batch` is `arrays.NumpyBatch`
    or `tensors.TorchBatch`: arrays or tensors, whose common methods are all that is used here.
    """

    def __init__(self, task: Task, stream: Stream, batch: Any, reveal_label: bool) -> None:
        self._task, self._stream, self._batch = task, stream, batch
        self._rewards, self._reveal = task.rewards, reveal_label
        self._paid = batch.place(task.payments.ravel())
        odds = np.array([1 - task.rewards.flip, task.rewards.flip])
        mean = np.tensordot(odds, task.payments, 1)  # (K, A)
        best = mean.max(1, keepdims=True)
        self._optimal, self._regret = batch.place(best.ravel()), batch.place((best - mean).ravel())
        self._flips = [self._per_trial(FLIP, n) for n in range(stream.presentations)]
        self._noises = [self._per_trial(NOISE, n) for n in range(stream.presentations)]
        self._lanes = batch.place(np.arange(stream.batch))
        self._pending = self._none_pending()
        self._begun = -1
        self._labels: Any = None  # of all images
        self._cycle: Any = None  # the classes in the order in which reversals go through them
        self._rank: Any = None  # where on the cycle a class stands

    def settle(self, index: Any, actions: Any) -> tuple[Any, dict[str, Any]]:
        """Return the rewards (B,) of the guesses at the images at `index`, and the info."""
        self._begin()
        labels, columns = self._reversed(self._labels.take(index)), self._task.actions
        # On a GPU an action that is none is told of later, and must not stop the device here.
        entry = labels * columns + actions.clip(0, columns - 1)  # of the flat table, (B,)
        position, seen = self._stream.first, self._stream.seen
        flipped = self._flips[seen].at(position) if self._rewards.flip else 0
        rewards = self._paid.take(entry + flipped)
        if self._rewards.noise:
            rewards = rewards + self._noises[seen].at(position)
        outcome = {"reward": self._batch.real(rewards)}
        if self._reveal:
            outcome["label"] = labels
        if self._rewards.regret:
            outcome["optimal"] = self._batch.real(self._optimal.take(labels))
            outcome["regret"] = self._batch.real(self._regret.take(entry))
        if self._rewards.delay:
            outcome["trial"] = self._lanes + position
            outcome = self._pending.exchange(outcome)
        return outcome.pop("reward"), outcome

    def flush(self) -> tuple[Any, dict[str, Any]]:
        """Return the rewards (n, B) that are not told yet, the oldest first, and their info."""
        if not self._rewards.delay:
            raise ValueError(NEVER_LATE)
        self._begin()
        outcomes = self._pending.flush()
        return outcomes.pop("reward"), outcomes

    def labels_at(self, trial: int) -> NDArray[np.int64]:
        """Return the label that each class's images have at a trial, (K,)."""
        start, every = self._rewards.reverse_at, self._rewards.reverse_every
        steps = trial // every if every else int(start is not None and trial >= start)
        cycle = self._draw_cycle()
        return cycle[(cycle.argsort() + steps % len(cycle)) % len(cycle)]

    def _none_pending(self) -> Pending:
        delay, stream = self._rewards.delay, self._stream
        if delay * stream.whole > stream.size:
            raise ValueError(
                f"delay={delay} is longer than a pass, which has {stream.size} trials in batches "
                f"of {stream.whole}: choose a shorter one."
            )
        nothing = self._lanes * 0
        blank = {"reward": self._batch.real(nothing * 0.0), "trial": nothing - 1}
        if self._rewards.regret:
            blank |= {"optimal": blank["reward"], "regret": blank["reward"]}
        if self._reveal:
            blank["label"] = nothing - 1
        return Pending(delay * stream.presentations, blank, self._batch)

    def _reversed(self, labels: Any) -> Any:
        """Return the labels, (B,), moved along the cycle by the reversals before each trial."""
        position, classes = self._stream.first, self._task.classes
        start, every, batch = self._rewards.reverse_at, self._rewards.reverse_every, len(labels)
        # Positions may be larger than any integer type: only what fits a batch goes into arrays.
        if start is not None:
            steps = self._lanes >= min(max(start - position, 0), batch)
        elif every is not None:
            due = every - position % every  # trials until the next reversal
            more = (self._lanes - min(due, batch)) // min(every, batch) + 1
            steps = more + position // every % classes
        else:
            return labels
        return self._cycle.take((self._rank.take(labels) + steps) % classes)

    def _begin(self) -> None:
        """Draw anew what belongs to a stream as a whole, once it is another one."""
        if self._begun == self._stream.begun:
            return
        self._begun = self._stream.begun
        for draws in self._flips + self._noises:
            draws.forget()
        self._pending.clear()
        self._labels = self._batch.place(self._noisy_labels())
        cycle = self._draw_cycle()
        self._cycle, self._rank = self._batch.place(cycle), self._batch.place(cycle.argsort())

    def _draw_cycle(self) -> NDArray[np.int64]:
        return self._stream.child(CYCLE).permutation(self._task.classes)

    def _noisy_labels(self) -> NDArray[np.int64]:
        labels, classes = self._task.labels, self._task.classes
        rng = self._stream.child(LABELS)
        wrong = rng.random(len(labels)) < self._rewards.label_noise
        return np.where(wrong, labels + rng.integers(1, classes, len(labels)), labels) % classes

    def _per_trial(self, kind: int, presentation: int) -> PerPass:
        draw = partial(self._draw, kind, presentation)
        return PerPass(draw, self._stream.size, self._stream.batch, self._batch.place)

    def _draw(self, kind: int, presentation: int, number: int) -> NDArray[Any]:
        """Of one pass; a method, which a copy of the environment has of its own."""
        rng, size = self._stream.child(kind, number, presentation), self._stream.size
        if kind == NOISE:
            return rng.standard_normal(size) * self._rewards.noise
        other_table = self._task.payments[0].size  # from which a flip pays
        return (rng.random(size) < self._rewards.flip) * other_table


class SingleJudge:
    """Judges one guess, as plain numbers."""

    def __init__(self, judge: Judge) -> None:
        self._judge = judge

    def settle(self, index: int, action: int) -> tuple[float, dict[str, Any]]:
        """Return the reward of the guess at the image at `index`, and the info."""
        rewards, info = self._judge.settle(np.array([index]), np.array([action]))
        return float(rewards[0]), {key: values[0].item() for key, values in info.items()}

    def labels_at(self, trial: int) -> NDArray[np.int64]:
        """Return the label that each class's images have at a trial, (K,)."""
        return self._judge.labels_at(trial)

    def flush(self) -> tuple[NDArray[np.float64], dict[str, NDArray[Any]]]:
        """Return the rewards (n,) that are not told yet, the oldest first, and their info."""
        rewards, info = self._judge.flush()
        return rewards[:, 0], {key: values[:, 0] for key, values in info.items()}


def make_judge(task: Task, stream: Stream, batch: Any, reveal_label: bool) -> Judge | None:
    """Return who judges batches, or None where 1.0 for the image's class is all there is to it."""
    return None if task.rewards == Rewards() else Judge(task, stream, batch, reveal_label)


def make_single_judge(task: Task, stream: Stream, reveal_label: bool) -> SingleJudge | None:
    """Return who judges single guesses, or None as `make_judge` does."""
    judge = make_judge(task, stream, NumpyBatch(task, 1), reveal_label)
    return None if judge is None else SingleJudge(judge)
