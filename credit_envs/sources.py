"""Where the images come from: the Hugging Face Hub, a folder laid out like it, or scikit-learn."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from credit_envs.digests import CorruptData, canonical_order, image_digests, pixel_digests

if TYPE_CHECKING:
    import pyarrow as pa

BLOCK = 500  # images that a thread decodes in one go
THREADS = 2  # 15 % faster than one for WebP; more gain nothing, Pillow releases the GIL too rarely
FORMATS = ("PNG", "WEBP", "JPEG")  # naming them halves Pillow's time for WebP

Shape = tuple[int, int, int]  # (H, W, C)


class Images(NamedTuple):
    """The training or the test images of a source, in the source's own order."""

    pixels: np.ndarray  # (n, H, W, C) uint8
    labels: np.ndarray  # (n,) int64
    digests: list[bytes]  # n times 32 bytes
    origin: str  # the files to blame when they are wrong


class Source(Protocol):
    """What can give a data set's images."""

    @property
    def lossy(self) -> bool:
        """Whether pixels depend on the decoder, so that only the encoded bytes can be relied on."""
        ...

    def read(self, shape: Shape) -> tuple[Images, Images]:
        """Training and test images."""
        ...


@dataclass(frozen=True)
class Digits:
    """scikit-learn's bundled 8x8 digits; the last `test` in canonical order are the test images."""

    test: int
    lossy: bool = False

    def read(self, shape: Shape) -> tuple[Images, Images]:
        """Training and test images, the raw 0..16 stretched over 0..255."""
        from sklearn.datasets import load_digits

        raw, labels = load_digits(return_X_y=True)
        pixels = np.rint(raw * 255 / 16).astype(np.uint8).reshape(-1, *shape)
        labels = labels.astype(np.int64)
        digests = pixel_digests(pixels, labels)
        order = canonical_order(digests)

        def part(rows: np.ndarray) -> Images:
            chosen = [digests[row] for row in rows]
            return Images(pixels[rows], labels[rows], chosen, "scikit-learn's load_digits()")

        return part(order[: -self.test]), part(order[-self.test :])


@dataclass(frozen=True)
class Hub:
    """Parquet files of encoded images on the Hugging Face Hub: `<config>/<split>-*.parquet`.

    With CREDIT_ENVS_MIRROR=<dir> the files are read from `<dir>/<repo>` and nowhere else.
    """

    repo: str
    config: str
    image: str = "image"  # the column of the images
    label: str = "label"  # the column of the class indices
    test: str = "test"  # the Hub's split that serves as test images
    lossy: bool = False

    def read(self, shape: Shape) -> tuple[Images, Images]:
        """Training and test images.

        Raises ConnectionError (no network and no mirror), FileNotFoundError (no such files in the
        mirror) or CorruptData (files that cannot be read).
        """
        folder = mirror_of(self.repo) or self._download()
        print(f"Reading {self.repo} from {folder} (once, then cached)", file=sys.stderr)
        return self._read(folder, "train", shape), self._read(folder, self.test, shape)

    def _download(self) -> Path:
        """Folder of the files, downloaded, resumed or found as huggingface_hub is told to."""
        from huggingface_hub import snapshot_download

        wanted = [f"{self.config}/{split}-*.parquet" for split in ("train", self.test)]
        with reaching(self.repo):
            return Path(snapshot_download(self.repo, repo_type="dataset", allow_patterns=wanted))

    def _read(self, folder: Path, split: str, shape: Shape) -> Images:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pattern = f"{self.config}/{split}-*.parquet"
        # Resolved, because a damaged download is only made again if its blob is deleted.
        files = [file.resolve() for file in sorted(folder.glob(pattern))]
        if not files:
            raise FileNotFoundError(
                f"there is no {folder / pattern}: a mirror (CREDIT_ENVS_MIRROR) has to hold the "
                f"files of {self.repo} as the Hugging Face Hub does"
            )
        tables = []
        for file in files:
            with reading(str(file)):
                columns = [f"{self.image}.bytes", self.label]
                tables.append(pq.ParquetFile(file).read(columns=columns))
        origin = ", ".join(map(str, files))
        with reading(origin):
            table = pa.concat_tables(tables).flatten()
            labels = table[self.label].to_numpy().astype(np.int64)
            return self._decode(table[f"{self.image}.bytes"], labels, shape, origin)

    def _decode(
        self, images: pa.ChunkedArray, labels: np.ndarray, shape: Shape, origin: str
    ) -> Images:
        pixels = np.empty((len(labels), *shape), np.uint8)

        def decode(start: int) -> list[bytes]:
            rows = slice(start, start + BLOCK)
            encoded = images[rows].to_pylist()
            for content, target in zip(encoded, pixels[rows], strict=True):
                _decode_image(content, target)
            if self.lossy:
                return image_digests(encoded, labels[rows])
            return pixel_digests(pixels[rows], labels[rows])

        with ThreadPoolExecutor(THREADS) as pool:
            blocks = pool.map(decode, range(0, len(labels), BLOCK))
            digests = [digest for block in blocks for digest in block]
        return Images(pixels, labels, digests, origin)


def mirror_of(repo: str) -> Path | None:
    """The folder that CREDIT_ENVS_MIRROR has for a data set of the Hub, if it is set."""
    mirror = os.environ.get("CREDIT_ENVS_MIRROR")
    return Path(mirror).expanduser() / repo if mirror else None


@contextlib.contextmanager
def reaching(repo: str) -> Iterator[None]:
    """Say what can be done if a data set cannot be downloaded."""
    try:
        yield
    except Exception as error:  # the library's, its HTTP client's and the system's own alike
        raise ConnectionError(
            f"{repo} is not in the cache and could not be downloaded ({_brief(error)}): "
            "connect to the Hugging Face Hub, or set CREDIT_ENVS_MIRROR to a folder that holds "
            "a copy of it, or CREDIT_ENVS_CACHE to a cache that was filled before"
        ) from error


@contextlib.contextmanager
def reading(origin: str) -> Iterator[None]:
    """Say which file cannot be read."""
    try:
        yield
    except Exception as error:  # parquet and the image decoders raise a dozen kinds
        raise CorruptData(
            f"{origin} cannot be read ({_brief(error)}): delete or replace it, then load again"
        ) from error


def _decode_image(content: bytes, target: np.ndarray) -> None:
    """Write an encoded image into `target` (H, W, C)."""
    from PIL import Image

    height, width, channels = target.shape
    image = Image.open(io.BytesIO(content), formats=FORMATS)
    if image.size != (width, height):
        raise ValueError(f"an image of {image.size} pixels instead of {(width, height)}")
    image = image.convert("L" if channels == 1 else "RGB")
    target[:] = np.asarray(image).reshape(target.shape)


def _brief(error: Exception) -> str:
    """What an error says, in one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
