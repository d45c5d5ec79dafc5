"""Images of the user's own: where they are, as options."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from credit_envs.dataset import Unseen
from credit_envs.decoding import Size
from credit_envs.folder import look_into
from credit_envs.hub import HubImages
from credit_envs.rewards import check_count

SOURCES = ("arrays", "folder", "hub")
OF_HUB = ("config", "train", "test", "image", "label")


@dataclass(frozen=True)
class Own:
    """Where images of the user's own are: give one of `arrays`, `folder` and `hub`."""

    arrays: str | None = None
    """What `from_arrays` calls images that this process holds."""
    folder: str | os.PathLike[str] | None = None
    """A folder of images by class: `<class>/*.png`, or `train/<class>/*` and `test/<class>/*` (or
    validation, valid, val). It is read again when its files change."""
    hub: str | None = None
    """An id on the Hugging Face Hub, "owner/name". It is read once: no later revision is."""
    size: Size | None = None
    """(H, W) that images of a folder or of the Hub are resized to; else all must be alike."""
    config: str | None = None
    """The Hub's config, where it has several."""
    train: str | None = None
    """The Hub's split to train and validate on, if it is not "train"."""
    test: str | None = None
    """The Hub's split to test on, if it is not "test", or else "validation", "valid" or "val"."""
    image: str | None = None
    """The Hub's column of images, where it has several."""
    label: str | None = None
    """The Hub's column of classes, where it has several."""

    def __post_init__(self) -> None:
        self._check_source()
        if self.folder is not None:  # whoever opens it may be in another one
            path = str(Path(self.folder).expanduser().absolute())
            object.__setattr__(self, "folder", path)
        if self.size is not None:
            object.__setattr__(self, "size", self._checked_size())

    def _check_source(self) -> None:
        named = [name for name in SOURCES if getattr(self, name) is not None]
        if len(named) != 1:
            found = " and ".join(named) or "none"
            raise ValueError(f"a data set has one source, arrays, folder or hub, not {found}")
        for name in ("arrays", "hub", *OF_HUB):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                raise ValueError(f"{name}={value!r} must be a string")
            if name in OF_HUB and value is not None and self.hub is None:
                raise ValueError(f"{name}={value!r} is for hub, not {named[0]}")
        if not isinstance(self.folder, str | os.PathLike | None):
            raise ValueError(f"folder={self.folder!r} is no path")
        if self.hub is not None and not re.fullmatch(r"[\w.-]+/[\w.-]+", self.hub):
            raise ValueError(f'hub={self.hub!r} is no id on the Hub, such as "ylecun/mnist"')

    def _checked_size(self) -> Size:
        if self.arrays is not None:
            raise ValueError("size is for a folder or the Hub: resize arrays yourself")
        if not isinstance(self.size, list | tuple) or len(self.size) != 2:
            raise ValueError(f"size={self.size!r} must be (H, W)")
        for side in self.size:
            check_count("a side of size", side, 1)
        return self.size[0], self.size[1]

    def plain(self) -> dict[str, Any]:
        """The options that are given, as JSON has them."""
        options = {name: value for name, value in asdict(self).items() if value is not None}
        return json.loads(json.dumps(options))

    def unseen(self) -> Unseen:
        """The data set of a folder or the Hub. Raises FileNotFoundError, ValueError."""
        key = hashlib.blake2b(json.dumps(self.plain()).encode(), digest_size=6).hexdigest()
        if self.folder is not None:
            folder = str(self.folder)
            return Unseen(f"{_file_name(Path(folder).name)}-{key}", look_into(folder, self.size))
        assert self.hub is not None
        options = {name: getattr(self, name) for name in (*OF_HUB, "size")}
        return Unseen(f"{_file_name(self.hub)}-{key}", HubImages(self.hub, **options))


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "images"
