"""What is the user's own, agents and their parts: which it is, and whether it changed.

A run is kept under its settings. Of a rule these have the name and the numbers, of a signal and a
network the name, of an agent nothing. So what comes from outside this package adds what stands for
its code: edited, it is another.
"""

import hashlib
import inspect
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

from agents.credit import RULES
from agents.networks import NETWORKS, Network
from agents.settings import Settings
from agents.signals import SIGNALS

KNOWN = (__name__.partition(".")[0], "torch", "builtins")
TABLES: dict[str, dict[str, Any]] = {"rule": RULES, "signal": SIGNALS, "network": NETWORKS}

Kind = type | Callable[..., Any]  # a class, or the function that builds a network


def own_parts(settings: Settings) -> dict[str, tuple[str, Any]]:
    """What of an agent is no part of the suite: by table its name there and its entry."""
    named = {"rule": settings.rule.name, "signal": settings.signal, "network": settings.network}
    parts = {table: (name, TABLES[table].get(name)) for table, name in named.items()}
    parts["rule"] = named["rule"], type(settings.rule)  # which need not be in the table
    return {table: part for table, part in parts.items() if part[1] and code_of(_kind(part[1]))}


def code_of_parts(settings: Settings) -> str:
    """Eight digits for each part of an agent that is the user's own, "" for the suite's."""
    return "".join(code_of(_kind(part)) for _, part in own_parts(settings).values())


def code_of(kind: Kind) -> str:
    """Eight digits for the code of a class or function of the user's own, "" for the suite's.

    That is all of its file, and of those it inherits from; in a notebook its methods.
    """
    own = [one for one in getattr(kind, "__mro__", (kind,)) if not _is_known(one)]
    text = "".join(map(_text, own)).encode()
    return hashlib.blake2b(text, digest_size=4).hexdigest() if own else ""


def _kind(part: Any) -> Kind:
    return part.build if isinstance(part, Network) else part


def _is_known(kind: Kind) -> bool:
    return kind.__module__.partition(".")[0] in KNOWN


def _text(kind: Kind) -> str:
    try:
        return inspect.getsource(sys.modules[kind.__module__])
    except (OSError, TypeError):  # a notebook, or a prompt, is no file
        parts = vars(kind).values() if isinstance(kind, type) else [kind]
        return "".join(map(_compiled, map(_function, parts)))


def _function(value: Any) -> Any:
    bare = getattr(value, "fget", None) or getattr(value, "__func__", value)
    return getattr(inspect.unwrap(bare), "__code__", None) if callable(bare) else None


def _compiled(code: CodeType | None) -> str:
    """What a function does, wherever it stands."""
    if code is None:
        return ""
    inner = [_compiled(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return repr((code.co_code, code.co_names, inner))
