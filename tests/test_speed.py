"""scripts/speed.py: every case runs, the yardstick is the same computation, the file tells all.

No time is asserted: on a busy machine a test of speed fails for no fault of the code.
"""

import json
import runpy
import sys
from dataclasses import replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

from agents import speed
from agents.making import make_agent
from agents.precision import PRECISIONS
from agents.settings import Settings
from agents.speed.case import Case, Missing, Reading, race, side
from agents.speed.images import DRY
from agents.speed.loops import plain, supervised
from agents.speed.measure import Left, Result, measure, report, with_kept
from agents.speed.opening import CASES as OPENING
from agents.speed.picture import picture
from agents.speed.table import short, table

SCRIPT = Path(__file__).parents[1] / "scripts" / "speed.py"
FIELDS = {
    "name", "what", "against", "unit", "ours", "theirs", "figure", "low", "high", "figure_unit",
    "least", "most", "met", "repeats",
}  # fmt: skip
PROCESSES = {case.name for case in OPENING}  # each repeat starts a new Python: seconds
NEED = {
    "gymnax",
    *(f"gpu-{net}-{p}-mfu" for net in ("deep", "dense") for p in PRECISIONS),
}


@pytest.fixture(scope="module")
def results():
    cases = [case for case in speed.chosen(tuple(speed.GROUPS)) if case.name not in PROCESSES]
    return {result.name: result for result in measure(cases, DRY)}


def test_every_case_runs_in_miniature(results):
    assert {name for name, result in results.items() if isinstance(result, Left)} == NEED
    for result in results.values():
        if isinstance(result, Result):
            assert min(result.ours, result.theirs, result.low) > 0
            assert result.low <= result.figure <= result.high
            assert result.repeats == DRY.repeats
    assert table(list(results.values())).row_count == len(results)


def test_growth_is_drawn(results, tmp_path):
    picture(list(results.values()), tmp_path / "growth.png", "a machine")
    assert (tmp_path / "growth.png").stat().st_size > 5000


def test_everything_is_told_as_json(results):
    told = json.loads(json.dumps(report(list(results.values()), DRY), allow_nan=False))
    assert {"cpu", "cores", "gpu", "system"} == set(told["device"])
    assert {"torch", "numpy", "gymnasium", "stable-baselines3"} < set(told["versions"])
    assert {"threads", "clock", "commit", "command", "at"} < set(told)
    for case in told["cases"]:
        assert set(case) == FIELDS or set(case) == {"name", "what", "against", "missing"}


def test_the_script_writes_it_and_shows_a_table(tmp_path, monkeypatch, capsys):
    arguments = [
        "--dry",
        "--only",
        "numpy",
        "import",
        "gymnax",
        "--json",
        str(tmp_path / "speed.json"),
    ]
    monkeypatch.setattr(sys, "argv", ["speed.py", *arguments])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    told = json.loads((tmp_path / "speed.json").read_text())
    assert [case["name"] for case in told["cases"]] == ["numpy", "import", "gymnax"]
    shown = capsys.readouterr().out
    assert "X.take" in shown
    assert "gymnax: gymnax pins an older gymnasium: name a Python that has it" in shown


def test_cases_that_are_kept_say_of_what_commit_they_are():
    told = {"at": "today", "commit": "b", "cases": [{"name": "two"}, {"name": "three"}]}
    before = {"at": "then", "commit": "a", "cases": [{"name": "one"}, {"name": "two", "old": 1}]}
    one, *rest = with_kept(told, before)["cases"]
    assert one == {"name": "one", "at": "then", "commit": "a"}
    assert rest == told["cases"]
    later = with_kept({"at": "", "commit": "c", "cases": []}, {**told, "cases": [one, *rest]})
    assert later["cases"][0]["commit"] == "a"


def test_an_unknown_case_is_answered_with_all_there_are():
    with pytest.raises(ValueError, match="unknown case 'warp'.*stepping, options.*numpy, memcpy"):
        speed.chosen(["numpy", "warp"])


def test_a_python_without_gymnax_is_named():
    (case,) = speed.chosen(["gymnax"])
    (left,) = measure([case], replace(DRY, gymnax_python=sys.executable))
    assert "No module named 'gymnax'" in left.missing


def test_a_figure_is_the_median_of_interleaved_repeats():
    order, times = [], iter((1, 5, 3))
    one = Case("one", "", "", "", lambda scale: lambda: Reading(next(times), 2, 4), least=2, most=4)
    (result,) = measure([one], replace(DRY, repeats=3))
    assert (result.figure, result.low, result.high, result.met) == (3, 2, 4, True)
    ours, theirs = side(lambda: order.append("a"), 1), side(lambda: order.append("b"), 1)
    sample = race(ours, theirs, replace(DRY, seconds=0))
    order.clear()
    assert sample()
    assert sample()
    assert order == ["a", "b", "a", "b"]


@pytest.mark.parametrize(("figure", "met"), [(1.9, False), (2.0, True), (4.1, False)])
def test_a_target_is_met_inside_its_bounds(figure, met):
    def prepare(scale):
        raise Missing

    assert Case("", "", "", "", prepare, least=2, most=4).met(figure) is met
    assert Case("", "", "", "", prepare).met(figure) is None


@pytest.mark.parametrize("network", ["dense", "tanh", "conv"])
def test_the_yardstick_learns_what_our_supervised_agent_learns(network):
    torch.manual_seed(0)
    settings = Settings(
        "label", network=network, sizes=() if network == "conv" else (16, 8), lr=0.1
    )
    env = gym.make_vec("DigitsReward-v0", num_envs=32)
    agent = make_agent(settings, env, device="cpu")
    for module in agent.net.modules():
        if hasattr(module, "p"):
            module.p = 0.0  # dropout masks are drawn otherwise
    images = torch.randint(256, (32, 8, 8, 1), dtype=torch.uint8)
    labels = torch.randint(10, (32,))
    twin = plain(agent.net)
    step = supervised(twin, images, labels, batch=32, lr=0.1)
    before = [weight.clone() for weight in twin.parameters()]
    for _ in range(3):
        agent.act(images)
        agent.learn(labels)
        step()
    for weight, same, old in zip(agent.net.parameters(), twin.parameters(), before, strict=True):
        torch.testing.assert_close(weight, same, rtol=1e-4, atol=1e-6)
        assert not torch.equal(same, old)


def test_made_up_images_are_registered_once():
    assert DRY.gray == DRY.gray == "MadeUp8x8x1Reward-v0"
    assert gym.make_vec(DRY.colour, num_envs=4).reset(seed=0)[0].shape == (4, 8, 8, 3)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0.0123, "0.0123"),
        (0.97, "0.97"),
        (80, "80"),
        (9999, "9,999"),
        (23e3, "23 k"),
        (8.251e6, "8.25 M"),
    ],
)
def test_numbers_have_three_digits(number, words):
    assert short(number) == words
    assert short(np.float64(number)) == words
