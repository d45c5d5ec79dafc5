"""One row a run, with where it comes from: benchmarks/reproduce/NAME.json or NAME.quick.json."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

from agents.checkpoint import replace as write_whole
from agents.comparison import statistics, times
from agents.making import load_agent
from agents.presets.figure import Figure
from agents.reproduction.measures import MEASURES
from agents.reproduction.plan import Plan, Planned
from agents.right import chance
from agents.runs.early_stopping import epochs_to_stop
from agents.runs.folder import CHECKPOINT, read_config
from agents.runs.job import Result
from agents.runs.origin import now, origin

FOLDER = Path(__file__).parents[2] / "benchmarks" / "reproduce"
RHO = 0.95  # of the way from chance to the reference's accuracy

Row = dict[str, Any]


@dataclass(frozen=True)
class Record:
    """What was run of a figure, as its file has it."""

    figure: str
    quick: bool
    command: str
    versions: dict[str, str | None]
    written: str
    rows: list[Row]

    def path(self, folder: Path) -> Path:
        """Its file."""
        return folder / f"{self.figure}{'.quick' if self.quick else ''}.json"

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all, a line for each run."""
        head = {name: value for name, value in vars(self).items() if name != "rows"}
        rows = ",\n".join(json.dumps(row, allow_nan=False) for row in self.rows)
        text = json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n{rows}\n]}}\n'
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(self.path(folder), text.encode())


def read(path: Path) -> Record:
    """A record. Raises ValueError where the file is none."""
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError) as fault:
        raise ValueError(
            f"{path} is no record of a reproduced figure ({fault}): delete it and run the figure "
            "again, finished runs are kept"
        ) from fault


def record(planned: Sequence[Planned], results: Sequence[Result], root: Path) -> Record:
    """All that was run of one figure. Results stand in the order of the plan."""
    pairs = list(zip(planned, results, strict=True))
    figure, level = planned[0].figure, criterion(pairs)
    where = origin()
    rows = [_row(one, result, level, root) for one, result in pairs]
    return Record(figure.name, planned[0].quick, where["command"], where["versions"], now(), rows)


def joined(made: Record, plan: Plan, folder: Path) -> Record:
    """`made`, and what `folder` has of the figure's other lines, by the same settings."""
    path = made.path(folder)
    earlier = read(path).rows if path.exists() else []
    planned = replace(plan, lines=()).runs()
    keys = {(one.protocol, one.line.name): _key(one) for one in planned}
    kept = [
        row
        for row in earlier
        if row["line"] not in plan.lines
        and row.get("key") == keys.get((row["protocol"], row["line"]), "")
    ]
    places = list(keys)
    rows = sorted(
        [*kept, *made.rows],
        key=lambda row: (places.index((row["protocol"], row["line"])), row["seed"]),
    )
    return replace(made, rows=rows)


def criterion(pairs: Sequence[tuple[Planned, Result]]) -> float | None:
    """The validation accuracy, 0..1, the trials to which are counted; None: there is none."""
    figure = pairs[0][0].figure
    if not figure.reference:
        return figure.level or None
    least = chance(figure.env)
    finals = [
        result.validation[-1] if result.diverged is None else least
        for one, result in pairs
        if one.line.name == figure.reference and one.protocol == "own"
    ]
    final = sum(finals) / len(finals) if finals else least
    reached = statistics.criterion(final, least, RHO)
    return reached if final > least else None


def _row(one: Planned, result: Result, level: float | None, root: Path) -> Row:
    figure, job, folder = one.figure, one.job, one.job.folder(root)
    config = read_config(folder)
    sound = result.diverged is None
    return {
        "line": one.line.name, "protocol": one.protocol, "seed": job.seed, "batch": job.batch,
        "epochs": one.epochs, "budget": job.points[-1], "images": job.protocol.images,
        "sizes": list(job.settings.network_sizes) if job.settings else [],
        "accuracy": _accuracy(one, result), "last": result.validation[-1] if sound else None,
        "stop": _stop(figure, one, result), "level": level if one.protocol == "own" else None,
        "hit": _hit(one, result, level), "diverged": result.diverged,
        "change_angle": result.change_angle, "seconds": round(result.seconds, 1),
        "measured": _measured(one, folder) if sound else {},
        "commit": config["commit"], "dirty": config["dirty"], "device": config["device_name"],
        "key": _key(one),
    }  # fmt: skip


def _key(one: Planned) -> str:
    """Stands for settings and PyTorch, wherever it was run."""
    return replace(one.job, device="cpu").key()


def _accuracy(one: Planned, result: Result) -> float:
    """Test accuracy: of the best or the last epoch, or of the one that validation chose."""
    if result.diverged is not None:
        return chance(one.figure.env)
    if one.protocol == "published":
        return result.validation[-1] if one.figure.last else max(result.validation)
    assert result.test_accuracy is not None
    return result.test_accuracy


def _stop(figure: Figure, one: Planned, result: Result) -> int | None:
    """Epochs to early stopping, by the papers' count."""
    if one.protocol != "published" or not figure.patience or result.diverged is not None:
        return None
    return epochs_to_stop(result.validation, figure.patience)


def _hit(one: Planned, result: Result, level: float | None) -> float | None:
    return None if one.protocol != "own" or level is None else times.hit(result, level)


def _measured(one: Planned, folder: Path) -> dict[str, float]:
    figure = one.figure
    if not figure.measure or one.protocol != figure.protocols[-1]:
        return {}
    agent = load_agent(folder / CHECKPOINT, device=one.job.device)
    measured = MEASURES[figure.measure](agent, figure.env, one.job.protocol.images)
    return {name: value for name, value in measured.items() if isfinite(value)}
