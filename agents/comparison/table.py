"""The comparison as a table for the terminal."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.comparison.controls import READOUT_ONLY, missing_controls
from agents.comparison.statistics import MIN_SEEDS
from agents.comparison.task import SUPERVISED, Row

UNKNOWN = "-"


def table(rows: Sequence[Row]) -> Table:
    """One line per agent, 100 columns at most; the caption says what the figures rest on."""
    shown = Table(title=rows[0]["env"], caption=caption(rows), caption_justify="left")
    shown.box, shown.title_style = SIMPLE_HEAD, "bold"
    shown.collapse_padding, shown.pad_edge = True, False
    shown.add_column("agent", overflow="fold")
    shown.add_column("learns\nfrom")
    for heading in ("test accuracy\n%", "trials to\ncriterion", "times as long\nas supervised"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for heading in ("not\nreached", "\ndiverged"):
        shown.add_column(heading, justify="right")
    for row in rows:
        shown.add_row(
            row["agent"].replace("+", "\n+"),
            row["learns_from"],
            _accuracy(row),
            _trials(row),
            ratio_text(row["ratio_to_supervised"], row["agent"]),
            UNKNOWN if row["censored"] is None else str(row["censored"]),
            str(row["diverged"]),
        )
    return shown


def caption(rows: Sequence[Row]) -> str:
    """What counts as learned, over how many seeds, what the brackets are and what is claimed."""
    return " ".join(filter(None, (_criterion(rows), _controls(rows), _claims(rows))))


def _criterion(rows: Sequence[Row]) -> str:
    protocol, seeds = rows[0]["protocol"], rows[0]["seeds"]
    if protocol["level"] is None:
        criterion = f"No criterion: {protocol['supervised_final_from']}"
    else:
        criterion = (
            f"Criterion: validation accuracy {_percent(protocol['level'])} % within "
            f"{protocol['horizon']:,.0f} trials, {100 * protocol['rho']:.0f} % of the way from "
            f"chance to supervised's final {_percent(protocol['supervised_final'])} % "
            f"({protocol['supervised_final_from']})"
        )
    if seeds < MIN_SEEDS:
        return f"{criterion}; seeds run: {seeds}, each shown: too few for an interval or a claim."
    kinds = interval_kinds([row["ratio_to_supervised"] for row in rows])
    return f"{criterion}; {seeds} seeds; brackets: {kinds}."


def _controls(rows: Sequence[Row]) -> str:
    missing = missing_controls({row["agent"]: row for row in rows})
    carrying = f"*: carries credit, by beating {READOUT_ONLY} under its own signal."
    said = [carrying] if any(row["carries_credit"] for row in rows) else []
    if missing:
        said.append(f"Controls that were not run: {', '.join(missing)}.")
    return " ".join(said)


def _claims(rows: Sequence[Row]) -> str:
    claims = [claim for row in rows for claim in row["claims"]]
    if not claims:
        return "No claim was declared: all this is descriptive."
    verdicts = "; ".join(f"{claim['claim']}: {_verdict(claim)}" for claim in claims)
    return f"Declared claims (paired t, p by Holm): {verdicts}. All else is descriptive."


def _verdict(claim: Row) -> str:
    if claim["holds"] is None:
        return "too few seeds"
    return f"{'holds' if claim['holds'] else 'not shown'} (p {claim['p_holm']:.2g})"


def interval_kinds(ratios: Sequence[Row]) -> str:
    """What the brackets are, of accuracies and of these ratios."""
    kinds = "95 % Student t intervals (ratios: on logs)"
    medians = [ratio for ratio in ratios if ratio["kind"] == "median" and ratio["coverage"]]
    if medians:
        kinds += (
            ", or where a run did not reach it the median's order statistics "
            f"(they cover {100 * medians[0]['coverage']:.4g} %; >: the median of these seeds is "
            f"known to be above; {UNKNOWN}: no bound)"
        )
    return kinds


def _accuracy(row: Row) -> str:
    accuracy = row["test_accuracy"]
    if accuracy["low"] is None:
        return "  ".join(_percent(seed) for seed in accuracy["per_seed"])
    text = _bracketed(*(_percent(accuracy[bound]) for bound in ("mean", "low", "high")))
    return text + ("*" if row["carries_credit"] else " ")


def _trials(row: Row) -> str:
    trials = row["trials_to_criterion"]
    if trials["median"] is None:
        return UNKNOWN
    return f"{'> ' if trials['lower_bound'] else ''}{trials['median']:,.0f}"


def ratio_text(ratio: Row, agent: str) -> str:
    """The ratio; without brackets where there is no interval, and supervised's own."""
    if agent == SUPERVISED and ratio["kind"] != "none":  # its own measure, whoever got there
        return _three_digits(1)
    if ratio["value"] is None:
        return UNKNOWN
    above = "> " if ratio["lower_bound"] else ""
    value, low, high = (_three_digits(ratio[bound]) for bound in ("value", "low", "high"))
    if ratio["coverage"] is None:
        return above + value
    return above + _bracketed(value, low, high)


def _bracketed(value: str, low: str, high: str) -> str:
    return f"{value} [{low}, {high}]"


def _percent(accuracy: float) -> str:
    return f"{100 * accuracy:.1f}"


def _three_digits(ratio: float | None) -> str:
    if ratio is None:
        return UNKNOWN
    return f"{ratio:.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"
