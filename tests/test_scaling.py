"""Trials against size: the best rate of each, slopes and the picture."""

import pytest
from test_reproduced import record, seeds

from agents.presets import FIGURES
from agents.reproduction import scaling


def scaled(power, count=5):
    """Trials that grow by a power of the size at the second rate, and are worse at the others."""
    figure = FIGURES["np-scaling"]
    rows = []
    for line in figure.lines:
        sizes, lr = line.settings.sizes, line.settings.lr
        of_rule = sorted({one.settings.lr for one in figure.lines
                          if one.settings.rule == line.settings.rule})  # fmt: skip
        worse = 1 if lr == of_rule[1] else 5
        trials = 1000.0 * worse * (sizes[0] / 32) ** power * len(sizes) ** (power / 2)
        rows += seeds(line.name, [0.9] * count, "own", hit=[trials] * count)
    return figure, record(rows, figure="np-scaling")


def test_slopes_are_the_power_by_which_trials_grow_at_the_best_rate(tmp_path):
    figure, made = scaled(1.5)
    for curve in scaling.curves(figure, made):
        power = 1.5 if curve.series == "width" else 0.75
        assert curve.slope.value == pytest.approx(power)
        assert curve.slope.low == pytest.approx(power, abs=1e-6)
        assert curve.relative.value == pytest.approx(0, abs=1e-9)
    scaling.draw(figure, made, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000
    assert (
        "backprop, width: trials grow by the power 1.50 [1.50, 1.50] (16: "
        in scaling.sentences(figure, made)[0]
    )


def test_a_rate_at_which_a_run_is_lost_is_not_the_best():
    figure, made = scaled(1.0)
    best = min(
        (r for r in made.rows if r["line"].startswith("backprop 16-16")), key=lambda r: r["hit"]
    )
    best["hit"] = None
    (curve,) = (
        curve for curve in scaling.curves(figure, made)
        if (curve.rule, curve.series) == ("backprop", "width")
    )  # fmt: skip
    assert None not in curve.trials[0]
    assert curve.slope.low is not None


def test_a_slope_of_few_seeds_or_of_sizes_that_were_not_reached_has_no_interval():
    figure, made = scaled(1.0, count=2)
    assert {curve.slope.low for curve in scaling.curves(figure, made)} == {None}
    assert scaling.slope({16: [None], 32: [100.0]}).value is None
    assert scaling.slope({16: [100.0], 32: [200.0], 64: [None]}).value == pytest.approx(1)
