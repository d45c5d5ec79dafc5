"""The example of the bridge runs, and README says what its table says."""

import runpy
from pathlib import Path

import pytest

from agents.comparison.records import read_table

ROOT = Path(__file__).parents[1]
NAMES = runpy.run_path(str(ROOT / "scripts/examples/cartpole_without_weight_transport.py"))
TABLE = read_table(ROOT / "benchmarks/bridge/cartpole.csv")


@pytest.mark.parametrize("rule", NAMES["COLOURS"])
def test_a_run_notes_its_score_and_the_angle_of_its_feedback(rule):
    (row,) = NAMES["play"](rule, seed=0, steps=2048)
    assert (row["rule"], row["seed"], row["step"]) == (rule, 0, 2048)
    assert 8 < float(row["score"]) < 500
    degrees = float(row["angle"])
    assert (
        60 < degrees < 95 if rule in ("kolen_pollack", "feedback_alignment") else degrees != degrees
    )


def test_the_table_has_five_seeds_of_each_rule_and_makes_a_picture(tmp_path):
    curves = NAMES["curves_of"](TABLE)
    assert sorted(curves) == sorted((rule, n) for rule in NAMES["COLOURS"] for n in range(100, 105))
    NAMES["draw"](curves, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000


@pytest.mark.parametrize("rule", NAMES["COLOURS"])
def test_readme_says_what_the_table_says(rule):
    readme = " ".join((ROOT / "README.md").read_text().split())
    scores = NAMES["late"](NAMES["curves_of"](TABLE), rule)
    assert NAMES["text"](scores) in readme
