"""The protocol's search: as many configurations for every cell, chosen on validation.

16 configurations: 8 learning rates, a factor 2 apart from the credit rule's `largest_rate` down
(perturbed costs are so noisy that their useful rates are much smaller than those of a carried
error; Adam's rates are a fiftieth of plain descent's), times 2 initialisations, or for an algorithm
of Stable-Baselines3 two values of what it names `varied`. At a first look all of them run a fifth
of the budget on one tuning seed. The best 3 run all of it on both, one that diverges giving its
place to the next, and the best final validation accuracy wins. A best rate on the edge extends the
range of every cell.

Two seeds do not see a divergence that strikes one run in four, so the winner needs a margin: with
1.4 times its rate both seeds must come through a fifth of the budget, or the second best wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import log2
from pathlib import Path
from statistics import fmean, median

from agents.runs.job import Job
from agents.runs.sweep import How, run_all
from agents.settings import Settings

HALVINGS = tuple(range(8))  # of a rule's largest rate
TUNING_SEEDS = (0, 1)
SCREEN = 5  # the first look takes one part in five of the budget
FINALISTS = 3
MARGIN = 1.4
EXTENSIONS = 2  # at most so often the range grows

Scores = dict[str, dict[Settings, float]]  # by agent and settings


@dataclass(frozen=True)
class Task:
    """Where to search."""

    env: str
    trials: int  # the full budget
    batch: int
    device: str
    how: How = How()


@dataclass(frozen=True)
class Found:
    """What the search found for one cell; accuracies are on validation, means of the seeds."""

    agent: str
    settings: Settings
    best: float  # at the full budget
    median: float  # of all configurations, at the first look
    tried: int
    on_edge: bool  # the best rate is still the largest or smallest tried


def search(cells: dict[str, Settings], task: Task, folder: Path) -> list[Found]:
    """The best settings of every cell, under equal conditions; runs are kept in `folder`."""
    halvings = HALVINGS
    for _ in range(EXTENSIONS):
        found = search_rates(cells, halvings, task, folder)
        low, high = min(halvings), max(halvings)
        edges = {_halvings(f.settings) for f in found if f.on_edge}
        if not edges:
            return found
        halvings += tuple(low - 1 if edge == low else high + 1 for edge in edges)
    return search_rates(cells, halvings, task, folder)


def search_rates(
    cells: dict[str, Settings], halvings: Sequence[int], task: Task, folder: Path
) -> list[Found]:
    """Two looks over one range of learning rates: all shortly, the best ones fully."""
    everything = [
        (agent, replace(settings, lr=settings.largest_rate / 2**k, **{settings.varied: choice}))
        for agent, settings in cells.items()
        for k in halvings
        for choice in settings.choices
    ]
    short = replace(task, trials=task.trials // SCREEN)
    first = scores(everything, TUNING_SEEDS[:1], short, folder)
    final = _finals(first, task, folder)
    winners = _winners(final, short, folder)
    return [
        Found(
            agent, winners[agent], final[agent][winners[agent]], median(first[agent].values()),
            len(first[agent]), _halvings(winners[agent]) in (min(halvings), max(halvings)),
        )
        for agent in cells
    ]  # fmt: skip


def _halvings(settings: Settings) -> int:
    return round(log2(settings.largest_rate / settings.lr))


def _finals(first: Scores, task: Task, folder: Path) -> Scores:
    """Run each cell's best at the full budget, until FINALISTS of them came through."""
    waiting = {agent: sorted(seen, key=seen.__getitem__) for agent, seen in first.items()}
    final: Scores = {agent: {} for agent in first}
    while True:
        called = []
        for agent, settings in waiting.items():
            through = sum(score > 0 for score in final[agent].values())
            called += [(agent, settings.pop()) for _ in range(FINALISTS - through) if settings]
        if not called:
            return final
        for agent, scored in scores(called, TUNING_SEEDS, task, folder).items():
            final[agent] |= scored


def _winners(final: Scores, short: Task, folder: Path) -> dict[str, Settings]:
    """Each cell's best that comes through with a margin, too; the last one is not asked."""
    ranked = {agent: _through(scored) for agent, scored in final.items()}
    winners: dict[str, Settings] = {}
    while asked := [agent for agent in ranked if agent not in winners]:
        beyond = [(agent, _faster(ranked[agent][-1])) for agent in asked]
        came = scores(beyond, TUNING_SEEDS, short, folder)
        for agent, tried in beyond:
            candidate = ranked[agent].pop()
            if came[agent][tried] > 0 or not ranked[agent]:
                winners[agent] = candidate
    return winners


def _through(scored: dict[Settings, float]) -> list[Settings]:
    """Those that did not diverge, or else all, the best one last."""
    ranked = sorted(scored, key=scored.__getitem__)
    return [settings for settings in ranked if scored[settings] > 0] or ranked


def _faster(settings: Settings) -> Settings:
    return replace(settings, lr=float(f"{MARGIN * settings.lr:.4g}"))


def scores(
    configurations: Sequence[tuple[str, Settings]], seeds: Sequence[int], task: Task, folder: Path
) -> Scores:
    """Final validation accuracy of each configuration, mean of the seeds; 0 if one diverged."""
    jobs = [
        Job(
            task.env, agent, settings, seed, task.batch, (task.trials,), task.device,
            reads_test=False,
        )
        for agent, settings in configurations
        for seed in seeds
    ]  # fmt: skip
    by_agent: dict[str, dict[Settings, list[float]]] = {}
    for job, result in zip(jobs, run_all(jobs, folder, task.how), strict=True):
        assert job.settings is not None
        score = result.validation[-1] if result.diverged is None else 0.0
        by_agent.setdefault(job.agent, {}).setdefault(job.settings, []).append(score)
    return {
        agent: {settings: fmean(seeds) if all(seeds) else 0.0 for settings, seeds in scored.items()}
        for agent, scored in by_agent.items()
    }
