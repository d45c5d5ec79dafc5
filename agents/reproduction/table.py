"""Published beside ours, on the terminal."""

from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from agents.comparison.statistics import Ratio, median_time
from agents.comparison.table import ratio_text
from agents.presets.figure import Figure, Published
from agents.reproduction.results import Record
from agents.reproduction.summary import Shown, interval, not_run, summarise, verdicts

BEST, LAST = "ours: max over\nepochs on test", "ours: last\nepoch on test"
OWN = "ours: epoch chosen\non validation"
UNKNOWN = "-"


def table(figure: Figure, record: Record) -> Table:
    """A line for each agent."""
    title = f"{figure.name}: {figure.about}{' (QUICK)' if record.quick else ''}"
    shown = Table(title=title)
    shown.box, shown.title_style = SIMPLE_HEAD, "bold"
    shown.collapse_padding, shown.pad_edge = True, False
    shown.add_column(f"test {figure.unit}, %", overflow="fold")
    headings = {"published": LAST if figure.last else BEST, "own": OWN}
    columns = ["published", *(headings[protocol] for protocol in figure.protocols)]
    if figure.reference:
        columns += ["epochs: last\nrise, stop", "times as long:\nto the stop"]
        columns += ["to the\nlast rise", "\nours"]
    for heading in columns:
        shown.add_column(heading, justify="right")
    for line in summarise(figure, record):
        cells = [published_text(line.line.published)]
        cells += [ours_text(line.ours[protocol]) for protocol in figure.protocols]
        if figure.reference:
            cells += [stops_text(figure, line), *ratios(figure, line)]
        shown.add_row(line.line.name, *cells)
    return shown


def published_text(published: Published | None) -> str:
    """The number with its spread and its marks."""
    if published is None:
        return UNKNOWN
    text = f"{published.value:.2f}"
    if published.spread is not None:
        text += f" ({published.spread:.2f})"
    return text + "†" * published.on_test + " unverified" * published.unverified


def ours_text(values: Sequence[float]) -> str:
    """Mean and interval, or each of a few seeds."""
    if not values:
        return UNKNOWN
    estimate = interval(values)
    if estimate.low is None:
        return " ".join(f"{value:.2f}" for value in values)
    return f"{estimate.value:.2f} [{estimate.low:.2f}, {estimate.high:.2f}]"


def stops_text(figure: Figure, line: Shown) -> str:
    """Median epochs to the last rise and to the early stop after it, and the published mean."""
    median = median_time(line.stops)
    ours = UNKNOWN if median is None else f"{median - figure.patience:g}, {median:g}"
    published = line.line.published
    theirs = published.epochs if published else None
    return ours if theirs is None else f"{ours} (published {theirs})"


def ratios(figure: Figure, line: Shown) -> tuple[str, str, str]:
    """How many times as long as the reference: to the stop, to the last rise, by our count."""
    if line.line.name == figure.reference:
        return "1", "1", "1"
    return _ratio(line.stop_ratio), _ratio(line.rise_ratio), _ratio(line.hit_ratio)


def _ratio(ratio: Ratio) -> str:
    return ratio_text(vars(ratio), "")


def sentences(figure: Figure, record: Record) -> Iterator[str]:
    """Everything that is to be known beside the numbers."""
    lines = summarise(figure, record)
    yield what_was_run(figure, record)
    if missing := not_run(figure, record):
        yield f"Not run yet: {'; '.join(missing)}."
    yield f"Source: {figure.source}."
    published = [line.line.published for line in lines if line.line.published]
    if any(one.on_test for one in published):
        yield "†: its epoch or settings were chosen on the test images."
    for source in dict.fromkeys(one.source for one in published):
        yield f"Published numbers: {source}."
    if any(one.unverified for one in published):
        yield "Unverified: seen in no source at hand, and so no target."
    for line in lines:
        for name, values in line.measured.items():
            yield f"{line.line.name}, {name}: {_measured(values)}."
    if diverged := [f"{line.line.name} ({line.diverged})" for line in lines if line.diverged]:
        yield f"Runs that diverged, and count as chance: {', '.join(diverged)}."
    for verdict in verdicts(figure, record, lines):
        word = {None: "not judged", True: "reached", False: "NOT reached"}[verdict.reached]
        yield f"To reach: {verdict.goal}: {word}."
    yield from (f"Differs: {difference}." for difference in figure.differs)


def _measured(values: Sequence[float]) -> str:
    """Mean and interval."""
    estimate = interval(values)
    bounds = f" [{estimate.low:.3g}, {estimate.high:.3g}]" if estimate.low is not None else ""
    return f"{estimate.value:.3g}{bounds}"


def what_was_run(figure: Figure, record: Record) -> str:
    """How much was run, on what."""
    rows = record.rows
    seeds = len({row["seed"] for row in rows})
    epochs = " or ".join(sorted({f"{row['epochs']:g}" for row in rows}, key=float))
    devices = ", ".join(sorted({row["device"] for row in rows}))
    said = f"{seeds} seed{'s' * (seeds > 1)}, at most {epochs} epochs, on {devices}."
    if not record.quick:
        return said
    quick = figure.quick
    parts = ["QUICK, not to be compared with the published numbers:", said]
    if quick.epochs < 1:
        share = f"{100 * quick.epochs:g} %"
        parts.append(f"Only the first {share} of the training images were seen, each once.")
    if quick.images:
        parts.append(f"Accuracies are of the first {quick.images} images.")
    if quick.sizes:
        parts.append(f"The network is smaller: {'-'.join(map(str, quick.sizes))}.")
    return " ".join(parts)
