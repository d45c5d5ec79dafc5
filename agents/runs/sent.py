"""Runs with a credit rule of the user's own, on their way to where they are made."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cloudpickle

from agents.credit import RULES, CreditRule
from agents.importing import here_on_path
from agents.own_code import of_the_suite
from agents.runs.executors import Requeued


@dataclass(frozen=True)
class Sent(Requeued):
    """A call on its way to another process, and the rule, which that may never have imported."""

    pickled: bytes

    def __call__(self) -> Any:
        """Add the rule to the table there, and call."""
        here_on_path()
        call, rule = cloudpickle.loads(self.pickled)
        RULES[rule.name] = rule
        return call()


def sent(call: Callable[[], Any], rule: CreditRule) -> Callable[[], Any]:
    """The call, in a form that finds the rule in any process."""
    kind = type(rule)
    return call if of_the_suite(kind) else Sent(cloudpickle.dumps((call, kind)))
