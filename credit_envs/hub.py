"""Any data set of images and classes on the Hugging Face Hub, in parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from credit_envs.columns import Columns, find_columns
from credit_envs.decoding import Encoded, Size, gather_encoded
from credit_envs.gathered import Gathered
from credit_envs.shards import choose
from credit_envs.sources import mirror_of, reaching, reading

if TYPE_CHECKING:
    import pyarrow as pa

CONVERTED = "refs/convert/parquet"  # where the Hub keeps what it made of other formats


@dataclass(frozen=True)
class HubImages:
    """A data set of the Hub, or of a folder laid out like it: CREDIT_ENVS_MIRROR.

    What is None is found: the only config that has the split to train on, a split with a usual
    name to test on, the only columns of images and of classes.
    """

    repo: str
    config: str | None = None
    train: str | None = None
    test: str | None = None
    image: str | None = None
    label: str | None = None
    size: Size | None = None
    state: str = ""  # nobody asks for a later revision

    def gather(self) -> Gathered:
        """Read all images. Raises ConnectionError, FileNotFoundError, CorruptData, ValueError."""
        train, test = self._files()
        columns = find_columns(_schema(train[0]), self.repo, self.image, self.label)
        tested = self._encoded(test, columns) if test else None
        return gather_encoded(self._encoded(train, columns), tested, columns.class_names, self.size)

    def __str__(self) -> str:
        return self.repo

    def _files(self) -> tuple[list[Path], list[Path]]:
        """The files of the training and of the test images, downloaded if need be."""
        if folder := mirror_of(self.repo):
            names = [file.relative_to(folder).as_posix() for file in folder.rglob("*.parquet")]
            if not names:
                raise FileNotFoundError(
                    f"there is no {folder}/**/*.parquet: a mirror (CREDIT_ENVS_MIRROR) has to hold "
                    f"the files of {self.repo} as the Hugging Face Hub does"
                )
            return self._chosen(names, folder)
        from huggingface_hub import snapshot_download

        with reaching(self.repo):
            revision, names = _offered(self.repo)
        train, test = self._choose(names)
        with reaching(self.repo):
            folder = snapshot_download(
                self.repo, repo_type="dataset", revision=revision, allow_patterns=train + test
            )
        return self._chosen(names, Path(folder))

    def _choose(self, names: Sequence[str]) -> tuple[list[str], list[str]]:
        return choose(names, self.repo, self.config, self.train, self.test)

    def _chosen(self, names: Sequence[str], folder: Path) -> tuple[list[Path], list[Path]]:
        # Resolved, because a damaged download is only made again if its blob is deleted.
        train, test = self._choose(names)
        return [(folder / n).resolve() for n in train], [(folder / n).resolve() for n in test]

    def _encoded(self, files: Sequence[Path], columns: Columns) -> Encoded:
        import pyarrow as pa
        import pyarrow.parquet as pq

        tables = []
        for file in files:
            with reading(str(file)):
                tables.append(pq.ParquetFile(file).read(columns=columns.read))
        origin = ", ".join(map(str, files))
        with reading(origin):
            table = pa.concat_tables(tables).flatten()
            labels, images = table[columns.label], table[columns.image]
        for column, what in ((labels, "class"), (images, "image")):
            if column.null_count:
                raise ValueError(f"row {column.is_null().index(True)} of {origin} has no {what}")
        return Encoded(
            lambda i: images[i].as_py(), lambda i: f"row {i} of {origin}",
            labels.to_numpy().astype(np.int64), origin,
        )  # fmt: skip


def _schema(file: Path) -> pa.Schema:
    import pyarrow.parquet as pq

    with reading(str(file)):
        return pq.read_schema(file)


def _offered(repo: str) -> tuple[str, list[str]]:
    """The parquet files of a data set: its own, or else those that the Hub made of it."""
    names = _names(repo, "main")
    if any(name.endswith(".parquet") for name in names):
        return "main", names
    return CONVERTED, _names(repo, CONVERTED)


def _names(repo: str, revision: str) -> list[str]:
    """A revision's files; without network those that were downloaded."""
    from huggingface_hub import HfApi, snapshot_download

    try:
        found = HfApi().dataset_info(repo, revision=revision).siblings or []
        return [file.rfilename for file in found]
    except Exception as error:  # its HTTP client's and the system's own, too
        try:
            kept = snapshot_download(
                repo, repo_type="dataset", revision=revision, local_files_only=True
            )
        except Exception:
            raise error from None
        return [file.relative_to(kept).as_posix() for file in Path(kept).rglob("*.parquet")]
