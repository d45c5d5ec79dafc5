"""README's table of reproduced figures, written from their rows."""

from collections.abc import Iterator
from pathlib import Path

from agents.checkpoint import replace as write_whole
from agents.presets import FIGURES
from agents.presets.figure import Figure, Published
from agents.reproduction.results import FOLDER, Record, read
from agents.reproduction.summary import Shown, interval, summarise, verdicts

README = FOLDER.parents[1] / "README.md"
BEGIN, END = "<!-- reproduced figures, by scripts/reproduce.py --readme -->", "<!-- end -->"
HEAD = (
    "| figure | published, % | ours, published protocol | ours, own protocol | run |\n"
    "|---|---|---|---|---|\n"
)
MOST = 6  # lines of a figure that find room in a cell


def records(folder: Path) -> list[Record]:
    """The record of every figure that was run, the full one where there is one."""
    found = []
    for name in FIGURES:
        paths = [folder / f"{name}.json", folder / f"{name}.quick.json"]
        found += [read(path) for path in paths if path.exists()][:1]
    return found


def markdown(folder: Path) -> str:
    """The table: one line a figure."""
    return HEAD + "".join(_line(FIGURES[record.figure], record) for record in records(folder))


def _line(figure: Figure, record: Record) -> str:
    lines = summarise(figure, record)
    cells = [
        f"`{figure.name}`, {figure.unit}",
        _listed((shown.line.name, _published(shown.line.published)) for shown in lines),
        _ours(lines, "published"),
        _ours(lines, "own"),
        _run(figure, record, lines),
    ]
    return f"| {' | '.join(cells)} |\n"


def _published(published: Published | None) -> str:
    if published is None:
        return ""
    spread = "" if published.spread is None else f" ({published.spread:.2f})"
    marks = "†" * published.on_test + " unverified" * published.unverified
    return f"{published.value:.2f}{spread}{marks}"


def _ours(lines: list[Shown], protocol: str) -> str:
    return _listed((shown.line.name, _mean(shown.ours.get(protocol, []))) for shown in lines)


def _mean(values: list[float]) -> str:
    if not values:
        return ""
    estimate = interval(values)
    text = f"{estimate.value:.1f}"
    return text if estimate.low is None else f"{text} [{estimate.low:.1f}, {estimate.high:.1f}]"


def _listed(named: Iterator[tuple[str, str]]) -> str:
    """Name and number of each line that has one; of many lines, the best."""
    known = [(name, text) for name, text in named if text]
    if len(known) > MOST:
        return f"{len(known)} lines: see its file"
    return ", ".join(f"{name} {text}" for name, text in known)


def _run(figure: Figure, record: Record, lines: list[Shown]) -> str:
    seeds = len({row["seed"] for row in record.rows})
    epochs = max(row["epochs"] for row in record.rows)
    said = f"{epochs:g} epochs, {seeds} seed{'s' * (seeds > 1)}"
    if record.quick:
        return f"**quick**: {said}"
    judged = [v.reached for v in verdicts(figure, record, lines) if v.reached is not None]
    return f"{said}, {sum(judged)} of {len(judged)} goals reached" if judged else said


def write(folder: Path = FOLDER, path: Path = README) -> None:
    """Put the table into README, in the place of the one before. Raises ValueError."""
    text = path.read_text()
    if text.count(BEGIN) != 1 or END not in text.partition(BEGIN)[2]:
        raise ValueError(f"{path} has no place for the table: write {BEGIN!r} and then {END!r}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    write_whole(path, f"{before}{BEGIN}\n\n{markdown(folder)}\n{END}{after}".encode())
