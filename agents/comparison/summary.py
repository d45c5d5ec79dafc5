"""From finished runs to the rows of summary.json and of the curves file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean
from typing import TYPE_CHECKING, Any, cast

from agents.comparison import statistics
from agents.comparison.statistics import Estimate

if TYPE_CHECKING:
    from agents.comparison.run import Result

PROTOCOL = "1"  # goes up when the same runs would give other figures
SUPERVISED = "supervised"
RHOS = (0.90, 0.95, 0.99)
HEADLINE_RHO = 0.95
INTERVALS = {
    "test_accuracy": "mean, Student t 95 %",
    "test_accuracy_minus": "mean of the differences by seed, Student t 95 %",
    "ratio_to_supervised": "geometric mean, Student t 95 % on logs; median, order statistics and "
    "their true coverage where a run is censored",
}

Row = dict[str, Any]
Runs = Mapping[int, "Result"]  # one agent's runs by seed


@dataclass(frozen=True)
class Task:
    """What all runs of a comparison share."""

    env: str
    classes: int
    epochs: float
    trials: int
    """Budget of every run."""
    device: str
    supervised_final: float | None = None
    """S as frozen in benchmarks/criteria.csv, 0..1; None: taken from the supervised runs here."""

    @property
    def chance(self) -> float:
        """Accuracy of guessing, 0..1."""
        return 1 / self.classes


@dataclass(frozen=True)
class Criterion:
    """An accuracy to be reached, and how long supervised learning took to."""

    level: float | None
    """None: there is no criterion, and so no time to it."""
    horizon: float
    reference_times: Mapping[int, float | None]
    """Supervised's hitting times in trials, by seed."""


def summarise(
    results: Sequence["Result"], task: Task, cells: Mapping[str, Mapping[str, Any]]
) -> list[Row]:
    """One row per agent of `cells`, ready for JSON: None where a figure is not known.

    `cells` says what each agent is: its signal, credit, network and what it learns from.
    """
    by_seed = sorted(results, key=lambda result: result.seed)
    runs = {
        agent: {result.seed: result for result in by_seed if result.agent == agent}
        for agent in cells
    }
    final, source = _supervised_final(runs.get(SUPERVISED, {}), task)
    criteria = {rho: _criterion(rho, final, runs.get(SUPERVISED, {}), task) for rho in RHOS}
    reference = {"supervised_final": final, "supervised_final_from": source, "chance": task.chance}
    return [
        {"env": task.env, "agent": agent, "seeds": len(runs[agent])}
        | {"epochs": task.epochs, "trials": task.trials, "device": task.device}
        | dict(cells[agent])
        | _accuracy(agent, runs)
        | _times(runs[agent], criteria[HEADLINE_RHO])
        | {"criteria": {f"{rho:.2f}": _times(runs[agent], criteria[rho]) for rho in RHOS}}
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


def _supervised_final(supervised: Runs, task: Task) -> tuple[float | None, str]:
    """S of protocol 4, and where it came from."""
    if task.supervised_final is not None:
        return task.supervised_final, "benchmarks/criteria.csv"
    if not supervised:
        return None, "no supervised agent ran and no criterion is frozen for this task"
    finals = [
        run.validation[-1] if run.diverged is None else task.chance for run in supervised.values()
    ]
    final = mean(finals)  # exact: a sum of floats could put three times chance above chance
    if final <= task.chance:
        return None, "supervised stayed at chance"
    return final, "this run's supervised"


def _criterion(rho: float, final: float | None, supervised: Runs, task: Task) -> Criterion:
    if final is None:
        return Criterion(None, task.trials, {})
    level = statistics.criterion(final, task.classes, rho)
    times = _hitting_times(supervised, level)
    horizon = statistics.censoring_horizon(list(times.values()), task.trials)
    return Criterion(level, horizon, times)


def _hitting_times(runs: Runs, level: float | None) -> dict[int, float | None]:
    """By seed. A run that diverged did not learn, even if it had reached the level before."""
    return {
        seed: None
        if level is None or run.diverged is not None
        else statistics.hitting_time(run.trials, run.validation, level)
        for seed, run in runs.items()
    }


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
            other: asdict(_difference(own, runs[other])) for other in runs if other != agent
        },
        "diverged": sum(run.diverged is not None for run in own.values()),
    }


def _difference(own: Runs, other: Runs) -> Estimate:
    seeds = [seed for seed in own if seed in other]
    return statistics.paired_difference(
        _test_accuracies(own, seeds), _test_accuracies(other, seeds)
    )


def _test_accuracies(runs: Runs, seeds: Sequence[int]) -> list[float]:
    read = [runs[seed].test_accuracy for seed in seeds]
    if None in read:
        raise ValueError("these are runs of a search, which never reads the test images")
    return cast(list[float], read)


def _times(runs: Runs, criterion: Criterion) -> Row:
    """How long the runs took to the criterion; one beyond the horizon keeps its time per seed."""
    times = _hitting_times(runs, criterion.level)
    reached = statistics.censor(list(times.values()), criterion.horizon)
    median = statistics.median_time(reached)
    beyond = median is None and criterion.level is not None
    seeds = [seed for seed in times if seed in criterion.reference_times]
    pairs = [times[seed] for seed in seeds], [criterion.reference_times[seed] for seed in seeds]
    return {
        "level": criterion.level,
        "horizon": criterion.horizon,
        "trials_to_criterion": {
            "median": criterion.horizon if beyond else median,
            "lower_bound": beyond,
            "per_seed": list(times.values()),
        },
        "ratio_to_supervised": asdict(statistics.ratio(*pairs, criterion.horizon)),
        "censored": None if criterion.level is None else reached.count(None),
    }


def _protocol(runs: Runs, criterion: Criterion) -> Row:
    """What the figures rest on; costs are sums over the agent's runs."""
    return {
        "version": PROTOCOL,
        "seeds": list(runs),
        "rho": HEADLINE_RHO,
        "level": criterion.level,
        "horizon": criterion.horizon,
        "intervals": INTERVALS,
        "env_steps": sum(run.env_steps for run in runs.values()),
        "forward_passes": sum(run.forward_passes for run in runs.values()),
        "seconds": sum(run.seconds for run in runs.values()),
    }
