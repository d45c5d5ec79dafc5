"""From runs to lines over trials: every seed, the mean, its interval, and a colour."""

from collections.abc import Iterable, Sequence

from agents.comparison.statistics import mean_interval
from agents.report.chart import Line
from agents.report.gather import Entry
from agents.signals import SIGNALS

COLOURS = ("ink", "grey", "c1", "c2", "c3", "c4", "c5", "c6")
OWN = {  # of well-known agents, the same in every figure; the others share those left
    "supervised": "ink", "readout_only": "grey", "q_agrel": "c1", "reinforce": "c2",
    "learned_feedback": "c3", "agrel": "c4", "brainprop": "c5", "lansdell": "c6",
}  # fmt: skip
OF_SIGNAL = {
    "label": "ink", "label_mse": "grey", "reward_prediction": "c1", "policy_gradient": "c2",
    "agrel": "c4", "own": "c3",
}  # fmt: skip


def coloured(entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """A colour for each: few agents have their own, many have their signal's."""
    if len(entries) > len(COLOURS):
        return [(entry, colour_of(entry.cell[0])) for entry in entries]
    taken = [OWN.get(entry.name) for entry in entries]
    left = (colour for colour in (*COLOURS[2:], *COLOURS[:2]) if colour not in taken)
    return [(entry, own or next(left)) for entry, own in zip(entries, taken, strict=True)]


def learning_line(entry: Entry, colour: str, chance: float) -> Line:
    """Validation accuracy; from where a run diverged it counts as chance."""
    results = entry.results
    trials = max((result.trials for result in results), key=len, default=())
    full = [[*r.validation, *[chance] * (len(trials) - len(r.trials))] for r in results]
    means = tuple(mean_interval(now) for now in zip(*full, strict=True))
    seeds = tuple(tuple(zip(r.trials, r.validation, strict=True)) for r in results)
    crosses = tuple(
        (min(max(r.diverged, trials[0]), trials[-1]), r.validation[-1] if r.validation else chance)
        for r in results
        if r.diverged is not None and trials
    )
    return Line(entry.name, colour, trials, means, seeds, crosses)


def angle_line(entry: Entry, colour: str) -> Line:
    """Angle between the rule's changes and backprop's, of watched runs."""
    seeds = tuple(
        tuple((row.trials, row.change_angle) for row in record.rows if row.change_angle is not None)
        for record in entry.finished
    )
    trials = tuple(sorted({at for seed in seeds for at, _ in seed}))
    read = [[value for seed in map(dict, seeds) if (value := seed.get(at)) is not None]
            for at in trials]  # fmt: skip
    means = tuple(mean_interval(values) for values in read)
    return Line(entry.name, colour, trials, means, tuple(filter(None, seeds)))


def colour_of(signal: str) -> str:
    """The colour of a signal where there are many agents."""
    return OF_SIGNAL.get(signal, "c5")


def in_order(cells: Iterable[tuple[str, str]]) -> list[str]:
    """The signals of cells, in the order of the table of signals, then others."""
    order = [*SIGNALS]
    return sorted({s for s, _ in cells}, key=lambda s: (order.index(s) if s in SIGNALS else 99, s))
