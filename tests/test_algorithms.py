"""What PPO, A2C and DQN are told to be: settings beside the grid's cells."""

import subprocess
import sys
from dataclasses import replace

import pytest

from agents import AGENTS
from agents.algorithms import ALGORITHMS
from agents.settings import settings_from


def settings(name, **changes):
    return replace(AGENTS[name], sizes=(16,), **changes)


def test_settings_are_read_back_and_tell_the_algorithm():
    for name, kind in ALGORITHMS.items():
        written = settings(name).to_dict()
        assert (written["signal"], written["credit"]["name"]) == (name, "backprop")
        assert type(settings_from(written)) is kind
        assert settings_from(written).to_dict() == written


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        ("ppo", {"optimizer": "sgd"}, "ppo runs as Stable-Baselines3 has it: its optimizer"),
        ("a2c", {"credit": "feedback_alignment"}, "its credit is 'backprop' and cannot be 'feed"),
        ("dqn", {"momentum": 0.9}, "its momentum is 0.0 and cannot be 0.9"),
        ("ppo", {"n_steps": 0}, "n_steps is a whole number above 0, got 0"),
        ("dqn", {"gradient_steps": 1.5}, "gradient_steps is a whole number above 0, got 1.5"),
        ("a2c", {"ent_coef": -0.1}, "ent_coef is 0 or more, got -0.1"),
        ("ppo", {"lr": 0.0}, "lr is a positive learning rate"),
        ("ppo", {"network": "mlp"}, "unknown network 'mlp'"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_sentence(name, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        settings(name, **changes)


def test_nobody_who_does_not_ask_for_them_imports_sb3():
    program = "import sys, agents; assert not any('stable' in name for name in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
