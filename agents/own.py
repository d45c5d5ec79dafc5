"""Agents of the user's own: what they must have, and how they get to where their runs are made."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle

from agents.settings import AGENTS

METHODS = ("act", "learn")

Maker = Callable[[Any, Any, int], Any]  # observation and action space of a trial, seed -> agent


@dataclass(frozen=True)
class Own:
    """What makes an agent, in a form that any process can read, be it a class of a notebook."""

    pickled: bytes

    def __call__(self, seen: Any, choice: Any, seed: int) -> Any:
        """Make the agent."""
        return cloudpickle.loads(self.pickled)(seen, choice, seed)


def pack(name: str, make: Maker) -> Own:
    """An agent given as an argument. Raises TypeError, ValueError for what is none."""
    if not re.fullmatch(r"\w[\w-]*", name) or name in AGENTS:
        raise ValueError(
            f"{name!r} cannot be the name of an agent of your own: take letters, digits, _ and -, "
            "and none of the suite's names"
        )
    if not callable(make) or (not isinstance(make, type) and hasattr(make, "act")):
        raise TypeError(
            f"{name} is given as {make!r}: give its class, or a function of (observation_space, "
            "action_space, seed) that makes it, since each run begins with a new one"
        )
    if isinstance(make, type):
        check_methods(make, name)
    try:
        return Own(cloudpickle.dumps(make))
    except Exception as fault:
        raise TypeError(
            f"{name} cannot be sent to the processes that make the runs ({fault}): what it needs "
            "of files, locks or generators, it must make by itself"
        ) from fault


def check_methods(agent: Any, name: str) -> None:
    """Raise TypeError if an agent, or its class, cannot act or cannot learn."""
    missing = [method for method in METHODS if not hasattr(agent, method)]
    if missing:
        raise TypeError(f"{name} needs the methods act(images) and learn(reward): no {missing[0]}")
    said = getattr(agent, "learns_from", "reward")
    if isinstance(said, str) and said not in ("reward", "label"):  # a class may have a property
        raise TypeError(f'{name} says learns_from = {said!r}: it is "reward" or "label"')


def check_firewall(agent: Any, name: str) -> None:
    """Raise ValueError if an agent, or its class, asks for labels."""
    if getattr(agent, "learns_from", "reward") == "label":
        raise ValueError(
            f"{name} says learns_from = 'label', but in a comparison agents of your own are "
            "answered with rewards only: what learns from labels there is a signal and a credit "
            "rule, such as label+backprop, or one that you add"
        )
