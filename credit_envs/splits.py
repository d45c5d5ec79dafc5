"""An open data set: its row, and its images in splits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from credit_envs.dataset import Dataset

SPLITS = ("train", "validation", "train+validation", "test")


class Split(NamedTuple):
    """Read-only views, in canonical order."""

    images: np.ndarray  # (n, H, W, C) uint8
    labels: np.ndarray  # (n,) int64


@dataclass(frozen=True, eq=False)
class Data:
    """A data set that is open: the same object for as long as its images are the same."""

    row: Dataset
    splits: Mapping[str, Split]


def check_split(name: object) -> None:
    """Raise a sentence if there is no such split."""
    if name not in SPLITS:
        raise ValueError(f"unknown split {name!r}: choose one of {', '.join(SPLITS)}")


def cut(row: Dataset, arrays: Mapping[str, np.ndarray]) -> Data:
    """Cut {train,test}_{images,labels} into splits: the last tenth of train is validation."""
    images, labels = arrays["train_images"], arrays["train_labels"]
    kept = row.train - row.train // 10
    splits = {
        "train": Split(images[:kept], labels[:kept]),
        "validation": Split(images[kept:], labels[kept:]),
        "train+validation": Split(images, labels),
        "test": Split(arrays["test_images"], arrays["test_labels"]),
    }
    return Data(row, splits)
