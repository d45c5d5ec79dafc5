"""Encoded images of the user's own, in any common format, as pixels of one shape."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from credit_envs.digests import CorruptData, image_digests, pixel_digests
from credit_envs.gathered import Gathered, count_classes, gather
from credit_envs.sources import Images, Shape

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "BMP", "GIF", "PPM", "JPEG", "WEBP", "TIFF")  # Pillow's names
EXACT = FORMATS[:4]  # all decoders give the same pixels
GRAY = ("1", "L", "LA")  # of Pillow's modes
TOO_DEEP = ("I", "F")  # what modes of more than 8 bits begin with
ORIENTATION = 0x0112  # EXIF's tag; from 5 on the image lies on its side

Size = tuple[int, int]  # (H, W)


class Encoded(NamedTuple):
    """Training or test images, still encoded."""

    content: Callable[[int], bytes]  # of image i
    name: Callable[[int], str]  # what to call image i in a sentence
    labels: np.ndarray  # (n,) int64
    origin: str


class _Look(NamedTuple):
    size: Size
    gray: bool
    exact: bool


def gather_encoded(
    train: Encoded, test: Encoded | None, class_names: Sequence[str], size: Size | None
) -> Gathered:
    """Decode training and, if there are any, test images. Raises CorruptData, ValueError."""
    classes = count_classes(train.labels, test and test.labels, class_names)
    decoded, lossy = decode([train, test] if test else [train], size)
    return gather(decoded[0], decoded[1] if test else None, classes, class_names, lossy)


def decode(parts: Sequence[Encoded], size: Size | None) -> tuple[list[Images], bool]:
    """Decode all parts to one shape, and say whether their pixels depend on the decoder.

    They are gray if all are, else RGB; upright, as EXIF says; resized only if a size is given.
    Raises CorruptData for an image that cannot be read or is of another size than the first.
    """
    looks = [[_look(part, i) for i in range(len(part.labels))] for part in parts]
    height, width = size or _common_size(parts, looks)
    seen = set().union(*looks)
    shape = height, width, 1 if all(look.gray for look in seen) else 3
    lossy = not all(look.exact and look.size == (height, width) for look in seen)
    return [_decode_part(part, shape, lossy) for part in parts], lossy


def _common_size(parts: Sequence[Encoded], looks: Sequence[Sequence[_Look]]) -> Size:
    first = looks[0][0].size
    for part, seen in zip(parts, looks, strict=True):
        for i, look in enumerate(seen):
            if look.size != first:
                raise CorruptData(
                    f"{part.name(i)} is of the size {look.size}, and {parts[0].name(0)} of {first} "
                    "(height, width): make them alike, or give a size=(H, W) to resize all to"
                )
    return first


def _decode_part(part: Encoded, shape: Shape, lossy: bool) -> Images:
    pixels, count = np.empty((len(part.labels), *shape), np.uint8), len(part.labels)
    for i in range(count):
        with _opened(part, i) as image:
            pixels[i] = _pixels(image, shape)
    if lossy:
        digests = image_digests(map(part.content, range(count)), part.labels)
    else:
        digests = pixel_digests(pixels, part.labels)
    return Images(pixels, part.labels, digests, part.origin)


def _pixels(image: Image, shape: Shape) -> np.ndarray:
    from PIL import Image, ImageOps

    height, width, channels = shape
    image = ImageOps.exif_transpose(image).convert("L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(shape)


def _look(part: Encoded, i: int) -> _Look:
    with _opened(part, i) as image:
        if image.mode.startswith(TOO_DEEP):
            raise ValueError(f"its mode {image.mode} has more than 8 bits per channel")
        width, height = image.size
        if image.getexif().get(ORIENTATION, 1) >= 5:
            width, height = height, width
        lossless = image.format == "WEBP" and part.content(i)[12:16] == b"VP8L"
        return _Look((height, width), image.mode in GRAY, image.format in EXACT or lossless)


@contextlib.contextmanager
def _opened(part: Encoded, i: int) -> Iterator[Image]:
    """An image, whose name is said if it cannot be read."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield Image.open(io.BytesIO(part.content(i)), formats=FORMATS)
    except Exception as error:  # image decoders raise a dozen kinds
        why = f"{error}".splitlines()[0]
        if isinstance(error, UnidentifiedImageError):
            why = f"it is none of {', '.join(FORMATS)}"
        raise CorruptData(
            f"{part.name(i)} cannot be read as an image ({why}): replace or remove it, then load "
            "again"
        ) from error
