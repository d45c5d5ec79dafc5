"""README's tables of reproduced figures, written from their rows: in full, and folded the quick."""

from collections.abc import Iterable
from pathlib import Path

from agents.checkpoint import replace as write_whole
from agents.presets import FIGURES
from agents.presets.figure import Figure, Published
from agents.reproduction.results import FOLDER, Record, read
from agents.reproduction.summary import Shown, interval, not_run, summarise, verdicts

README = FOLDER.parents[1] / "README.md"
BEGIN, END = "<!-- reproduced figures, by scripts/reproduce.py --readme -->", "<!-- end -->"
HEAD = (
    "| figure | published, % | ours, published protocol | ours, own protocol | run |\n"
    "|---|---|---|---|---|\n"
)
FOLD = (
    "\n<details>\n<summary>The others, <b>quick</b>: their code works, which is all that these "
    "numbers say</summary>\n\n"
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
    """Both tables, each with one line a figure."""
    found = records(folder)
    full, quick = ([one for one in found if one.quick is which] for which in (False, True))
    return f"{_table(full)}{FOLD}{_table(quick)}\n</details>\n"


def _table(made: list[Record]) -> str:
    return HEAD + "".join(_line(FIGURES[record.figure], record) for record in made)


def _line(figure: Figure, record: Record) -> str:
    lines = summarise(figure, record)
    cells = [
        f"`{figure.name}`, {figure.unit}",
        _listed((shown.line.name, _published(shown.line.published)) for shown in lines),
        _ours(record, lines, "published"),
        _ours(record, lines, "own"),
        _run(figure, record, lines),
    ]
    return f"| {' | '.join(cells)} |\n"


def _published(published: Published | None) -> str:
    if published is None:
        return ""
    spread = "" if published.spread is None else f" ({published.spread:.2f})"
    marks = "†" * published.on_test + " unverified" * published.unverified
    return f"{published.value:.2f}{spread}{marks}"


def _ours(record: Record, lines: list[Shown], protocol: str) -> str:
    named = [(shown.line.name, _mean(shown.ours.get(protocol, []))) for shown in lines]
    if FIGURES[record.figure].level and named[0][1]:
        return f"[slopes]({record.path(FOLDER.relative_to(README.parent)).with_suffix('.png')})"
    if len(named) > MOST and any(text for _, text in named):
        return f"[{len(named)} lines]({record.path(FOLDER.relative_to(README.parent))})"
    return _listed(named)


def _mean(values: list[float]) -> str:
    if not values:
        return ""
    estimate = interval(values)
    text = f"{estimate.value:.1f}"
    return text if estimate.low is None else f"{text} [{estimate.low:.1f}, {estimate.high:.1f}]"


def _listed(named: Iterable[tuple[str, str]]) -> str:
    """Name and number of each line that has one."""
    return ", ".join(f"{name} {text}" for name, text in named if text)


def _run(figure: Figure, record: Record, lines: list[Shown]) -> str:
    seeds = len({row["seed"] for row in record.rows})
    epochs = max(row["epochs"] for row in record.rows)
    said = f"{epochs:g} epochs, {seeds} seed{'s' * (seeds > 1)}"
    if record.quick:
        return f"**quick**: {said}"
    judged = [v for v in verdicts(figure, record, lines) if v.reached is not None]
    missed = [verdict.goal for verdict in judged if not verdict.reached]
    if judged:
        said += f"; {len(judged) - len(missed)} of {len(judged)} goals reached"
    said += f", **not**: {', '.join(missed)}" if missed else ""
    to_run = not_run(figure, record)
    return f"{said}; **not run yet**: {'; '.join(to_run)}" if to_run else said


def write(folder: Path = FOLDER, path: Path = README) -> None:
    """Put the tables into README, in the place of those before. Raises ValueError."""
    text = path.read_text()
    if text.count(BEGIN) != 1 or END not in text.partition(BEGIN)[2]:
        raise ValueError(f"{path} has no place for the tables: write {BEGIN!r} and then {END!r}")
    before, _, rest = text.partition(BEGIN)
    after = rest.partition(END)[2]
    write_whole(path, f"{before}{BEGIN}\n\n{markdown(folder)}\n{END}{after}".encode())
