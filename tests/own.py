"""Agents of a user's own, as the comparison's tests run them: copied to a folder as mine.py."""

import os
import time
from pathlib import Path

import numpy as np

from agents.learner import Diverged


class Recorder:
    """Guesses the same class for all, and leaves everything that reached it in seen-<seed>.npz."""

    def __init__(self, *arguments):
        self.arguments, self.seed = arguments, arguments[-1]
        self.images, self.rewards = [], []

    def act(self, images):
        self.images.append(images)
        return np.full(len(images), 3)

    def learn(self, *answer):
        self.rewards.append(answer)
        last = self.images.pop()
        spaces = [repr(argument) for argument in self.arguments]
        rewards = np.concatenate([only for (only,) in self.rewards])
        np.savez(f"seen-{self.seed}", made_with=spaces, rewards=rewards, dtypes=str(last.dtype))


class Slow(Recorder):
    """Waits until FINISHED other runs are on disk, says that it has started, and waits for go."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        wait_for("**/seed-*/done", int(os.environ["FINISHED"]))
        Path(f"started-{os.getpid()}").touch()
        wait_for("go", 1)


class Broken(Recorder):
    """Fails at its first answer, when FINISHED other runs are on disk."""

    def learn(self, *answer):
        wait_for("**/seed-*/done", int(os.environ["FINISHED"]))
        raise ZeroDivisionError("my own fault")


class Blown(Recorder):
    """Diverges at its first answer."""

    def learn(self, *answer):
        raise Diverged(0)


class NoLearn:
    def act(self, images):
        return np.zeros(len(images), int)


def wait_for(pattern, count):
    end = time.monotonic() + 120
    while len(list(Path().glob(pattern))) < count:
        assert time.monotonic() < end, f"no {pattern}"
        time.sleep(0.02)
