"""From finished runs to the rows of summary.json and of the curves file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from agents.comparison import statistics
from agents.comparison.claims import Claim, judge
from agents.comparison.controls import beats, control_of
from agents.comparison.task import SUPERVISED, Row, Runs, Task
from agents.comparison.times import (
    Criterion,
    criterion_of,
    supervised_final,
    to_criterion,
    to_early_stop,
)

if TYPE_CHECKING:
    from agents.runs.job import Result

PROTOCOL = "3"  # goes up when the protocol changes
RHOS = (0.90, 0.95, 0.99)
HEADLINE_RHO = 0.95
COSTS = ("env_steps", "presentations", "forward_passes", "multiply_adds", "seconds")
INTERVALS = {
    "test_accuracy": "mean, Student t 95 %",
    "test_accuracy_minus": "mean of the differences by seed, Student t 95 %",
    "ratio_to_supervised": "geometric mean, Student t 95 % on logs; median, order statistics and "
    "their true coverage where a run is censored; that of epochs_to_early_stop likewise",
    "claims": "mean of the differences by seed, Student t 95 %, not corrected; p_holm is",
}


def summarise(
    results: Sequence["Result"],
    task: Task,
    cells: Mapping[str, Mapping[str, Any]],
    claims: Sequence[Claim] = (),
) -> list[Row]:
    """One row per agent of `cells`, ready for JSON: None where a figure is not known.

    `cells` says what each agent is: its signal, credit, network and what it learns from. `claims`
    were declared before the runs; the row of each claim's first agent says what came of it.
    """
    by_seed = sorted(results, key=lambda result: result.seed)
    runs = {
        agent: {result.seed: result for result in by_seed if result.agent == agent}
        for agent in cells
    }
    supervised = runs.get(SUPERVISED, {})
    final, source = supervised_final(supervised, task)
    criteria = {rho: criterion_of(rho, final, supervised, task) for rho in RHOS}
    reference = {"supervised_final": final, "supervised_final_from": source, "chance": task.chance}
    judged = _judged(claims, runs)
    return [
        {"env": task.env, "agent": agent, "seeds": len(runs[agent])}
        | {"epochs": task.epochs, "trials": task.trials, "device": task.device}
        | dict(cells[agent])
        | _accuracy(agent, runs)
        | {"carries_credit": _carries_credit(agent, runs, cells)}
        | {"claims": [row for row in judged if row["agent"] == agent]}
        | to_criterion(runs[agent], criteria[HEADLINE_RHO], task)
        | {"criteria": {f"{r:.2f}": to_criterion(runs[agent], criteria[r], task) for r in RHOS}}
        | to_early_stop(runs[agent], supervised, task)
        | {"protocol": _protocol(runs[agent], criteria[HEADLINE_RHO]) | reference}
        for agent in cells
    ]


def curves(results: Sequence["Result"], env: str) -> list[Row]:
    """Every validation reading as a row: env, agent, seed, trials, validation_accuracy (0..1)."""
    return [
        {"env": env, "agent": run.agent, "seed": run.seed, "trials": at, "validation_accuracy": now}
        for run in results
        for at, now in zip(run.trials, run.validation, strict=True)
    ]


def _accuracy(agent: str, runs: Mapping[str, Runs]) -> Row:
    own = runs[agent]
    accuracies = _test_accuracies(own, list(own))
    estimate = statistics.mean_interval(accuracies)
    return {
        "test_accuracy": {
            "mean": estimate.value,
            # A few unequal seeds can stretch the interval past what an accuracy can be.
            "low": estimate.low and max(estimate.low, 0.0),
            "high": estimate.high and min(estimate.high, 1.0),
            "per_seed": accuracies,
        },
        "test_accuracy_minus": {
            other: asdict(statistics.paired_difference(*_paired(own, runs[other])))
            for other in runs
            if other != agent
        },
        "diverged": sum(run.diverged is not None for run in own.values()),
    }


def _paired(own: Runs, other: Runs) -> tuple[list[float], list[float]]:
    """Test accuracies of both on the seeds that both ran."""
    seeds = [seed for seed in own if seed in other]
    return _test_accuracies(own, seeds), _test_accuracies(other, seeds)


def _carries_credit(
    agent: str, runs: Mapping[str, Runs], cells: Mapping[str, Mapping[str, Any]]
) -> bool | None:
    """Whether it beats readout-only under its own signal (protocol 8); None: not to be said."""
    control = control_of(agent, cells)
    return None if control is None else beats(*_paired(runs[agent], runs[control]))


def _judged(claims: Sequence[Claim], runs: Mapping[str, Runs]) -> list[Row]:
    both = [(runs[claim.agent], runs[claim.other]) for claim in claims]
    differences = [[a - b for a, b in zip(*_paired(*pair), strict=True)] for pair in both]
    failed = [bool(_diverged(own) & _diverged(other)) for own, other in both]
    return [asdict(verdict) for verdict in judge(claims, differences, failed)]


def _diverged(runs: Runs) -> set[int]:
    """The seeds."""
    return {seed for seed, run in runs.items() if run.diverged is not None}


def _test_accuracies(runs: Runs, seeds: Sequence[int]) -> list[float]:
    read = [runs[seed].test_accuracy for seed in seeds]
    if None in read:
        raise ValueError("these are runs of a search, which never reads the test images")
    return cast(list[float], read)


def _protocol(runs: Runs, criterion: Criterion) -> Row:
    """What the figures rest on; costs are sums over the agent's runs."""
    return {
        "version": PROTOCOL,
        "seeds": list(runs),
        "rho": HEADLINE_RHO,
        "level": criterion.level,
        "horizon": criterion.horizon,
        "intervals": INTERVALS,
    } | {cost: _total(runs, cost) for cost in COSTS}


def _total(runs: Runs, cost: str) -> float | None:
    """None where it is not known for a run."""
    spent = [getattr(run, cost) for run in runs.values()]
    return None if None in spent else sum(spent)
