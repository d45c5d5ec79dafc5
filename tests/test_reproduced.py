"""From rows to what is shown: marks, intervals, goals, ratios, and README."""

from dataclasses import replace

import pytest
from tiny import TINY

from agents.presets import FIGURES, RATIO_OF
from agents.presets.figure import Goal, Line, Published
from agents.reproduction import ratio, readme
from agents.reproduction.results import FOLDER, Record, read
from agents.reproduction.summary import say, summarise, verdicts
from agents.reproduction.table import sentences, table
from agents.runs.early_stopping import PATIENCE
from agents.settings import Settings


def row(line, seed, accuracy, protocol="published", **more):
    plain = {
        "line": line, "protocol": protocol, "seed": seed, "batch": 32, "epochs": 60,
        "budget": 86220, "images": 0, "sizes": [12], "accuracy": accuracy, "last": accuracy,
        "stop": None, "level": None, "hit": None, "diverged": None, "change_angle": None,
        "seconds": 1.0, "measured": {}, "commit": "c", "dirty": False, "device": "a CPU",
    }  # fmt: skip
    return plain | more


def record(rows, quick=False, figure="tiny"):
    return Record(figure, quick, "reproduce.py tiny", {"torch": "2"}, "today", rows)


def seeds(line, accuracies, protocol="published", **more):
    return [
        row(line, 100 + i, accuracy, protocol, **{k: v[i] for k, v in more.items()})
        for i, accuracy in enumerate(accuracies)
    ]


def text(figure, made):
    cells = [str(cell) for column in table(figure, made).columns for cell in column.cells]
    return " | ".join([str(table(figure, made).title), *cells, *sentences(figure, made)])


FIVE = [0.93, 0.94, 0.95, 0.96, 0.97]


def test_five_seeds_have_an_interval_and_fewer_are_shown_each():
    shown = text(TINY, record(seeds("BP", FIVE) + seeds("Q", FIVE[:2])))
    assert "95.00 [93.04, 96.96]" in shown  # t = 2.776, sd 1.581 / sqrt 5
    assert "93.00 94.00" in shown


def test_marks_of_published_numbers_are_shown():
    numbers = {
        "A": Published(97, "here", 0.25), "B": Published(96, "there", on_test=True),
        "C": Published(95, "from memory", unverified=True),
    }  # fmt: skip
    lines = tuple(Line(name, Settings(), number) for name, number in numbers.items())
    shown = text(replace(TINY, lines=lines, goals=()), record([row(n, 100, 0.9) for n in numbers]))
    assert "97.00 (0.25)" in shown
    assert "96.00†" in shown
    assert "95.00 unverified" in shown
    assert "†: its epoch or settings were chosen on the test images." in shown
    assert "Published numbers: there." in shown
    assert "seen in no source at hand, and so no target" in shown


@pytest.mark.parametrize("unit", ["accuracy", "error"])
@pytest.mark.parametrize(
    ("goal", "bp", "q", "reached"),
    [
        (Goal("BP", "bound", 95), 0.951, 0, True), (Goal("BP", "bound", 95), 0.949, 0, False),
        (Goal("BP", "published", 0.5), 0.966, 0, True),
        (Goal("BP", "published", 0.5), 0.976, 0, False),
        (Goal("BP", "above", 0, "Q"), 0.95, 0.949, True),
        (Goal("BP", "above", 0, "Q"), 0.95, 0.95, False),
        (Goal("BP", "above", 1.5, "Q"), 0.95, 0.934, True),
        (Goal("BP", "above", 1.5, "Q"), 0.95, 0.936, False),
        (Goal("BP", "near", 2, "Q"), 0.93, 0.945, True),
        (Goal("BP", "near", 2, "Q"), 0.93, 0.955, False),
    ],
)  # fmt: skip
def test_goals_are_judged_by_means_in_the_figures_unit(unit, goal, bp, q, reached):
    figure = replace(TINY, goals=(goal,))
    if unit == "error":
        points = 5 if goal.kind == "bound" else goal.points
        first = replace(TINY.lines[0], published=Published(3, "nowhere"))
        figure = replace(
            TINY, unit=unit, goals=(replace(goal, points=points),), lines=(first, TINY.lines[1])
        )
    full = record(seeds("BP", [bp] * 5) + seeds("Q", [q] * 5))
    (verdict,) = verdicts(figure, full, summarise(figure, full))
    assert verdict.reached is reached
    few = record(seeds("BP", [bp] * 4) + seeds("Q", [q] * 4))
    quick = replace(full, quick=True)
    for made in (few, quick):
        assert verdicts(figure, made, summarise(figure, made))[0].reached is None


def test_the_last_epoch_counts_where_it_did_in_the_paper():
    assert "ours: max over\nepochs on test" in headings(TINY)
    assert "ours: last\nepoch on test" in headings(replace(TINY, last=True))


def headings(figure):
    return [str(column.header) for column in table(figure, record(seeds("BP", FIVE))).columns]


def test_goals_in_words():
    assert say(TINY, Goal("BP", "bound", 97.5)) == "BP >= 97.5"
    error = replace(TINY, unit="error")
    assert say(error, Goal("NP", "bound", 3.6)) == "NP <= 3.6"
    assert say(error, Goal("NP", "above", 0, "FA")) == "NP below FA"
    assert say(TINY, Goal("L", "above", 1.5, "F")) == "L above F by 1.5"


def test_a_quick_figure_is_marked_and_says_what_part_it_is():
    figure = replace(TINY, quick=replace(TINY.quick, epochs=0.1, images=500, sizes=(9,)))
    shown = text(figure, record([row("BP", 100, 0.9, epochs=0.1)], quick=True))
    assert "(QUICK)" in shown
    assert "not to be compared with the published numbers" in shown
    assert "Only the first 10 % of the training images" in shown
    assert "of the first 500 images" in shown
    assert "The network is smaller: 9." in shown
    assert "QUICK" not in text(TINY, record([row("BP", 100, 0.9)]))


def test_diverged_runs_and_what_was_measured_are_said():
    rows = [row("BP", 100, 0.1, diverged=999), row("Q", 100, 0.9, measured={"noise 0.1": 0.87})]
    shown = text(TINY, record(rows))
    assert "Runs that diverged, and count as chance: BP (1)." in shown
    assert "Q, noise 0.1: 0.87." in shown


def brainprop(name, quick=False):
    rises = {"BrainProp": [60, 62, 64, 66, 68], "backprop": [30, 31, 32, 33, 34]}
    rows = []
    for line, risen in rises.items():
        rows += seeds(line, FIVE, stop=[last + PATIENCE for last in risen])
        hits = [3000.0 * (1 if line == "backprop" else 3)] * 5
        rows += seeds(line, FIVE, "own", hit=hits, level=[0.9] * 5)
    return record(rows, quick, name)


def test_the_ratio_stands_by_the_papers_count_and_by_ours(tmp_path):
    for name in RATIO_OF[:2]:
        brainprop(name).write(tmp_path)
    brainprop(RATIO_OF[2], quick=True).write(tmp_path)
    rows = ratio.ratio_rows([read(path) for path in ratio.paths(tmp_path, quick=False)])
    assert [name for name, *_ in rows] == list(RATIO_OF[:2])
    for name, epochs, stop, rise, ours in rows:
        published = " (published 63)" if name == "brainprop-mnist-conv" else ""
        assert epochs == f"64, 109{published}"
        assert stop.startswith("1.42 [")  # 105 / 75 to 113 / 79
        assert rise.startswith("2.00 [")
        assert ours.startswith("3.00 [")
    (quick,) = ratio.ratio_rows([read(path) for path in ratio.paths(tmp_path, quick=True)])
    assert quick[0].endswith("(QUICK)")
    assert len(ratio.table(tmp_path, quick=False).rows) == 2


def test_a_run_that_did_not_stop_or_hit_gives_no_ratio():
    made = record(seeds("BP", FIVE) + seeds("Q", FIVE))
    _, agent = summarise(TINY, made)
    ratios = agent.stop_ratio, agent.rise_ratio, agent.hit_ratio
    assert [ratio.value for ratio in ratios] == [None] * 3


def test_a_run_that_did_not_stop_may_have_risen_for_the_last_time_before_its_end():
    figure = FIGURES["brainprop-mnist-dense"]  # 500 epochs
    rows = seeds("backprop", FIVE, stop=[100 + PATIENCE] * 5) + seeds("BrainProp", FIVE)
    reward = summarise(figure, record(rows, figure=figure.name))[0]
    assert reward.rise_ratio.lower_bound
    assert reward.rise_ratio.value == (500 - PATIENCE) / 100
    assert reward.stop_ratio.value == 500 / (100 + PATIENCE)


def test_a_full_figure_says_which_lines_were_not_run():
    some = record(seeds("BP", FIVE))
    assert "Not run yet: Q." in text(TINY, some)
    assert "Not run yet" not in text(TINY, record(seeds("BP", FIVE), quick=True))


def test_readme_has_the_table_that_its_rows_make():
    """A row changed, or README's table by hand: `scripts/reproduce.py --readme` writes it anew."""
    before, _, rest = readme.README.read_text().partition(readme.BEGIN)
    assert before
    assert rest.partition(readme.END)[0].strip() == readme.markdown(FOLDER).strip()


def test_the_written_table_marks_quick_figures_and_prefers_full_ones(tmp_path):
    brainprop("brainprop-mnist-conv").write(tmp_path)
    brainprop("brainprop-mnist-conv", quick=True).write(tmp_path)
    brainprop("brainprop-cifar10-deep", quick=True).write(tmp_path)
    path = tmp_path / "README.md"
    path.write_text(f"before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n")
    readme.write(tmp_path, path)
    written = path.read_text()
    assert written.startswith("before\n")
    assert written.endswith("\nafter\n")
    assert "old" not in written
    (full,) = (line for line in written.splitlines() if "mnist-conv" in line)
    (quick,) = (line for line in written.splitlines() if "cifar10-deep" in line)
    assert "BrainProp 99.31 (0.04)†" in full
    assert "BrainProp 95.0 [93.0, 97.0]" in full
    assert "0 of 1 goals reached, **not**: BrainProp >= 99.25" in full
    assert "**quick**" in quick
    assert "goals" not in quick
    assert written.index(full) < written.index("<details>") < written.index(quick)
    assert written.index(quick) < written.index("</details>")
    readme.write(tmp_path, path)
    assert path.read_text() == written
    path.write_text("nothing")
    with pytest.raises(ValueError, match="has no place for the tables"):
        readme.write(tmp_path, path)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.json")), ids=lambda path: path.name)
def test_rows_in_the_repository_are_of_figures_there_are(path):
    made = read(path)
    assert made.path(FOLDER) == path
    lines = {line.name for line in FIGURES[made.figure].lines}
    assert {row["line"] for row in made.rows} <= lines
    assert made.command.startswith("scripts/reproduce.py")
    assert all(row["commit"] and row["device"] for row in made.rows)
