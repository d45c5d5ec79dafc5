"""What was compared, the answer, and what went wrong, each in a sentence."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from agents.comparison.statistics import MIN_SEEDS
from agents.comparison.task import SUPERVISED, Row
from agents.report.gather import Comparison, counts
from agents.report.tables import Table, listed
from agents.runs.folder import Record

TOLD = 6  # names in a sentence; more are only counted


@dataclass(frozen=True)
class Answer:
    """How much slower learning from reward is; without a figure `before` says why there is none."""

    before: str
    figure: str = ""
    after: str = ""
    rests_on: str = ""


def answer(comparison: Comparison, rows: Sequence[Row]) -> Answer:
    """How many times as many trials as supervised the quickest agent takes that gets rewards."""
    rewarded = [row for row in rows if row["learns_from"] == "reward"]
    if not comparison.reads_test and comparison.reads == "test":
        return Answer("These runs read the test images all along, as a paper did: no answer here.")
    if not comparison.reads_test:
        return Answer("These runs are a search for settings: they answer no question yet.")
    if not rows:
        return Answer("No run has finished yet, so there is no answer.")
    if not rewarded:
        return Answer("No agent here learns from reward: there is nothing to set beside labels.")
    known = [row for row in rewarded if row["ratio_to_supervised"]["value"] is not None]
    if not known:
        return Answer(f"There is no answer here: {_why_unknown(comparison, rewarded)}.")
    quickest = min(known, key=lambda row: _slowness(row["ratio_to_supervised"]))
    ratio = quickest["ratio_to_supervised"]
    if ratio["lower_bound"] and ratio["value"] <= 1:
        return Answer("There is no answer here: too few runs got to the criterion to tell.")
    more = "more than " if ratio["lower_bound"] else ""
    figure = f"{more}{_digits(ratio['value'])} times"
    after = "as many trials as learning from labels"
    if ratio["coverage"]:
        after += f" [{_digits(ratio['low'] or 0)}, {_digits(ratio['high'] or math.inf)}]"
    rests_on = _rests_on(quickest, rewarded)
    return Answer("Learning from reward takes", figure, f"{after}.", rests_on)


def _slowness(ratio: dict[str, Any]) -> tuple[bool, float]:
    return ratio["lower_bound"], ratio["value"]


def _why_unknown(comparison: Comparison, rewarded: Sequence[Row]) -> str:
    protocol = rewarded[0]["protocol"]
    ran = [entry for entry in comparison.entries if entry.config["agent"] == SUPERVISED]
    if len(ran) > 1:
        return f"{SUPERVISED} ran with several settings, and none of them is the measure"
    if not any(entry.results for entry in ran):
        return f"{SUPERVISED} has not run beside the agents that learn from reward"
    if protocol["level"] is None:
        return protocol["supervised_final_from"]
    level = f"{100 * protocol['level']:.1f}\u00a0%"
    return f"too few runs of {SUPERVISED} held {level} for three readings in a row"


def _rests_on(quickest: Row, rewarded: Sequence[Row]) -> str:
    """Which agent the figure is of, to what accuracy, and how sure it is."""
    ratio, n = quickest["ratio_to_supervised"], len(rewarded)
    first = "with the lowest bound" if ratio["lower_bound"] else "the quickest"
    chosen = f", {first} of {n} agents that learn from reward" if n > 1 else ""
    late = ""
    if ratio["censored"]:
        runs = f"in {ratio['censored']} of {quickest['seeds']} pairs of runs"
        late = f"; {runs} one did not get there in time"
    level = f"{100 * quickest['protocol']['level']:.1f}\u00a0% validation accuracy"
    return f"{quickest['agent']}{chosen}, to {level}; {_sure(quickest)}{late}."


def _sure(quickest: Row) -> str:
    ratio, seeds = quickest["ratio_to_supervised"], quickest["seeds"]
    counted = "one seed" if seeds == 1 else f"{seeds} seeds"
    if seeds < MIN_SEEDS:
        return f"{counted}: too few for an interval or a claim"
    if not ratio["coverage"]:
        return counted
    kind = "median" if ratio["kind"] == "median" else "geometric mean"
    return f"{counted}, {kind} with its {100 * ratio['coverage']:.4g}\u00a0% interval"


def _digits(ratio: float) -> str:
    return "∞" if ratio == math.inf else f"{ratio:.{1 if ratio < 10 else 0}f}"


def compared(comparison: Comparison) -> str:
    """Who ran, where, for how long, with which seeds and on what."""
    names = [entry.name for entry in comparison.entries]
    agents = listed(names) if len(names) <= TOLD else f"{len(names)} agents"
    seeds = sorted({record.config["seed"] for record in comparison.records})
    machines = sorted({str(r.config.get("device_name") or r.config["device"])
                       for r in comparison.records})  # fmt: skip
    return (
        f"{agents}: {len(comparison.records)} runs of {comparison.points[-1]:,} trials, "
        f"{comparison.batch} a batch, {_seeds(seeds)}, on {listed(machines)}, PyTorch "
        f"{comparison.torch}."
    )


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    whole = seeds[-1] - seeds[0] == len(seeds) - 1
    return f"seeds {seeds[0]} to {seeds[-1]}" if whole else f"{len(seeds)} seeds"


def counted(records: Sequence[Record]) -> str:
    """How many runs there are, and what became of them."""
    if not records:
        return "There are no runs in this folder."
    states = Counter(record.status for record in records)
    told = [f"{states[s]} {s}" for s in ("done", "diverged", "failed", "unfinished") if states[s]]
    runs = "1 run" if len(records) == 1 else f"{len(records)} runs"
    return f"{runs}: {listed(told)}."


def troubles(records: Sequence[Record], faults: Sequence[str]) -> Table:
    """Everything that diverged, failed, is unfinished or damaged."""
    rows = [
        (record.config["agent"], record.config["env"], str(record.config["seed"]), record.status,
         _trouble(record))
        for record in records
        if record.status != "done"
    ]  # fmt: skip
    rows += [("–", "–", "–", "damaged", fault) for fault in faults]
    return Table(("agent", "environment", "seed", "what", "how it stands"), tuple(rows), "", 5)


def _trouble(record: Record) -> str:
    if record.end is not None:
        used = "it counts as chance" if counts(record) else "it is left out"
        return f"cost or weights were not finite from trial {record.end.diverged:,} on; {used}"
    if record.failed is not None:
        return record.failed
    points = len(record.config["points"])
    return f"{len(record.rows)} of {points} evaluations made; the same command goes on with it"
