"""Comparisons of several environments together: from their folders to the pooled figures."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.comparison.pooled import Pool
from agents.comparison.summary import PROTOCOL
from agents.comparison.task import SUPERVISED, Row

LEVELS = tuple(round(0.05 * k, 2) for k in range(25))  # scores of the profile, 0 to 1.2
SHOWN = (0.5, 0.9)  # of them, in the table


def read(folder: Path) -> list[Row]:
    """The rows that a comparison left in its folder. Raises ValueError."""
    path = folder / "summary.json"
    try:
        rows = [_checked(row) for row in json.loads(path.read_text())]
    except FileNotFoundError as fault:
        raise ValueError(f"{str(folder)!r} holds no summary.json of a comparison") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise ValueError(f"{str(path)!r} is damaged, or no comparison's: make it again") from fault
    if not rows:
        raise ValueError(f"{str(path)!r} has no rows")
    return rows


def _checked(row: Row) -> Row:
    """The row, if it has what is pooled. Raises ValueError, KeyError, TypeError."""
    accuracies, protocol = row["test_accuracy"]["per_seed"], row["protocol"]
    missing = {"env", "agent", "diverged"} - set(row)
    if missing or not accuracies or len(accuracies) != len(protocol["seeds"]):
        raise ValueError("not all is there")
    np.array([*accuracies, protocol["chance"]], dtype=float)  # raises if these are no numbers
    return row


def pool(comparisons: Sequence[Sequence[Row]]) -> Pool:
    """The runs of the agents that all comparisons have. Raises ValueError where they do not fit."""
    if len(comparisons) < 2:
        raise ValueError("pooled figures need the folders of two environments or more")
    envs = [rows[0]["env"] for rows in comparisons]
    if len(set(envs)) < len(envs):
        raise ValueError(f"one folder an environment, got {', '.join(envs)}")
    seeds = {str(row["protocol"]["seeds"]) for rows in comparisons for row in rows}
    if len(seeds) > 1:
        raise ValueError(f"all runs need the same seeds, got {' and '.join(sorted(seeds))}")
    accuracies = [
        {row["agent"]: row["test_accuracy"]["per_seed"] for row in r} for r in comparisons
    ]
    agents = [agent for agent in accuracies[0] if all(agent in found for found in accuracies)]
    chance = np.array([rows[0]["protocol"]["chance"] for rows in comparisons])
    by_agent = {a: np.array([found[a] for found in accuracies]).T for a in agents}  # (n, m)
    return Pool(by_agent, chance)


def left_out(comparisons: Sequence[Sequence[Row]]) -> list[str]:
    """Agents that only some of the comparisons have."""
    agents = [{row["agent"] for row in rows} for rows in comparisons]
    return sorted(set.union(*agents) - set.intersection(*agents))


def summarise(comparisons: Sequence[Sequence[Row]]) -> list[Row]:
    """One row per agent, ready for JSON."""
    pooled = pool(comparisons)
    seeds, _ = pooled.shape
    return [
        {
            "agent": agent,
            "envs": [rows[0]["env"] for rows in comparisons],
            "seeds": seeds,
            "diverged": sum(
                row["diverged"] for rows in comparisons for row in rows if row["agent"] == agent
            ),
            "iqm": asdict(pooled.iqm(agent)),
            "probability_of_improvement": {
                other: asdict(pooled.improvement(agent, other))
                for other in pooled.accuracies
                if other != agent
            },
            "profile": [
                {"score": level} | asdict(share)
                for level, share in zip(LEVELS, pooled.profile(agent, LEVELS), strict=True)
            ],
            "scores": pooled.scores[agent].T.tolist(),
            "protocol": {"version": PROTOCOL, "runs": seeds * len(comparisons)},
        }
        for agent in pooled.accuracies
    ]


def table(rows: Sequence[Row]) -> Table:
    """One line per agent, 100 columns at most."""
    shown = Table(title=", ".join(rows[0]["envs"]), caption=_caption(rows), box=SIMPLE_HEAD)
    shown.caption_justify, shown.title_style = "left", "bold"
    shown.collapse_padding, shown.pad_edge = True, False
    shown.add_column("agent", overflow="fold")
    headings = [f"better than\n{SUPERVISED}"] + [f"runs above\n{level:.0%}" for level in SHOWN]
    for heading in ("score, %\n(IQM)", *(f"{heading}, %" for heading in headings)):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("\ndiverged", justify="right")
    for row in rows:
        better = row["probability_of_improvement"].get(SUPERVISED)
        shares = {share["score"]: share for share in row["profile"]}
        shown.add_row(
            row["agent"].replace("+", "\n+"),
            _text(row["iqm"], 1),
            _text(better) if better else "",
            *(_text(shares[level]) for level in SHOWN),
            str(row["diverged"]),
        )
    return shown


def _caption(rows: Sequence[Row]) -> str:
    said = (
        "Scores: 0 % is chance, 100 % supervised's mean on the same seeds; "
        f"{rows[0]['seeds']} seeds in each of {len(rows[0]['envs'])} environments, all pooled."
    )
    if rows[0]["iqm"]["low"] is None:
        return f"{said} Too few seeds for an interval or a claim."
    said += " Brackets: 95 %, by a bootstrap that draws seeds jointly for all agents."
    if any(row["diverged"] for row in rows):
        said += (
            " Where runs diverged, few seeds cannot tell how many more would: the IQM's brackets "
            "then cover less (75-93 % where one run in ten diverges)."
        )
    return f"{said} Descriptive: no claim rests on this."


def _text(estimate: Row, digits: int = 0) -> str:
    value, low, high = (estimate[bound] for bound in ("value", "low", "high"))
    text = f"{100 * value:.{digits}f}"
    return text if low is None else f"{text} [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"
