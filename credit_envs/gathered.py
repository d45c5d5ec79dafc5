"""What images of the user's own come to, from wherever: classes counted, a test set held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from credit_envs.digests import canonical_order
from credit_envs.sources import Images

TESTS = ("test", "validation", "valid", "val")  # what test images are called, the first that is
LEAST = 10  # training images: the last tenth is validation
HELD_OUT = 5  # one image in so many, where there are no test images
MOST = 2**16  # classes: digests have two bytes for a label


class Gathered(NamedTuple):
    """Images of the user's own, decoded."""

    train: Images
    test: Images
    classes: int
    class_names: tuple[str, ...]  # none, or one per class
    lossy: bool = False  # do pixels depend on the decoder?


def gather(
    train: Images, test: Images | None, classes: int, names: Sequence[str], lossy: bool = False
) -> Gathered:
    """Hold test images out where there are none: one image in five, chosen by their digests."""
    if test is None:
        order, count = canonical_order(train.digests), len(train.labels) // HELD_OUT
        train, test = _part(train, order[:-count]), _part(train, order[-count:])
    return Gathered(train, test, classes, tuple(names), lossy)


def _part(images: Images, rows: np.ndarray) -> Images:
    digests = [images.digests[row] for row in rows]
    return Images(images.pixels[rows], images.labels[rows], digests, images.origin)


def count_classes(train: np.ndarray, test: np.ndarray | None, names: Sequence[str] = ()) -> int:
    """How many classes labels (n,) are of: as many as names, or up to the largest for training.

    Raises ValueError for labels that are none, and for too few images or classes.
    """
    kept = len(train) - (len(train) // HELD_OUT if test is None else 0)
    if kept < LEAST:
        more = "" if test is None else f", beside {len(test)} for testing"
        raise ValueError(
            f"{len(train)} images are too few{more}: training and validation need {LEAST} or more, "
            f"and without test images one in {HELD_OUT} is held out"
        )
    if test is not None and not len(test):
        raise ValueError("there are no test images: leave them out, and some are held out")
    classes = len(names) or int(train.max()) + 1
    for part, labels in (("training", train), ("test", train if test is None else test)):
        if labels.min() < 0 or labels.max() >= classes:
            raise ValueError(
                f"the {part} labels are in {labels.min()}..{labels.max()}, but those of the "
                f"{classes} classes {'named' if names else 'to train on'} are 0..{classes - 1}"
            )
    if not 2 <= classes <= MOST:
        raise ValueError(f"2 to {MOST} classes can be told apart, not {classes}")
    return classes
