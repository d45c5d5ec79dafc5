"""Images of the user's own that this process holds as arrays, once for all environments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from credit_envs.dataset import row_from
from credit_envs.digests import canonical_order, pixel_digests
from credit_envs.gathered import count_classes, gather
from credit_envs.sources import Images
from credit_envs.splits import Data, cut

_HELD: dict[str, Data] = {}


def from_arrays(
    images: Any,
    labels: Any,
    test: tuple[Any, Any] | None = None,
    class_names: Sequence[str] = (),
) -> dict[str, str]:
    """Hold images in memory, and return what an environment's `dataset` calls them.

    `images` are uint8, (N, H, W) or (N, H, W, C) with C 1 or 3; `labels` integers (N,), 0..K-1.
    `test` are others, (images, labels); without them one in five is held out, chosen by content.
    A copy is kept, in canonical order; the same images are kept once. The name that is returned
    stands for their content, and is the same in every process that holds them.

    Raises TypeError, ValueError.
    """
    if not isinstance(class_names, Iterable):
        raise TypeError(f"class_names must be a list of names, not {class_names!r}")
    names = tuple(map(str, class_names))
    pixels, classes = _checked("training", images, labels)
    if not names:
        _check_least(classes)
    given = None if test is None else _checked("test", *_pair(test))
    count = count_classes(classes, given and given[1], names)
    if given and given[0].shape[1:] != pixels.shape[1:]:
        raise ValueError(
            f"the test images are {given[0].shape[1:]}, and the training images "
            f"{pixels.shape[1:]} (H, W, C): make them alike"
        )
    whole = gather(_images(pixels, classes), given and _images(*given), count, names)
    key = row_from("", whole).key()
    if key not in _HELD:
        arrays = _ordered(train=whole.train, test=whole.test)
        _HELD[key] = cut(row_from(f"arrays-{key}", whole), arrays)
    return {"arrays": key}


def held(name: str) -> Data:
    """The images that `from_arrays` called this. Raises ValueError if another process did."""
    if name not in _HELD:
        raise ValueError(
            f"the arrays {name} are not in this process's memory: call from_arrays here, or in a "
            'module that registers an id with them, as "module:id" makes every process do'
        )
    return _HELD[name]


def _pair(test: Any) -> tuple[Any, Any]:
    if not isinstance(test, tuple | list) or len(test) != 2:
        raise TypeError("test must be a pair (images, labels)")
    return test[0], test[1]


def _checked(part: str, images: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, C) and labels (N,) int64, or a sentence on what is wrong with them."""
    pixels, classes = np.asarray(images), np.asarray(labels)
    if pixels.dtype != np.uint8:
        raise TypeError(
            f"the {part} images must be uint8 in 0..255, not {pixels.dtype}: fractions times 255, "
            "rounded, are"
        )
    if pixels.ndim == 3:
        pixels = pixels[..., None]
    if pixels.ndim != 4 or pixels.shape[3] not in (1, 3) or 0 in pixels.shape[1:]:
        raise ValueError(
            f"the {part} images must be (N, H, W), (N, H, W, 1) or (N, H, W, 3), not {pixels.shape}"
        )
    if classes.dtype.kind not in "iu":
        raise TypeError(f"the {part} labels must be integers, not {classes.dtype}")
    if classes.shape != pixels.shape[:1]:
        raise ValueError(
            f"the {part} labels must be one per image, ({len(pixels)},), not {classes.shape}"
        )
    return pixels, classes.astype(np.int64)


def _check_least(labels: np.ndarray) -> None:
    if len(labels) and (least := labels.min()) > 0:
        raise ValueError(
            f"labels are 0..K-1, the least of these is {least}: subtract it, or give class_names "
            "if there are classes without an image"
        )


def _images(pixels: np.ndarray, labels: np.ndarray) -> Images:
    return Images(pixels, labels, pixel_digests(pixels, labels), "memory")


def _ordered(**parts: Images) -> dict[str, np.ndarray]:
    """Copies in canonical order, read-only: whoever gave the originals may go on changing them."""
    arrays = {}
    for part, images in parts.items():
        order = canonical_order(images.digests)
        arrays |= {f"{part}_images": images.pixels[order], f"{part}_labels": images.labels[order]}
    for array in arrays.values():
        array.flags.writeable = False
    return arrays
