"""What a user names as "module:Class", found with the current folder on the path."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any


def here_on_path() -> None:
    """Let modules of the current folder be imported, as `python` itself does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)


@contextmanager
def path_kept() -> Iterator[None]:
    """Put the path back: processes inherit it, and would take this folder's modules for theirs."""
    path = sys.path.copy()
    try:
        yield
    finally:
        sys.path[:] = path


def imported(name: str) -> Any:
    """The class behind "module:Class". Raises ValueError."""
    module, _, attribute = name.partition(":")
    here_on_path()
    try:
        return getattr(import_module(module), attribute)
    except (ImportError, AttributeError) as fault:
        raise ValueError(f"no class {attribute!r} in a module {module!r} ({fault})") from fault
