"""An agent in one safetensors file: no pickle, written whole or not at all."""

import json
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

FORMAT = "credit-envs agent 1"


def write(path: str | Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Write tensors and plain facts to one file; a kill leaves the old file or the new one."""
    metadata = {"format": FORMAT, "facts": json.dumps(facts)}
    plain = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    replace(Path(path), to_bytes(plain, metadata))


def read(path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors and facts of a file. Raises FileNotFoundError, ValueError if it is no agent."""
    with _opened(path) as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return tensors, _facts(file, path)


def read_facts(path: str | Path) -> dict[str, Any]:
    """The facts of a file alone, however large it is. Raises as `read`."""
    with _opened(path) as file:
        return _facts(file, path)


@contextmanager
def _opened(path: str | Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as fault:
        raise ValueError(f"{path} is not a sound agent file ({fault}): save it again") from fault
    except OSError as fault:
        raise type(fault)(f"{path} cannot be read ({fault})") from fault


def _facts(file: Any, path: str | Path) -> dict[str, Any]:
    metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ValueError(f"{path} is not an agent file: agents are saved by agent.save(path)")
    return json.loads(metadata["facts"])


def flat(tree: Mapping[Any, Any]) -> dict[str, Tensor]:
    """A tree of tensors and numbers as one level, "part/part/name": safetensors knows no trees."""
    level = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            level |= {f"{name}/{below}": leaf for below, leaf in flat(value).items()}
        elif value is not None:  # an optimiser may keep a place without a value
            level[str(name)] = torch.as_tensor(value)
    return level


def nested(level: Mapping[str, Tensor]) -> dict[str, Any]:
    """The tree that `flat` made one level of; all names are strings."""
    tree: dict[str, Any] = {}
    for name, leaf in level.items():
        *parts, last = name.split("/")
        branch = tree
        for part in parts:
            branch = branch.setdefault(part, {})
        branch[last] = leaf
    return tree


def replace(path: Path, content: bytes) -> None:
    """Write a file beside `path`, make sure of it, and put it in its place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
