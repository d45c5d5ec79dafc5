"""Digests of images: they verify a copy from anywhere, and put its images in canonical order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np


class CorruptData(ValueError):
    """Image data, in a source or in the cache, that is not what the table of data sets says."""


def image_digests(contents: Iterable[bytes], labels: np.ndarray) -> list[bytes]:
    """One 32-byte blake2b per image: of its bytes, then its label as 2 bytes, the low one first.

    Raises ValueError for labels that 2 bytes cannot hold.
    """
    if len(labels) and not 0 <= labels.min() <= labels.max() < 2**16:
        raise ValueError(f"labels from {labels.min()} to {labels.max()}")
    digests = []
    for content, label in zip(contents, labels, strict=True):
        digest = hashlib.blake2b(content, digest_size=32)
        digest.update(int(label).to_bytes(2, "little"))
        digests.append(digest.digest())
    return digests


def pixel_digests(pixels: np.ndarray, labels: np.ndarray) -> list[bytes]:
    """`image_digests` of (n, H, W, C) uint8 pixels."""
    return image_digests((image.tobytes() for image in pixels), labels)


def set_digest(digests: Iterable[bytes]) -> str:
    """64 hex digits, the same for the same images in any order: the digests' sum modulo 2^256."""
    return format(sum(int.from_bytes(digest, "little") for digest in digests) % 2**256, "064x")


def canonical_order(digests: list[bytes]) -> np.ndarray:
    """Positions (n,) of the images by ascending digest: the same stream from every source."""
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), np.int64)
