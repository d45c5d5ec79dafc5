"""The table of data sets, and their images as memory-mapped arrays.

A data set is one row of `DATASETS`. Its images stand in canonical order, ascending by digest, so
every source gives the same stream.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Mapping
from pathlib import Path

from credit_envs import cache
from credit_envs.dataset import Dataset, Unseen
from credit_envs.digests import CorruptData
from credit_envs.hub import HubImages
from credit_envs.memory import held
from credit_envs.own import Own
from credit_envs.rewards import given
from credit_envs.sources import Digits, Hub
from credit_envs.splits import Data, Split, check_split, cut

_ROWS = (
    Dataset(
        "Digits", Digits(test=360), (8, 8, 1), 10, 1437, 360,
        "d6c7c92041c79a7b5e621a460f48157d04937213795c4cb1d48853d91207d7de",
        "458f13d4f51ad63a6df1e66c1ac4184190e0285bf0c9056e1e3abdbe7574df8b",
    ),
    Dataset(
        "MNIST", Hub("ylecun/mnist", "mnist"), (28, 28, 1), 10, 60000, 10000,
        "09aa59984c1671e39e1e26e4b70d1808dfc4452ca68d30a26134939fb624571e",
        "1156cf500eda839beb3072490dfc6ca0017b3eedce32dc0c95552c699ba76481",
    ),
    Dataset(
        "FashionMNIST", Hub("zalando-datasets/fashion_mnist", "fashion_mnist"),
        (28, 28, 1), 10, 60000, 10000,
        "2b196e5b8bd374f03e88427705193586f3ba7df9abd0fb35e1a8b1a4af0c1dae",
        "ed0d5541180cdccbc0b66acb1a12d8ef1da79f8e0836518622a4296b16cdb58e",
    ),
    Dataset(
        "CIFAR10", Hub("uoft-cs/cifar10", "plain_text", image="img"), (32, 32, 3), 10, 50000, 10000,
        "c864bf7c94bc098b6006469757ca55ad8acea0ce4b96f21a6cbf86d11dc98f8c",
        "7a6821fe7bceb3049ad9c7357840a55e6b0002ef872b38958b5d149605de0832",
    ),
    Dataset(
        "CIFAR100", Hub("uoft-cs/cifar100", "cifar100", image="img", label="fine_label"),
        (32, 32, 3), 100, 50000, 10000,
        "bd8d3ac04ed6b1f64e41821679c8e150efb279da38eae277ad55d4f2c170fcf0",
        "e4c0a971cb4fe3d136bef0afbe867918e7269d25d7801ce952d96b6fe6f190a6",
    ),
    # JPEG, so its digest is over the encoded bytes. None is published: the one found when the
    # cache is first built is recorded in the file's header and checked from then on.
    Dataset(
        "TinyImageNet", Hub("zh-plus/tiny-imagenet", "data", test="valid", lossy=True),
        (64, 64, 3), 200, 100000, 10000, None, None,
    ),
)  # fmt: skip

DATASETS: dict[str, Dataset] = {row.name: row for row in _ROWS}

_opening = threading.Lock()  # two threads must not map the same file twice


def load(dataset: object, split: str) -> Split:
    """The images and labels of a split of `open_data`."""
    check_split(split)
    return open_data(dataset).splits[split]


def open_data(dataset: object) -> Data:
    """A data set's row and images: the same object every time in a process.

    `dataset` is a name in the table, or images of one's own: `own.Own` or a dict of its options.
    "train" is all but the last n // 10 of the n training images, "validation" is those. The first
    call on a machine fills the cache file (seconds; TinyImageNet: half a minute, 1.5 GB of memory).
    A folder is looked at in every call: if its files have changed, it is another data set.

    Raises ValueError for an unknown name or option, ConnectionError without network and mirror,
    FileNotFoundError for a folder or a mirror that lacks the set, digests.CorruptData for a source
    that is damaged, OSError for a cache folder that cannot be written.
    """
    row = _find(dataset)
    if isinstance(row, Data):
        return row
    with _opening:
        return _opened(row, cache.cache_path(row.name))


def verify(dataset: object) -> None:
    """Read the whole cache file of a data set and compare its digest with the table.

    Raises FileNotFoundError where there is no cache file yet, digests.CorruptData where it is
    damaged, dataset.Outdated where a folder has changed since.
    """
    row = _find(dataset)
    if isinstance(row, Data):
        raise FileNotFoundError(f"{row.row.name} is in memory, and has no cache file")
    try:
        cache.check(row, cache.cache_path(row.name))
    except CorruptData as fault:
        raise CorruptData(f"{fault}: delete it, and the next load builds it again") from fault


def describe(dataset: object) -> Dataset:
    """A data set's row, without a download. Raises FileNotFoundError if it needs one."""
    row = _find(dataset)
    if isinstance(row, Dataset):
        return row
    if not is_at_hand(dataset):
        raise FileNotFoundError(f"the data set {dataset} is not on this machine")
    return open_data(dataset).row


def is_at_hand(dataset: object) -> bool:
    """Whether a data set can be opened without a download."""
    row = _find(dataset)
    if isinstance(row, Data) or not isinstance(row.source, Hub | HubImages):
        return True
    return cache.cache_path(row.name).exists()


def _find(dataset: object) -> Dataset | Unseen | Data:
    if isinstance(dataset, str) and dataset in DATASETS:
        return DATASETS[dataset]
    if not isinstance(dataset, Own | Mapping):
        raise ValueError(
            f"unknown data set {dataset!r}: choose one of {', '.join(DATASETS)}, or give "
            "{'folder': ...}, {'hub': ...} or what from_arrays returns"
        )
    own = given(Own, dataset, "dataset")
    return own.unseen() if own.arrays is None else held(own.arrays)


@functools.cache
def _opened(row: Dataset | Unseen, path: Path) -> Data:
    return cut(*cache.open_or_build(row, path))
