"""One autoencoder taught and read: short enough that one that was stopped begins anew."""

import json
from dataclasses import dataclass
from hashlib import blake2b
from math import inf, isfinite
from pathlib import Path
from statistics import fmean
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents.autoencoder import Autoencoder, Coding, pixels
from agents.checkpoint import replace as write_whole
from agents.metrics import measure
from agents.runs.origin import device_name
from credit_envs.datasets import load
from credit_envs.registration import find_spec, row_of
from credit_envs.stream import Stream

PROTOCOL = "own"  # of those of `reproduction`: learn from "train", choose by validation
SPLITS = "train", "validation", "test"
CHANGE = 1  # where `metrics.measure` has the angle of a layer's change


@dataclass(frozen=True)
class Run:
    """What is taught, on what, and when it is read."""

    figure: str
    line: str
    env: str
    settings: Coding
    seed: int
    batch: int
    epochs: float
    points: tuple[int, ...]
    """Trials at which it is read; the last one is the budget."""
    images: int
    """Read of each split: the first so many; 0: all."""
    device: str

    @property
    def on_gpu(self) -> bool:
        """Is it run on a GPU?"""
        return self.device != "cpu"

    def path(self, root: Path) -> Path:
        """Where below `root` its row is kept."""
        key = blake2b(f"{self} {torch.__version__}".encode(), digest_size=4).hexdigest()
        return root / self.env / f"{self.figure} {self.line}" / key / f"seed-{self.seed}" / "row"


@dataclass(frozen=True)
class Attempt:
    """Makes a run in whatever process it is called, and keeps its row there."""

    run: Run
    path: Path
    threads: int
    source: dict[str, Any]

    def __call__(self) -> None:
        """Write the row, whole or not at all, unless another call has written it meanwhile."""
        if self.path.exists():
            return
        torch.set_num_threads(self.threads)
        row = self.source | teach(self.run)
        write_whole(self.path, json.dumps(row, allow_nan=False).encode())


class Readings:
    """What is read of an autoencoder at each point, and how well it did where it did best."""

    def __init__(self, coder: Autoencoder, validation: Tensor, test: Tensor):
        self.coder, self.validation, self.test = coder, validation, test
        self.trials: list[int] = []
        self.left: list[float] = []  # of the variance, on validation
        self.angles: list[float] = []
        self.chosen, self.left_on_test = 0, 1.0
        self.diverged: int | None = None

    def add(self, trials: int, images: Tensor) -> bool:
        """Read, after so many trials; whether there is a reason to go on."""
        left = variance_left(self.coder.output(self.validation), self.validation)
        if not isfinite(left):
            self.chosen, self.left_on_test, self.diverged = 0, 1.0, trials
            return False
        if left < min(self.left, default=inf):
            on_test = variance_left(self.coder.output(self.test), self.test)
            self.chosen, self.left_on_test = trials, on_test
        self.trials.append(trials)
        self.left.append(left)
        self.angles += change_angles(self.coder, images)
        return True

    def found(self) -> dict[str, Any]:
        """As a row has it."""
        measured = {"dark output units, %": dark_outputs(self.coder, self.validation)}
        if self.angles:
            measured["degrees from backprop's changes"] = fmean(self.angles)
        return {
            "left": self.left_on_test, "chosen": self.chosen, "diverged": self.diverged,
            "trials": self.trials, "curve": [round(left, 5) for left in self.left],
            "measured": measured if self.diverged is None else {},
        }  # fmt: skip


def teach(run: Run) -> dict[str, Any]:
    """The row of a run."""
    began, device = monotonic(), torch.device(run.device)
    images = {name: images_of(run.env, name).to(device) for name in SPLITS}
    read = [images[name][: run.images or None] for name in SPLITS[1:]]
    learned = images["train"]
    stream = Stream(len(learned), run.batch, lambda order: torch.from_numpy(order).to(device))
    stream.reset(np.random.default_rng(run.seed), anew=True, position=None)
    coder = Autoencoder(run.settings, row_of(run.env).shape, seed=run.seed, device=device)
    readings = Readings(coder, *read)
    for point in run.points:
        while stream.position < point:
            coder.learn(learned[stream.indices()])
            stream.advance()
        if not readings.add(point, learned[stream.indices()]):
            break
    return {
        "line": run.line, "protocol": PROTOCOL, "seed": run.seed, "batch": run.batch,
        "epochs": run.epochs, "budget": run.points[-1], "images": run.images,
        "sizes": run.settings.sizes, "lr": run.settings.lr, **readings.found(),
        "seconds": round(monotonic() - began, 1), "device": device_name(device),
    }  # fmt: skip


def images_of(env: str, split: str) -> Tensor:
    """All images of a split, (n, H, W, C)."""
    return torch.from_numpy(np.array(load(find_spec(env).kwargs["dataset"], split).images))


def variance_left(output: Tensor, images: Tensor) -> float:
    """|x - output|^2 of the images, over that of their mean image."""
    x = pixels(images)
    return float((x - output).square().sum() / (x - x.mean(0)).square().sum())


def dark_outputs(coder: Autoencoder, images: Tensor) -> float:
    """Output units that no image excites, in % of those whose pixel is not always dark itself."""
    lit = pixels(images).amax(0) > 0
    return 100 * float((coder.output(images).amax(0)[lit] == 0).double().mean())


def change_angles(coder: Autoencoder, images: Tensor) -> list[float]:
    """Degrees between the change that a batch makes of each hidden layer, and backprop's."""
    angles = measure(coder.net, coder.credit(images))[:-1, CHANGE].tolist()
    return [angle for angle in angles if isfinite(angle)]
