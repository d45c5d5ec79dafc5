"""Agents and credit rules of the user's own: which they are, and whether they changed.

A run is kept under its settings, and of a rule these have the name and the numbers, of an agent
nothing. So a class from outside this package adds what stands for its code: edited, it is another.
"""

import hashlib
import inspect
import sys
from types import CodeType
from typing import Any

PACKAGE = __name__.partition(".")[0]


def code_of(kind: type) -> str:
    """Eight digits for the code of a class of the user's own, "" for the suite's.

    That is all of its file, and of those it inherits from; in a notebook its methods.
    """
    own = [one for one in kind.__mro__ if one is not object and not of_the_suite(one)]
    text = "".join(map(_text, own)).encode()
    return hashlib.blake2b(text, digest_size=4).hexdigest() if own else ""


def of_the_suite(kind: type) -> bool:
    """Is it one of this package?"""
    return kind.__module__.partition(".")[0] == PACKAGE


def _text(kind: type) -> str:
    try:
        return inspect.getsource(sys.modules[kind.__module__])
    except (OSError, TypeError):  # a notebook, or a prompt, is no file
        return "".join(map(_compiled, map(_function, vars(kind).values())))


def _function(value: Any) -> Any:
    bare = getattr(value, "fget", None) or getattr(value, "__func__", value)
    return getattr(inspect.unwrap(bare), "__code__", None) if callable(bare) else None


def _compiled(code: CodeType | None) -> str:
    """What a function does, wherever it stands."""
    if code is None:
        return ""
    inner = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, inner))
