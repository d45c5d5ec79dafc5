"""What a data set is: a row of the table in `datasets`, or one that its own images tell."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

from credit_envs.digests import CorruptData, set_digest
from credit_envs.gathered import Gathered
from credit_envs.sources import Images, Shape, Source

# Where the cache file of an `Unseen` keeps its row, as JSON, and the digest of that.
TOLD, SEAL = "row", "row_digest"

SHOWN = 12  # names of classes in a line


@dataclass(frozen=True)
class Dataset:
    """One row of the table."""

    name: str
    source: Source | None  # None: images of the user's own, of which a row is made last
    shape: Shape  # (H, W, C)
    classes: int
    train: int  # images to train and validate on
    test: int
    train_digest: str | None  # 64 hex digits (`digests.set_digest`); None where none is published
    test_digest: str | None
    class_names: tuple[str, ...] = ()  # one per class; none where nobody says them

    def parts(self) -> tuple[tuple[str, int, str | None], tuple[str, int, str | None]]:
        """Name, number of images and published digest of the training and of the test images."""
        return ("train", self.train, self.train_digest), ("test", self.test, self.test_digest)

    def key(self) -> str:
        """Twelve hex digits that stand for the images and their classes, wherever they are from."""
        facts = self.shape, self.classes, self.train_digest, self.test_digest, self.class_names
        return _digest(repr(facts))[:12]

    def summary(self) -> str:
        """What there is, in a line."""
        shown = ", ".join(self.class_names[:SHOWN])
        more = ", ..." if len(self.class_names) > SHOWN else ""
        return (
            f"{self.train} training and {self.test} test images {self.shape} of {self.classes} "
            f"classes{': ' if shown else ''}{shown}{more}"
        )

    def read(self) -> Found:
        """Training and test images from the source. Raises CorruptData if they are not these."""
        assert self.source is not None
        train, test = self.source.read(self.shape)
        found = {"train": train, "test": test}
        for part, count, digest in self.parts():
            if fault := self._fault(found[part], count, digest):
                raise CorruptData(
                    f"{found[part].origin} has {fault}, so it is not {self.name}'s {part} set: "
                    "delete or replace it, then load again"
                )
        return Found(self, found, self.source.lossy, {})

    def told(self, metadata: Mapping[str, str]) -> Dataset:
        """The row, which a cache file's header has to fit."""
        return self

    def _fault(self, images: Images, count: int, published: str | None) -> str | None:
        labels, digest = images.labels, set_digest(images.digests)
        if len(labels) != count:
            return f"{len(labels)} images instead of {count}"
        if published not in (None, digest):
            return f"images of digest {digest} instead of {published}"
        if labels.min() < 0 or labels.max() >= self.classes:
            return f"labels outside 0..{self.classes - 1}"
        return None


class Found(NamedTuple):
    """What was read from a source."""

    row: Dataset
    parts: dict[str, Images]  # "train", "test"
    lossy: bool
    notes: dict[str, str]  # for the header of the cache file


class OwnSource(Protocol):
    """What can give images of the user's own."""

    @property
    def state(self) -> str:
        """What changes when the images do."""
        ...

    def gather(self) -> Gathered:
        """Training and test images."""
        ...


@dataclass(frozen=True)
class Unseen:
    """A data set of the user's own, of which is known only where its images are.

    Its row is found when they are first read, and kept in the header of the cache file.
    """

    name: str
    source: OwnSource

    def read(self) -> Found:
        """Training and test images, and their row. Raises CorruptData, ValueError, OSError."""
        print(f"Reading {self.source} (once, then cached)", file=sys.stderr)
        whole = self.source.gather()
        row = row_from(self.name, whole)
        print(row.summary(), file=sys.stderr)
        text = json.dumps(asdict(row) | {"state": self.source.state})
        parts = {"train": whole.train, "test": whole.test}
        return Found(row, parts, whole.lossy, {TOLD: text, SEAL: _digest(text)})

    def told(self, metadata: Mapping[str, str]) -> Dataset:
        """The row that a cache file's header has. Raises KeyError, ValueError, Outdated."""
        text = metadata[TOLD]
        if metadata[SEAL] != _digest(text):
            raise ValueError("its row is not the one that was written")
        facts: dict[str, Any] = json.loads(text)
        if facts.pop("state") != self.source.state:
            raise Outdated(f"{self.source} has changed since its cache file was made")
        facts |= {k: tuple(v) for k, v in facts.items() if isinstance(v, list)}  # not in JSON
        return Dataset(**facts)


class Outdated(OSError):
    """A cache file is sound, but the images that it was made from have changed since."""


def row_from(name: str, whole: Gathered) -> Dataset:
    """The row that images of the user's own come to."""
    return Dataset(
        name, None, whole.train.pixels.shape[1:], whole.classes,
        len(whole.train.labels), len(whole.test.labels),
        set_digest(whole.train.digests), set_digest(whole.test.digests), whole.class_names,
    )  # fmt: skip


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=32).hexdigest()
