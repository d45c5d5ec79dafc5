"""What a data set is: a row of the table in `datasets`."""

from __future__ import annotations

from dataclasses import dataclass

from credit_envs.digests import CorruptData, set_digest
from credit_envs.sources import Images, Shape, Source


@dataclass(frozen=True)
class Dataset:
    """One row of the table."""

    name: str
    source: Source
    shape: Shape  # (H, W, C)
    classes: int
    train: int  # images to train and validate on
    test: int
    train_digest: str | None  # 64 hex digits (`digests.set_digest`); None where none is published
    test_digest: str | None

    def parts(self) -> tuple[tuple[str, int, str | None], tuple[str, int, str | None]]:
        """Name, number of images and published digest of the training and of the test images."""
        return ("train", self.train, self.train_digest), ("test", self.test, self.test_digest)

    def read(self) -> dict[str, Images]:
        """Training and test images from the source. Raises CorruptData if they are not these."""
        train, test = self.source.read(self.shape)
        found = {"train": train, "test": test}
        for part, count, digest in self.parts():
            if fault := self._fault(found[part], count, digest):
                raise CorruptData(
                    f"{found[part].origin} has {fault}, so it is not {self.name}'s {part} set: "
                    "delete or replace it, then load again"
                )
        return found

    def _fault(self, images: Images, count: int, published: str | None) -> str | None:
        labels, digest = images.labels, set_digest(images.digests)
        if len(labels) != count:
            return f"{len(labels)} images instead of {count}"
        if published not in (None, digest):
            return f"images of digest {digest} instead of {published}"
        if labels.min() < 0 or labels.max() >= self.classes:
            return f"labels outside 0..{self.classes - 1}"
        return None
