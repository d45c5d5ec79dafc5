"""From finished runs to the rows of summary.json and of the curves file."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from agents.comparison import statistics
from agents.comparison.statistics import Estimate, Ratio

if TYPE_CHECKING:
    from agents.comparison.run import Result

PROTOCOL = "1"  # goes up when the same runs would give other figures
SUPERVISED = "supervised"
RHOS = (0.90, 0.95, 0.99)
HEADLINE_RHO = 0.95
INTERVALS = {
    "test_accuracy": "mean, Student t 95 %",
    "test_accuracy_minus": "mean of the differences by seed, Student t 95 %",
    "ratio_to_supervised": "geometric mean, Student t 95 % on logs; median, order statistics "
    "(true coverage beside it) where a run is censored",
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

    level: float
    horizon: float
    reference_times: Mapping[int, float | None]
    """Supervised's hitting times in trials, by seed."""


def summarise(
    results: Sequence["Result"], task: Task, cells: Mapping[str, Mapping[str, Any]]
) -> list[Row]:
    """One row per agent, ready for JSON: None where a figure is not known, nothing dropped.

    `cells` says what each agent is: its signal, credit, network and what it learns from.
    """
    runs: dict[str, dict[int, Result]] = {}
    for result in results:
        runs.setdefault(result.agent, {})[result.seed] = result
    final, source = _supervised_final(runs.get(SUPERVISED, {}), task)
    criteria = {
        f"{rho:.2f}": None if final is None else _criterion(rho, final, runs, task) for rho in RHOS
    }
    common = {"supervised_final": final, "supervised_final_from": source, "chance": task.chance}
    return [
        _identity(agent, runs[agent], task)
        | dict(cells[agent])
        | _accuracy(agent, runs)
        | _times(runs[agent], criteria)
        | {"protocol": _protocol(runs[agent], criteria) | common}
        for agent in runs
    ]


def curves(results: Sequence["Result"], env: str) -> list[Row]:
    """Every validation reading as a row: env, agent, seed, trials, validation_accuracy (0..1)."""
    return [
        {
            "env": env,
            "agent": result.agent,
            "seed": result.seed,
            "trials": trials,
            "validation_accuracy": accuracy,
        }
        for result in results
        for trials, accuracy in zip(result.trials, result.validation, strict=True)
    ]


def _supervised_final(supervised: Runs, task: Task) -> tuple[float | None, str]:
    """S of protocol 4, and where it came from."""
    if task.supervised_final is not None:
        return task.supervised_final, "benchmarks/criteria.csv"
    if not supervised:
        return None, "none: no supervised agent ran and no criterion is frozen for this task"
    finals = [
        task.chance if run.diverged is not None else run.validation[-1]
        for run in supervised.values()
    ]
    mean = sum(finals) / len(finals)
    if mean <= task.chance:
        return None, "none: supervised stayed at chance"
    return mean, "this run's supervised"


def _criterion(rho: float, final: float, runs: Mapping[str, Runs], task: Task) -> Criterion:
    level = statistics.criterion(final, task.classes, rho)
    times = _hitting_times(runs.get(SUPERVISED, {}), level)
    horizon = statistics.censoring_horizon(list(times.values()), task.trials)
    return Criterion(level, horizon, times)


def _hitting_times(runs: Runs, level: float) -> dict[int, float | None]:
    """By seed. A run that diverged did not learn, even if it had reached the level before."""
    return {
        seed: None
        if run.diverged is not None
        else statistics.hitting_time(run.trials, run.validation, level)
        for seed, run in runs.items()
    }


def _identity(agent: str, runs: Runs, task: Task) -> Row:
    return {
        "env": task.env,
        "agent": agent,
        "seeds": len(runs),
        "epochs": task.epochs,
        "trials": task.trials,
        "device": task.device,
    }


def _accuracy(agent: str, runs: Mapping[str, Runs]) -> Row:
    own = runs[agent]
    accuracies = [run.test_accuracy for run in own.values()]
    estimate = statistics.mean_interval(accuracies)
    return {
        "test_accuracy": {
            "mean": estimate.value,
            # A few unequal seeds can stretch the interval past what an accuracy can be.
            "low": None if estimate.low is None else max(estimate.low, 0.0),
            "high": None if estimate.high is None else min(estimate.high, 1.0),
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
        [own[seed].test_accuracy for seed in seeds], [other[seed].test_accuracy for seed in seeds]
    )


def _times(runs: Runs, criteria: Mapping[str, Criterion | None]) -> Row:
    """Figures at the headline criterion, and under `criteria` at each."""
    each = {rho: _times_to(runs, criterion) for rho, criterion in criteria.items()}
    return each[f"{HEADLINE_RHO:.2f}"] | {"criteria": each}


def _times_to(runs: Runs, criterion: Criterion | None) -> Row:
    if criterion is None:
        missing = {"median": None, "lower_bound": False, "per_seed": [None] * len(runs)}
        return {
            "trials_to_criterion": missing,
            "ratio_to_supervised": asdict(Ratio(None)),
            "censored": None,
        }
    times = _hitting_times(runs, criterion.level)
    reached = statistics.censor(list(times.values()), criterion.horizon)
    median = statistics.median_time(reached)
    seeds = [seed for seed in times if seed in criterion.reference_times]
    ratio = statistics.ratio(
        [times[seed] for seed in seeds],
        [criterion.reference_times[seed] for seed in seeds],
        criterion.horizon,
    )
    return {
        "trials_to_criterion": {
            "median": criterion.horizon if median is None else median,
            "lower_bound": median is None,
            "per_seed": list(times.values()),
        },
        "ratio_to_supervised": asdict(ratio),
        "censored": reached.count(None),
    }


def _protocol(runs: Runs, criteria: Mapping[str, Criterion | None]) -> Row:
    """What the figures rest on; costs are sums over the agent's runs."""
    headline = criteria[f"{HEADLINE_RHO:.2f}"]
    return {
        "version": PROTOCOL,
        "seeds": list(runs),
        "rho": HEADLINE_RHO,
        "level": headline and headline.level,
        "horizon": headline and headline.horizon,
        "levels": {rho: criterion and criterion.level for rho, criterion in criteria.items()},
        "horizons": {rho: criterion and criterion.horizon for rho, criterion in criteria.items()},
        "intervals": INTERVALS,
        "env_steps": sum(run.env_steps for run in runs.values()),
        "forward_passes": sum(run.forward_passes for run in runs.values()),
        "seconds": sum(run.seconds for run in runs.values()),
    }
