"""Claims that are declared before the runs, tested on them and corrected for their number.

Protocol 11: "A>B" by the paired t test; "A~B:0.5", A within half a point of B, by whether the
95 % interval of the paired difference lies inside. Both p values are twice a one-sided one, so
that p <= .05 says the same as the interval, but for agents that both diverged on a seed: those are
not within anything of each other. Holm's correction: no false claim among all of them with 95 %
probability. What was not declared is descriptive.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from agents.comparison.statistics import CONFIDENCE, MIN_SEEDS, Estimate, mean_interval

LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True)
class Claim:
    """`agent` has the higher test accuracy, or one within `margin` points of `other`'s."""

    agent: str
    other: str
    margin: float | None = None

    def __str__(self) -> str:
        if self.margin is None:
            return f"{self.agent} > {self.other}"
        return f"{self.agent} within {self.margin:g} points of {self.other}"


@dataclass(frozen=True)
class Verdict:
    """What came of a claim."""

    claim: str
    agent: str
    difference: Estimate
    """Of the test accuracies, 0..1, seed by seed; its interval is not corrected."""
    p: float | None
    p_holm: float | None
    holds: bool | None
    """None: too few seeds for a claim."""


def parse(text: str) -> tuple[Claim, ...]:
    """Claims as declared on the command line, "a>b,a~c:0.5". Raises ValueError."""
    claims = tuple(_parse(part.strip()) for part in text.split(",")) if text.strip() else ()
    if len(set(claims)) < len(claims):
        raise ValueError(f"claims {text!r} declare one twice: its correction counts each once")
    return claims


def _parse(text: str) -> Claim:
    agent, above, other = map(str.strip, text.partition(">"))
    if agent and above and other:
        return Claim(agent, other)
    agent, _, rest = text.partition("~")
    other, _, margin = rest.rpartition(":")
    try:
        points = float(margin)
    except ValueError:
        points = math.nan
    if not agent.strip() or not other.strip() or not 0 < points < math.inf:
        raise ValueError(
            f"claim {text!r} is none: write 'a>b', or 'a~b:0.5' for within half a point of test "
            "accuracy"
        )
    return Claim(agent.strip(), other.strip(), points)


def check(claims: Sequence[Claim], agents: Collection[str]) -> None:
    """Refuse claims about agents that do not run, or about one alone. Raises ValueError."""
    for claim in claims:
        absent = [agent for agent in (claim.agent, claim.other) if agent not in agents]
        if absent:
            raise ValueError(
                f"claim '{claim}' names {absent[0]!r}, which does not run here: choose among "
                f"{', '.join(agents)}"
            )
        if claim.agent == claim.other:
            raise ValueError(f"claim '{claim}' compares {claim.agent!r} with itself")


def judge(
    claims: Sequence[Claim], differences: Sequence[Sequence[float]], failed: Sequence[bool]
) -> list[Verdict]:
    """Test each claim by its paired differences of accuracy (0..1); correct for all of them.

    `failed` says for which claims both agents diverged on a seed: they score alike then, chance,
    which shows nobody to be within anything of anybody.
    """
    ps = [p_value(d, claim.margin) for claim, d in zip(claims, differences, strict=True)]
    ps = [
        1.0 if p is not None and both and claim.margin else p
        for claim, p, both in zip(claims, ps, failed, strict=True)
    ]
    corrected = holm([1.0 if p is None else p for p in ps])
    return [
        Verdict(
            str(claim), claim.agent, mean_interval(d), p,
            p_holm=None if p is None else adjusted, holds=None if p is None else adjusted <= LEVEL,
        )
        for claim, d, p, adjusted in zip(claims, differences, ps, corrected, strict=True)
    ]  # fmt: skip


def p_value(differences: Sequence[float], margin: float | None = None) -> float | None:
    """Of a mean above 0, or within `margin` points of it; None under 5 seeds (protocol 9)."""
    if len(differences) < MIN_SEEDS:
        return None
    values = np.asarray(differences)
    if margin is None:
        one_sided = _above(values, 0)
    else:
        one_sided = max(_above(values, -margin / 100), _above(-values, -margin / 100))
    return min(1.0, 2 * one_sided)


def _above(values: np.ndarray, bound: float) -> float:
    """One-sided p of Student's t for a mean above `bound`; equal values leave no doubt."""
    excess, error = values.mean() - bound, values.std(ddof=1) / math.sqrt(len(values))
    if error == 0:
        return float(excess <= 0)
    return float(stats.t.sf(excess / error, len(values) - 1))


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values: the smallest times n, the next times n - 1, never falling."""
    adjusted, least = [0.0] * len(ps), 0.0
    for rank, i in enumerate(sorted(range(len(ps)), key=lambda i: ps[i])):
        least = max(least, min(1.0, (len(ps) - rank) * ps[i]))
        adjusted[i] = least
    return adjusted
