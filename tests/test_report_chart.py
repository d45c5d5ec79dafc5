"""The report's charts: what is drawn is what was measured, and it can be read."""

import math
from itertools import pairwise

import pytest
from made_up import POINTS, write_run

from agents.comparison.statistics import Estimate
from agents.report.axes import LINE, Axis, accuracy, angle, log_ticks, short
from agents.report.chart import Line, chart
from agents.report.curves import WIDE, learning
from agents.report.gather import gather
from agents.runs.folder import find


def entries(root):
    (comparison,) = gather(find(root)[0])[0]
    return comparison.entries


def flat(name, value):
    return Line(name, "ink", (100, 1000), (Estimate(value), Estimate(value)), ())


def test_a_run_that_diverged_counts_as_chance_in_the_mean(tmp_path):
    write_run(tmp_path, "q_agrel", 100)
    write_run(tmp_path, "q_agrel", 101, diverged=POINTS[5] + 1)
    (entry,) = entries(tmp_path)
    whole = entry.finished[0].rows
    rows = learning([entry], 0.1, None).table.rows
    assert [row[0] for row in rows] == [f"{at:,}" for at in POINTS]
    for row, lived in list(zip(rows, whole, strict=True))[6:]:
        assert row[1] == f"{100 * (lived.validation_accuracy + 0.1) / 2:.1f}"


def test_the_band_is_the_interval(tmp_path):
    for seed in range(100, 105):
        write_run(tmp_path, "q_agrel", seed)
    (line,) = learning(entries(tmp_path), 0.1, None).wide.lines
    assert line.band.count("L") == 2 * len(POINTS) - 1
    assert line.mean.count("L") == len(POINTS) - 1
    assert len(line.seeds) == 5


@pytest.mark.parametrize("ends", [[0.9] * 8, [0.1] * 8, [0.90, 0.901, 0.5, 0.1, 0.101]])
def test_names_at_the_ends_of_lines_do_not_overlap(ends):
    lines = [flat(f"agent {i}", end) for i, end in enumerate(ends)]
    labels = chart(lines, accuracy(0.1, 0.9, {}), WIDE, (100, 1000), "").labels
    places = sorted(label.place for label in labels)
    assert all(after - before >= LINE - 0.2 for before, after in pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= WIDE.height


def test_names_that_are_cut_still_tell_agents_apart():
    names = [f"mine:LinearValues (code {code})" for code in ("d6f1ca62", "c072bc22")]
    drawn = chart([flat(n, 0.9) for n in names], accuracy(0.1, 0.9, {}), WIDE, (100, 1000), "")
    texts = {label.text[0] for label in drawn.labels}
    assert texts == {"mine:LinearV…de d6f1ca62)  90.0 %", "mine:LinearV…de c072bc22)  90.0 %"}


@pytest.mark.parametrize(("low", "best"), [(0.1, 0.17), (0.1, 0.5), (0.0, 0.999), (0.01, 0.03)])
def test_an_axis_of_accuracy_has_ticks_to_read_it_by(low, best):
    measure = accuracy(low, best, {})
    assert len(measure.ticks) >= 3
    assert measure.low <= low
    assert measure.high >= min(best, 0.998)


@pytest.mark.parametrize("most", [12.0, 61.0, 100.0, 170.0])
def test_an_axis_of_angles_holds_all_of_them(most):
    assert angle(most).high >= most


@pytest.mark.parametrize(("low", "high"), [(96, 25888), (128, 6400), (1, 3), (1000, 5_000_000)])
def test_ticks_of_trials_stand_apart(low, high):
    axis = Axis(low, high, 50, 350, math.log)
    ticks = log_ticks(axis, 44)
    assert len(ticks) >= 2
    assert all(axis(after) - axis(before) >= 44 for before, after in pairwise(ticks))


def test_trials_are_written_short():
    assert [short(n) for n in (96, 1500, 20_000, 2_000_000)] == ["96", "1.5k", "20k", "2M"]
