"""How long the runs of a comparison took to learn: the rows' times, ratios and epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, median

from agents.comparison import statistics
from agents.comparison.task import Row, Runs, Task
from agents.runs.early_stopping import epochs_to_stop
from agents.runs.job import Result


@dataclass(frozen=True)
class Criterion:
    """An accuracy to be reached, and how long supervised learning took to."""

    level: float | None
    """None: there is no criterion, and so no time to it."""
    horizon: float
    reference_times: Mapping[int, float | None]
    """Supervised's hitting times in trials, by seed."""


def supervised_final(supervised: Runs, task: Task) -> tuple[float | None, str]:
    """S of protocol 4, and where it came from."""
    if not statistics.last_seen(task.points):
        return None, "too few evaluations for a hit"
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


def criterion_of(rho: float, final: float | None, supervised: Runs, task: Task) -> Criterion:
    """The criterion that `rho` of the way from chance to `final` makes."""
    last = statistics.last_seen(task.points)
    if final is None:
        return Criterion(None, last, {})
    level = statistics.criterion(final, task.chance, rho)
    times = _hitting_times(supervised, level, task)
    horizon = statistics.censoring_horizon(list(times.values()), last)
    return Criterion(level, horizon, times)


def to_criterion(runs: Runs, criterion: Criterion, task: Task) -> Row:
    """How long the runs took to the criterion; one beyond the horizon keeps its time per seed."""
    times = _hitting_times(runs, criterion.level, task)
    reached = statistics.censor(list(times.values()), criterion.horizon)
    least = [criterion.horizon if time is None else time for time in reached]
    known = criterion.level is not None and len(least) > 0
    return {
        "level": criterion.level,
        "horizon": criterion.horizon,
        "trials_to_criterion": {
            "median": median(least) if known else None,
            "lower_bound": known and statistics.median_time(reached) is None,
            "per_seed": list(times.values()),
        },
        "ratio_to_supervised": _ratio(times, criterion.reference_times, criterion.horizon),
        "censored": None if criterion.level is None else reached.count(None),
    }


def to_early_stop(runs: Runs, supervised: Runs, task: Task) -> Row:
    """Epochs to early stopping (protocol 7); None where a run was too short to say, or diverged."""
    stops = _stops(runs, task)
    return {
        "epochs_to_early_stop": {
            "median": statistics.median_time(list(stops.values())),
            "per_seed": list(stops.values()),
            "ratio_to_supervised": _ratio(stops, _stops(supervised, task), task.epochs),
        }
    }


def _ratio(
    times: Mapping[int, float | None], reference: Mapping[int, float | None], horizon: float
) -> Row:
    seeds = [seed for seed in times if seed in reference]
    pairs = [times[seed] for seed in seeds], [reference[seed] for seed in seeds]
    return asdict(statistics.ratio(*pairs, horizon))


def hit(run: Result, level: float, points: Sequence[int] = ()) -> float | None:
    """Trials of a run to the level, by its readings at `points`, or by all.

    None: not reached, or diverged. Such a run did not learn, even if it had been there before.
    """
    if run.diverged is not None:
        return None
    readings = dict(zip(run.trials, run.validation, strict=True))
    kept = [point for point in readings if not points or point in points]
    return statistics.hitting_time(kept, [readings[point] for point in kept], level)


def _hitting_times(runs: Runs, level: float | None, task: Task) -> dict[int, float | None]:
    """By seed."""
    return {
        seed: None if level is None else hit(run, level, task.points) for seed, run in runs.items()
    }


def _stops(runs: Runs, task: Task) -> dict[int, float | None]:
    stops = {}
    for seed, run in runs.items():
        readings = dict(zip(run.trials, run.validation, strict=True))
        whole = run.diverged is None and set(task.epoch_points) <= set(readings)
        stops[seed] = epochs_to_stop([readings[p] for p in task.epoch_points]) if whole else None
    return stops
