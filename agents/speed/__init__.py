"""How fast the suite is: cases with targets, each measured against another way to do the same.

A case is one line in a table of `stepping`, `learning`, `opening` or `peers`.
"""

from collections.abc import Sequence

from agents.speed import learning, opening, peers, stepping
from agents.speed.case import Case

CASES: dict[str, Case] = {
    case.name: case
    for case in (*stepping.CASES, *learning.CASES, *opening.CASES, *peers.CASES)
}


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, or all of them. Raises ValueError for a name that is none."""
    for name in names:
        if name not in CASES:
            raise ValueError(f"unknown case {name!r}: choose from {', '.join(CASES)}")
    return [CASES[name] for name in names or CASES]
