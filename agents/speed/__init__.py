"""How fast the suite is: cases with targets, each measured against another way to do the same.

A case is one line in a table of `stepping`, `learning`, `opening`, `peers`, `seeds`, `gpu` or
`host`.
"""

from collections.abc import Sequence

from agents.speed import gpu, host, learning, opening, peers, seeds, stepping
from agents.speed.case import Case

GROUPS: dict[str, Sequence[Case]] = {
    "stepping": stepping.CASES,
    "options": stepping.OPTION_CASES,
    "learning": learning.CASES,
    "opening": opening.CASES,
    "peers": peers.CASES,
    "seeds": seeds.CASES,
    "gpu": (*gpu.CASES, *seeds.GPU_CASES),
    "growth": gpu.GROWTH,
    "host": host.CASES,
}


def chosen(names: Sequence[str]) -> list[Case]:
    """The cases of these names, or of the groups of these names. Raises ValueError for others."""
    cases = {case.name: [case] for group in GROUPS.values() for case in group}
    for name in names:
        if name not in GROUPS and name not in cases:
            raise ValueError(
                f"unknown case {name!r}: choose from the groups {', '.join(GROUPS)}, or from "
                f"{', '.join(cases)}"
            )
    return [case for name in names for case in GROUPS.get(name) or cases[name]]
