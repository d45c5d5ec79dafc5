"""Measuring cases one after the other, and what came out."""

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from statistics import median, quantiles
from typing import Any

import torch

from agents.runs.origin import device_name, now, origin
from agents.speed.case import Case, Missing, Reading
from agents.speed.images import Scale


@dataclass(frozen=True)
class Result:
    """A case measured; medians over the repeats, and their quartiles."""

    name: str
    what: str
    against: str
    unit: str
    ours: float
    theirs: float
    figure: float
    low: float
    high: float
    figure_unit: str
    least: float | None
    most: float | None
    met: bool | None
    repeats: int


@dataclass(frozen=True)
class Left:
    """A case that could not be measured, and why."""

    name: str
    what: str
    against: str
    missing: str


Progress = Callable[[Case, int], None]  # a case, and the repeats it has had


def measure(
    cases: Sequence[Case], scale: Scale, progress: Progress = lambda case, done: None
) -> list[Result | Left]:
    """Measure each case by itself."""
    return [_measured(case, scale, progress) for case in cases]


def _measured(case: Case, scale: Scale, progress: Progress) -> Result | Left:
    readings = []
    try:
        progress(case, 0)
        sample = case.prepare(scale)
        for done in range(scale.repeats):
            readings.append(sample())
            progress(case, done + 1)
    except Missing as reason:
        return Left(case.name, case.what, case.against, str(reason))
    return _result(case, readings)


def _result(case: Case, readings: Sequence[Reading]) -> Result:
    figures, ours, theirs = zip(*readings, strict=True)
    middle = median(figures)
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return Result(
        case.name, case.what, case.against, case.unit, median(ours), median(theirs), middle, low,
        high, case.figure, case.least, case.most, case.met(middle), len(figures),
    )  # fmt: skip


def report(results: Sequence[Result | Left], scale: Scale) -> dict[str, Any]:
    """Everything as plain values for JSON: results, device, versions, commit, command."""
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    cpu = device_name(torch.device("cpu"))
    source = origin()
    source["versions"]["stable-baselines3"] = version("stable-baselines3")
    return {
        "device": {"cpu": cpu, "cores": os.cpu_count(), "gpu": gpu, "system": platform.platform()},
        "threads": torch.get_num_threads(), "clock": scale.clock.__name__, "at": now(), **source,
        "cases": [asdict(result) for result in results],
    }  # fmt: skip


def with_kept(told: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """A report with an earlier one's cases that it lacks; those say when and of what commit."""
    again = {case["name"]: case for case in told["cases"]}
    source = {"at": before["at"], "commit": before["commit"]}
    cases = [again.pop(case["name"], source | case) for case in before["cases"]]
    return told | {"cases": [*cases, *again.values()]}
