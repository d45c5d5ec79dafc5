"""Which of a Hub data set's parquet files are its training and its test images."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import PurePosixPath

from credit_envs.gathered import TESTS

SHARD = re.compile(r"-\d+-of-\d+.*$")  # train-00000-of-00002, train-00000-of-00001-0123456789abcdef

Splits = dict[str, list[str]]  # the files of each split


def choose(
    names: Iterable[str], repo: str, config: str | None, train: str | None, test: str | None
) -> tuple[list[str], list[str]]:
    """The training and the test files, none for a test where there are none.

    Raises ValueError, with what there is, if that is not clear.
    """
    configs = by_config(names)
    if not configs:
        raise ValueError(f"{repo} has no parquet files, neither of its own nor made by the Hub")
    if config is not None and config not in configs:
        raise ValueError(f"{repo} has no config {config!r}, only {_listed(configs)}")
    wanted = train or "train"
    fit = [name for name in configs if config in (None, name) and wanted in configs[name]]
    if not fit:
        there = sorted({split for splits in configs.values() for split in splits})
        raise ValueError(
            f"{repo} has no split {wanted!r}, only {_listed(there)}: name one as train"
        )
    if len(fit) > 1:
        raise ValueError(f"{repo} has several configs, {_listed(fit)}: name one as config")
    splits = configs[fit[0]]
    if test == wanted:
        raise ValueError(f"train and test are the same split of {repo}, {test!r}: leave test out")
    if test is not None and test not in splits:
        raise ValueError(f"{repo} has no split {test!r}, only {_listed(splits)}: name one as test")
    tests = [test] if test else [name for name in TESTS if name in splits and name != wanted]
    return splits[wanted], splits[tests[0]] if tests else []


def by_config(names: Iterable[str]) -> dict[str, Splits]:
    """Files by config and split, both as the Hub lays them out.

    A file is `<config>/<split>-00000-of-00001.parquet`, or where the Hub converted it
    `<config>/<split>/0000.parquet`.
    """
    found: dict[str, Splits] = defaultdict(lambda: defaultdict(list))
    for name in sorted(names):
        path = PurePosixPath(name)
        if path.suffix != ".parquet":
            continue
        *folders, stem = path.with_suffix("").parts
        if stem.isdigit() and folders:
            *folders, stem = folders
        found["/".join(folders)][SHARD.sub("", stem)].append(name)
    return found


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
