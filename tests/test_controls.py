"""The controls of every table: found where they run, and named where they do not."""

import pytest

from agents.comparison.controls import beats, control_of, missing_controls
from agents.settings import settings_of


def cells(*agents):
    own = {"signal": "own", "credit": "own"}
    return {a: own if ":" in a else _cell(settings_of(a)) for a in agents}


def _cell(settings):
    return {"signal": settings.signal, "credit": settings.rule.name}


ALL = ("supervised", "supervised_mse", "q_agrel", "reward_prediction+readout_only")


@pytest.mark.parametrize(
    ("agents", "missing"),
    [
        (ALL, []),
        (ALL[:3], ["reward_prediction+readout_only"]),
        (ALL[1:], ["supervised"]),
        (("supervised", "kolen_pollack"), ["supervised_mse", "readout_only"]),
        (("mine:Agent",), ["supervised", "supervised_mse"]),
        ((*ALL, "reinforce", "brainprop"), ["policy_gradient+readout_only"]),
    ],
)
def test_controls_that_did_not_run_are_named(agents, missing):
    assert missing_controls(cells(*agents)) == missing


def test_an_agent_is_measured_by_the_control_under_its_own_signal():
    found = cells(*ALL, "readout_only", "reinforce", "mine:Agent")
    assert control_of("q_agrel", found) == "reward_prediction+readout_only"
    assert control_of("supervised", found) == "readout_only"
    for without in ("reinforce", "mine:Agent", "supervised_mse", "readout_only"):
        assert control_of(without, found) is None


def test_to_carry_credit_is_to_be_surely_above_the_control():
    control = [0.90, 0.91, 0.92, 0.93, 0.94]
    assert beats([a + d for a, d in zip(control, (1, 2, 3, 2, 2), strict=True)], control) is True
    assert beats([a + d for a, d in zip(control, (1, -2, 3, 2, -2), strict=True)], control) is False
    assert beats([a - 0.1 for a in control], control) is False
    assert beats([0.9] * 4, [0.1] * 4) is None
