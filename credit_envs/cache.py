"""The cache file of a data set: uint8 images and int64 labels as safetensors, memory-mapped.

The header records the file's own modification time. A file that still has it is mapped after a
look at size and header; one that was touched since is read through and its digests checked first.
The format is written and read by hand, because safetensors' NumPy functions copy all the images.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from credit_envs.dataset import Dataset, Unseen
from credit_envs.digests import CorruptData, canonical_order, pixel_digests, set_digest
from credit_envs.sources import Images

FORMAT = "credit-envs 1"  # a file of another format is built again
DTYPES = {"I64": np.dtype("<i8"), "U8": np.dtype("u1")}  # by safetensors' names
BLOCK = 1000  # images written in one go


class _Mapped(NamedTuple):
    """An open cache file, whose size and header are as its row says."""

    row: Dataset
    arrays: dict[str, np.ndarray]  # {train,test}_{images,labels}, read-only
    metadata: dict[str, str]
    mtime: int  # ns


def cache_path(name: str) -> Path:
    """The cache file of a data set, in CREDIT_ENVS_CACHE or in the user's cache folder."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    folder = Path(os.environ.get("CREDIT_ENVS_CACHE") or user / "credit-envs")
    return folder.expanduser().absolute() / f"{name}.safetensors"


def open_or_build(row: Dataset | Unseen, path: Path) -> tuple[Dataset, dict[str, np.ndarray]]:
    """The row and the arrays of the cache file, which is built if missing, outdated or damaged."""
    try:
        return _open(row, path)
    except OSError:  # not there, not readable, or of images that have changed since
        pass
    except CorruptData as fault:
        warnings.warn(f"{fault}: it is built again", stacklevel=5)  # points at the call of `load`
    with _lock(path):
        with contextlib.suppress(OSError, CorruptData):
            return _open(row, path)  # another process built it while this one waited
        _build(row, path)
        return _open(row, path)


def check(row: Dataset | Unseen, path: Path) -> None:
    """Read the whole cache file. Raises FileNotFoundError, Outdated or CorruptData."""
    with _blaming(path):
        _check_content(_map(row, path))


def _open(row: Dataset | Unseen, path: Path) -> tuple[Dataset, dict[str, np.ndarray]]:
    with _blaming(path):
        mapped = _map(row, path)
        recorded = int(mapped.metadata["mtime"])
        if mapped.mtime != recorded:
            _check_content(mapped)
            _set_mtime(path, recorded)
    return mapped.row, mapped.arrays


def _map(row: Dataset | Unseen, path: Path) -> _Mapped:
    """Map the arrays, after a look at size and header. Raises what `_blaming` turns."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        start = 8 + int.from_bytes(file.read(8), "little")
        if start > status.st_size:
            raise ValueError("it ends within its header")
        tensors = json.loads(file.read(start - 8))
        metadata = tensors.pop("__metadata__")
        row = row.told(metadata)
        _check_header(row, tensors, metadata)
        size = start + max(tensor["data_offsets"][1] for tensor in tensors.values())
        if status.st_size != size:
            raise ValueError(f"it has {status.st_size} bytes instead of {size}")
        data = np.asarray(np.memmap(file, np.uint8, "r", start))
    arrays = {}
    for name, entry in tensors.items():
        raw = data[slice(*entry["data_offsets"])]
        arrays[name] = raw.view(DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return _Mapped(row, arrays, metadata, status.st_mtime_ns)


def _layout(row: Dataset) -> dict[str, dict]:
    """Type, shape and place of each array, in the words of a safetensors header."""
    arrays = [(f"{part}_labels", "I64", [count]) for part, count, _ in row.parts()]
    arrays += [(f"{part}_images", "U8", [count, *row.shape]) for part, count, _ in row.parts()]
    tensors, end = {}, 0
    for name, dtype, shape in arrays:
        begin, end = end, end + DTYPES[dtype].itemsize * math.prod(shape)
        tensors[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
    return tensors


def _check_header(row: Dataset, tensors: dict[str, dict], metadata: dict[str, str]) -> None:
    if (metadata["format"], metadata["dataset"]) != (FORMAT, row.name):
        raise ValueError(f"it is {metadata['dataset']} in the format {metadata['format']}")
    if tensors != _layout(row):
        raise ValueError("its arrays have other names, types, shapes or places")
    for part, _, digest in row.parts():
        if digest not in (None, metadata[f"{part}_source"]):
            raise ValueError(f"its {part} images are not the published ones")


def _check_content(mapped: _Mapped) -> None:
    for part, _, _ in mapped.row.parts():
        digests = pixel_digests(mapped.arrays[f"{part}_images"], mapped.arrays[f"{part}_labels"])
        lossy = f"{part}_pixels" in mapped.metadata
        recorded = mapped.metadata[f"{part}_{'pixels' if lossy else 'source'}"]
        if set_digest(digests) != recorded:
            raise ValueError(f"its {part} images do not have the digest {recorded}")
        if not lossy and digests != sorted(digests):
            raise ValueError(f"its {part} images are out of order")


def _build(row: Dataset | Unseen, path: Path) -> None:
    """Write the cache file under another name, read it back, and only then give it its own."""
    row, parts, lossy, notes = row.read()
    mtime = int(time.time()) * 10**9  # whole seconds: not every file system keeps finer ones
    metadata = {"format": FORMAT, "dataset": row.name, "mtime": str(mtime), **notes}
    for part, images in parts.items():
        metadata[f"{part}_source"] = set_digest(images.digests)
        if lossy:  # the decoded pixels, which the file holds, have their own digest
            metadata[f"{part}_pixels"] = set_digest(pixel_digests(images.pixels, images.labels))
    fresh = path.with_name(f"{path.name}.partial")  # the lock's: what a kill left is written over
    with _writing(path.parent), contextlib.ExitStack() as afterwards:
        afterwards.callback(fresh.unlink, missing_ok=True)
        with fresh.open("wb") as file:
            _write(file, {"__metadata__": metadata, **_layout(row)}, parts)
            file.flush()
            os.fsync(file.fileno())
        _set_mtime(fresh, mtime)
        check(row, fresh)
        fresh.replace(path)


def _write(file: BinaryIO, header: dict[str, dict], parts: dict[str, Images]) -> None:
    """Write a safetensors file: header length, header, labels and images in canonical order."""
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)  # so that the labels are aligned
    file.write(len(text).to_bytes(8, "little") + text)
    orders = {part: canonical_order(images.digests) for part, images in parts.items()}
    for part, images in parts.items():
        file.write(images.labels[orders[part]].tobytes())
    for part, images in parts.items():
        for start in range(0, len(images.labels), BLOCK):
            file.write(images.pixels[orders[part][start : start + BLOCK]].tobytes())


def _set_mtime(path: Path, mtime: int) -> None:
    with contextlib.suppress(OSError):  # not allowed here: the file is then checked at each opening
        os.utime(path, ns=(mtime, mtime))


def _lock(path: Path) -> contextlib.AbstractContextManager[object]:
    """Hold the cache file's lock, so that one process at a time fills it."""
    from filelock import FileLock

    with _writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{path}.lock").acquire()


@contextlib.contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Say which folder cannot be written, and which variable moves it."""
    try:
        yield
    except OSError as error:
        raise OSError(
            f"the cache folder {folder} cannot be written ({error}): make it writable, or set "
            "CREDIT_ENVS_CACHE to a folder that is"
        ) from error


@contextlib.contextmanager
def _blaming(path: Path) -> Iterator[None]:
    """Turn what a damaged file makes the code run into, into a sentence that names the file."""
    try:
        yield
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        reason = error if isinstance(error, ValueError) else "its header lacks something"
        raise CorruptData(f"the cache file {path} is damaged ({reason})") from error
