"""The agents that others are measured by (protocol 8), and what is learned beside them."""

from collections.abc import Mapping, Sequence
from typing import Any

from agents.comparison.statistics import paired_difference
from agents.settings import name_of
from agents.signals import SIGNALS

READOUT_ONLY = "readout_only"
SUPERVISED = (("label", "backprop"), ("label_mse", "backprop"))

Cells = Mapping[str, Mapping[str, Any]]  # by agent; "signal" and "credit" are what counts here


def control_of(agent: str, cells: Cells) -> str | None:
    """The agent that freezes the hidden layers under the same signal; None: not run, or itself."""
    signal, credit = _cell(cells[agent])
    controls = [name for name in cells if _cell(cells[name]) == (signal, READOUT_ONLY)]
    return controls[0] if controls and credit != READOUT_ONLY else None


def missing_controls(cells: Cells) -> list[str]:
    """Names of the controls that were not run: two supervised ones, readout-only per signal.

    Other agents than ours have no signal of ours; a control needs no control of its own.
    """
    ran = {_cell(cell) for cell in cells.values()}
    signals = [s for s, credit in map(_cell, cells.values()) if (s, credit) not in SUPERVISED]
    wanted = [*SUPERVISED] + [(s, READOUT_ONLY) for s in dict.fromkeys(signals) if s in SIGNALS]
    return [name_of(*control) for control in wanted if control not in ran]


def beats(accuracies: Sequence[float], control: Sequence[float]) -> bool | None:
    """Whether the paired difference's interval lies above 0; None: too few seeds to say."""
    low = paired_difference(accuracies, control).low
    return None if low is None else low > 0


def _cell(cell: Mapping[str, Any]) -> tuple[str, str]:
    return cell["signal"], cell["credit"]
