"""Made-up data sets in the layout of the Hub, with digests computed apart from the code's own."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from credit_envs.datasets import DATASETS, Dataset
from credit_envs.sources import Hub

TRAIN, TEST, CLASSES = 43, 12, 4


@dataclass
class Toy:
    """A data set of noise: its table row, its files' folder and what `load` must give."""

    row: Dataset
    mirror: Path
    parts: dict[str, tuple[np.ndarray, np.ndarray]]  # "train", "test": images, labels by digest

    @property
    def folder(self) -> Path:
        return self.mirror / "someone" / "toy" / "plain"


def digest(content: bytes, label: int) -> bytes:
    return hashlib.blake2b(content + int(label).to_bytes(2, "little"), digest_size=32).digest()


def total(digests: list[bytes]) -> str:
    return f"{sum(int.from_bytes(one, 'little') for one in digests) % (1 << 256):064x}"


def encode(image: np.ndarray, form: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    exact = {"PNG": {"compress_level": 0}, "WEBP": {"lossless": True}, "JPEG": {}}
    Image.fromarray(image.squeeze()).save(buffer, form, **exact[form])
    return buffer.getvalue()


def write_shards(folder: Path, split: str, encoded: list[bytes], labels, shards: int = 1) -> None:
    """Parquet files as the Hub has them, instead of those that were there."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{split}-*"):
        old.unlink()
    for shard, rows in enumerate(np.array_split(np.arange(len(encoded)), shards)):
        images = [{"bytes": encoded[row], "path": None} for row in rows]
        kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        columns = {"image": pa.array(images, kind), "label": pa.array(labels[rows], pa.int64())}
        name = f"{split}-{shard:05d}-of-{shards:05d}.parquet"
        pq.write_table(pa.table(columns), folder / name, compression="none", use_dictionary=False)


def make_toy(mirror: Path, shape=(6, 5, 3), train=TRAIN, test=TEST) -> Toy:
    """Write a toy's files, and describe it. The shape is not square: no axis can be mixed up."""
    rng = np.random.default_rng(7)
    parts, digests = {}, {}
    for part, count in (("train", train), ("test", test)):
        images = rng.integers(0, 256, (count, *shape), np.uint8)
        labels = rng.integers(0, CLASSES, count)
        write_shards(mirror / "someone/toy/plain", part, [encode(x) for x in images], labels)
        keys = [digest(image.tobytes(), label) for image, label in zip(images, labels, strict=True)]
        order = sorted(range(count), key=lambda row, keys=keys: keys[row])
        parts[part], digests[part] = (images[order], labels[order]), total(keys)
    source = Hub("someone/toy", "plain")
    row = Dataset("Toy", source, shape, CLASSES, train, test, digests["train"], digests["test"])
    return Toy(row, mirror, parts)


def install(toy: Toy, cache: Path, monkeypatch) -> None:
    """Make the toy a row of the table, with its mirror and a cache folder of its own."""
    monkeypatch.setitem(DATASETS, "Toy", toy.row)
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(toy.mirror))
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(cache))


def move_cache(file: Path, folder: Path, monkeypatch) -> Path:
    """Put a copy of the cache file, as old as it is, where nobody in this process opened one."""
    folder.mkdir()
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(folder))
    return Path(shutil.copy2(file, folder))


def check_toy(toy: Toy, split) -> None:
    """The split is the toy's, all of its training or all of its test images."""
    images, labels = toy.parts["train" if len(split.labels) == toy.row.train else "test"]
    np.testing.assert_array_equal(split.images, images)
    np.testing.assert_array_equal(split.labels, labels)


def start_loading(toy: Toy, cache: Path, **settings: str) -> subprocess.Popen[str]:
    """Another Python that loads the toy and prints a checksum of its training images."""
    program = (
        "import hashlib, os, pathlib, time\n"
        "from credit_envs.datasets import *\n"
        "from credit_envs.datasets import Dataset, Hub\n"
        f"DATASETS['Toy'] = {toy.row!r}\n"
        "gate = os.environ.get('GATE')\n"
        "if gate: print('ready', flush=True)\n"
        "while gate and not pathlib.Path(gate).exists(): time.sleep(.001)\n"
        "images, labels = load('Toy', 'train+validation')\n"
        "print(hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest())\n"
    )
    kept = {key: value for key, value in os.environ.items() if key != "CREDIT_ENVS_MIRROR"}
    return subprocess.Popen(
        [sys.executable, "-W", "error::UserWarning", "-c", program],
        env={**kept, "CREDIT_ENVS_CACHE": str(cache), **settings},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def checksum(toy: Toy) -> str:
    images, labels = toy.parts["train"]
    return hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()


def make_jpeg_toy(mirror: Path) -> tuple[Toy, dict[str, list[bytes]]]:
    """A lossy toy, half of its images gray; and its encoded images in canonical order."""
    toy = make_toy(mirror, shape=(16, 16, 3))
    encoded = {}
    for part, (images, labels) in toy.parts.items():
        made = [encode(x[:, :, 0] if row % 2 else x, "JPEG") for row, x in enumerate(images)]
        write_shards(toy.folder, part, made, labels)
        keys = [digest(one, label) for one, label in zip(made, labels, strict=True)]
        order = sorted(range(len(made)), key=keys.__getitem__)
        encoded[part] = [made[row] for row in order]
        decoded = [Image.open(io.BytesIO(one)).convert("RGB") for one in encoded[part]]
        toy.parts[part] = (np.stack([np.asarray(one) for one in decoded]), labels[order])
    source = replace(toy.row.source, lossy=True)
    toy.row = replace(toy.row, source=source, train_digest=None, test_digest=None)
    return toy, encoded
