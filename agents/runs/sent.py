"""Runs with parts of the user's own, on their way to where they are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle

from agents.importing import here_on_path
from agents.own_code import TABLES, own_parts
from agents.runs.executors import Requeued
from agents.settings import Settings


@dataclass(frozen=True)
class Sent(Requeued):
    """A call on its way to another process, and parts of agents that it may never have imported."""

    pickled: bytes

    def __call__(self) -> Any:
        """Add the parts to their tables there, and call."""
        here_on_path()
        call, parts = cloudpickle.loads(self.pickled)
        for table, (name, part) in parts.items():
            TABLES[table][name] = part
        return call()


def sent(call: Callable[[], Any], settings: Settings) -> Callable[[], Any]:
    """The call, in a form that finds these settings' rule, signal and network in any process."""
    parts = own_parts(settings)
    return Sent(cloudpickle.dumps((call, parts))) if parts else call
