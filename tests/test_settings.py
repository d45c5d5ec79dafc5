"""Settings: the agents that names and cells stand for, and what is written and read back."""

import json
from dataclasses import dataclass, replace
from fractions import Fraction

import gymnasium as gym
import numpy as np
import pytest

import credit_envs  # noqa: F401
from agents import AGENTS, Settings, load_agent, make_agent
from agents.credit import RULES, CreditRule
from agents.learner import Agent
from agents.signals import PolicyGradient


@dataclass(frozen=True)
class Rows(CreditRule):
    """Has a setting that JSON makes lists of."""

    name = "rows"
    rates: tuple[tuple[float, ...], ...] = ((0.1, 0.2), (0.3,))


SMALL = {"sizes": (12, 8), "lr": 0.05}


@pytest.mark.parametrize("name", [*AGENTS, "reward_prediction+kolen_pollack", "agrel+readout_only"])
def test_names_and_cells_make_the_agents_they_say(name):
    single = gym.make("DigitsReward-v0")
    vector = gym.make_vec("DigitsReward-v0", num_envs=4)
    for env in (single, vector):
        agent = make_agent(name, env, seed=5, device="cpu")
        assert (tuple(agent.shape), agent.classes, agent.seed) == ((8, 8, 1), 10, 5)
        signal, plus, rule = name.partition("+")
        if plus:
            assert (agent.settings.signal, agent.rule.name) == (signal, rule)
        else:
            assert agent.settings == AGENTS[name]
    custom = make_agent(Settings("label", RULES["learned_feedback"](rate=0.5), **SMALL), vector)
    assert custom.rule.rate == 0.5
    assert Settings.from_dict(custom.settings.to_dict()) == custom.settings


@pytest.mark.parametrize(
    ("network", "sizes", "kept"),
    [
        ("dense", (), (500, 300)), ("dense", (12, 8), (12, 8)), ("resnet18", (), (64,)),
        ("conv", (), ()), ("conv", (500, 300), ()),
    ],
)  # fmt: skip
def test_settings_keep_the_sizes_that_the_network_is_built_with(network, sizes, kept):
    settings = Settings(network=network, sizes=sizes)
    read = Settings.from_dict(settings.to_dict())
    assert (read.sizes, read.network_sizes) == (kept, kept)
    assert replace(read, sizes=sizes, credit="backprop") == settings


def test_numbers_of_any_kind_can_be_saved(tmp_path):
    given = Settings(
        sizes=(8,), lr=np.float32(0.25), drops=(np.int64(700),), drop=Fraction(1, 2), pixels=(0, 1)
    )
    assert given == Settings(sizes=(8,), lr=0.25, drops=(700,), drop=0.5)
    Agent(given, (4, 4, 1), 3).save(tmp_path / "agent.safetensors")
    read = load_agent(tmp_path / "agent.safetensors").settings
    assert replace(read, credit="backprop") == given


def test_a_rules_rows_are_read_back_as_rows(monkeypatch):
    monkeypatch.setitem(RULES, "rows", Rows)
    settings = Settings(credit=Rows(), sizes=(8,))
    read = Settings.from_dict(json.loads(json.dumps(settings.to_dict())))
    assert hash(read) == hash(settings)
    assert read == settings


def test_older_files_that_give_a_fixed_network_sizes_are_still_read():
    plain = Settings(network="conv").to_dict() | {"sizes": [500, 300]}
    assert Settings.from_dict(plain).network_sizes == ()


def test_policy_gradient_takes_the_baseline_it_is_told():
    plain = Settings("policy_gradient", sizes=(8,))
    assert "baseline" not in plain.to_dict()  # runs keep their keys
    for baseline in PolicyGradient.BASELINES:
        settings = replace(plain, baseline=baseline)
        assert Settings.from_dict(settings.to_dict()).baseline == baseline
        assert Agent(settings, (4, 4, 1), 3).signal.baseline == baseline
    with pytest.raises(ValueError, match="unknown baseline 'mean': choose one of none, running"):
        Settings("policy_gradient", baseline="mean")
    with pytest.raises(ValueError, match="baseline is for 'policy_gradient' only, got 'none'"):
        Settings("agrel", baseline="none")
