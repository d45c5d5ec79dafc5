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


class Linear:
    """One linear unit per class predicts the reward of choosing it."""

    def __init__(self, seen, choice, seed, rate=0.02):
        self.random, self.rate = np.random.default_rng(seed), rate
        self.weights = np.zeros((choice.n, np.prod(seen.shape)))

    def act(self, images):
        self.pixels = images.reshape(len(images), -1) / 255
        self.values = self.pixels @ self.weights.T
        guesses = self.random.integers(len(self.weights), size=len(images))
        explores = self.random.random(len(images)) < 0.1
        self.action = np.where(explores, guesses, self.values.argmax(1))
        return self.action

    def learn(self, reward):
        reward -= self.values[np.arange(len(reward)), self.action]  # in place
        np.add.at(self.weights, self.action, self.rate * reward[:, None] * self.pixels)


class Teachable(Linear):
    learns_from = "label"


class NoLearn:
    def act(self, images):
        return np.zeros(len(images), int)


def wait_for(pattern, count):
    end = time.monotonic() + 120
    while len(list(Path().glob(pattern))) < count:
        assert time.monotonic() < end, f"no {pattern}"
        time.sleep(0.02)
