"""Images in a folder: `<class>/*`, or `train/<class>/*` and `test/<class>/*`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from credit_envs.decoding import Encoded, Size, gather_encoded
from credit_envs.gathered import TESTS, Gathered

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".ppm", ".pgm", ".tif", ".tiff",
)  # fmt: skip

Listing = dict[str, list[Path]]  # the images of each class


@dataclass(frozen=True)
class Folder:
    """A folder of images by class, in the state in which `look_into` saw it."""

    path: str
    size: Size | None
    state: str  # a digest of its files' names, sizes and times

    def gather(self) -> Gathered:
        """Read all images. Raises CorruptData, ValueError, OSError."""
        train, test = listed(Path(self.path))
        names = tuple(train)
        tested = _encoded(test, names) if test else None
        return gather_encoded(_encoded(train, names), tested, names, self.size)

    def __str__(self) -> str:
        return f"the folder {self.path}"


def look_into(path: str, size: Size | None) -> Folder:
    """The folder as it is now. Raises FileNotFoundError, ValueError."""
    root, state = Path(path), hashlib.blake2b(digest_size=16)
    for part in listed(root):
        for files in part.values():
            for file in files:
                status = file.stat()
                facts = file.relative_to(root).as_posix(), status.st_size, status.st_mtime_ns
                state.update(f"{facts}\n".encode())
    return Folder(path, size, state.hexdigest())


def listed(root: Path) -> tuple[Listing, Listing]:
    """Training and test images of a folder, those empty if it has none; classes are sorted."""
    if not root.is_dir():
        raise FileNotFoundError(f"there is no folder {root}")
    if not (root / "train").is_dir():
        return _classes(root), {}
    train = _classes(root / "train")
    tests = [root / name for name in TESTS if (root / name).is_dir()]
    test = _classes(tests[0]) if tests else {}
    if unknown := [name for name in test if name not in train]:
        raise ValueError(f"{tests[0] / unknown[0]} is a class that {root / 'train'} does not have")
    return train, test


def _classes(folder: Path) -> Listing:
    names = sorted(one.name for one in folder.iterdir() if one.is_dir() and _shown(one.name))
    if not names:
        raise ValueError(
            f"{folder} has no folders of images: it needs one per class, {folder}/<class>/*.png"
        )
    found = {name: _images(folder / name) for name in names}
    if empty := [name for name in names if not found[name]]:
        raise ValueError(
            f"{folder / empty[0]} is a class without images: put some in ({', '.join(SUFFIXES)}), "
            "or remove it"
        )
    return found


def _images(folder: Path) -> list[Path]:
    files = (file for file in folder.rglob("*") if file.suffix.lower() in SUFFIXES)
    return sorted(file for file in files if all(map(_shown, file.relative_to(folder).parts)))


def _shown(name: str) -> bool:
    """Is it the user's, and not the system's: .git, .DS_Store, __MACOSX?"""
    return not name.startswith((".", "__"))


def _encoded(listing: Listing, names: tuple[str, ...]) -> Encoded:
    files = [file for images in listing.values() for file in images]
    labels = np.repeat([names.index(name) for name in listing], [*map(len, listing.values())])
    return Encoded(
        lambda i: files[i].read_bytes(), lambda i: str(files[i]), labels.astype(np.int64),
        str(files[0].parent),
    )  # fmt: skip
