"""A credit rule of the user's own, from outside the package: 25 lines, and it is one like any."""

from dataclasses import replace

import cells  # noqa: F401  one torch thread
import gymnasium as gym
import numpy as np
import pytest
import torch
from sparse import MINE, NAME

from agents import Settings, evaluate, load_agent, make_agent, train
from agents.comparison.options import Options
from agents.credit import RULES, CreditRule
from agents.credit.base import random_feedback, upper
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.learner import Agent
from agents.plausibility import card
from agents.settings import settings_of
from agents.weighted import weighted

ENV = "DigitsReward-v0"


def learn(signal, rule):
    """An agent after some thousand digits, and its accuracy."""
    env = gym.make_vec(ENV, num_envs=32, reveal_label=signal.startswith("label"))
    env.reset(seed=0)
    agent = make_agent(Settings(signal, rule, sizes=(64, 32), lr=0.2), env, device="cpu")
    train(agent, env, trials=20_000, progress_bar=False)
    return agent, evaluate(agent, ENV)


def test_a_rule_takes_less_than_25_lines_with_its_training():
    assert sum(bool(line.strip()) for line in MINE.splitlines()) < 25
    assert "agents/" not in MINE  # no file of the package is touched


@pytest.mark.parametrize("signal", ["reward_prediction", "label"])
def test_it_carries_credit_from_reward_and_from_labels(signal, mine):
    _, accuracy = learn(signal, mine())
    _, control = learn(signal, "readout_only")
    assert accuracy > control + 0.08


def test_a_name_in_the_table_is_a_name_like_any_other(mine):
    env = gym.make_vec(ENV, num_envs=4)
    cell = f"policy_gradient+{NAME}"
    for agent in (cell, Settings("policy_gradient", NAME), *Options(agents=cell).cells().values()):
        made = make_agent(agent, env)
        assert type(made.rule) is mine
        assert made.settings.to_dict()["credit"] == {"name": NAME, "density": 0.2}


def test_a_cell_can_name_its_class(mine):
    cell = f"label+mine:{mine.__name__}"
    (settings,) = Options(agents=cell).cells().values()
    assert settings == replace(settings_of(cell), sizes=settings.sizes)
    assert settings.rule == mine()
    with pytest.raises(TypeError, match="mine:torch is no credit rule: let it inherit from"):
        settings_of("label+mine:torch")
    with pytest.raises(ValueError, match="no class 'Lost' in a module 'mine'"):
        settings_of("label+mine:Lost")


def test_an_agent_with_it_goes_on_from_its_file_bit_for_bit(mine, tmp_path):
    agent, _ = learn("reward_prediction", mine(density=0.5))
    agent.save(tmp_path / "agent")
    loaded = load_agent(tmp_path / "agent", device="cpu")
    assert loaded.rule == mine(density=0.5)
    images = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), np.uint8)
    for one in (agent, loaded):
        one.act(images)
        one.learn(np.ones(8))
    for name, tensor in agent.tensors().items():
        assert torch.equal(tensor, loaded.tensors()[name]), name


def test_a_file_with_a_rule_that_nobody_added_says_what_to_do(mine, tmp_path, monkeypatch):
    env = gym.make_vec(ENV, num_envs=4)
    monkeypatch.delitem(RULES, NAME)
    make_agent(Settings(credit=mine()), env).save(tmp_path / "agent")  # an object needs no table
    with pytest.raises(ValueError, match=r"'sparse_feedback', which is not .*RULES\[MyRule.name\]"):
        load_agent(tmp_path / "agent")
    monkeypatch.setitem(RULES, NAME, mine)
    assert load_agent(tmp_path / "agent").rule == mine()


def test_a_rule_without_a_name_of_its_own_is_refused():
    class Nameless(CreditRule):
        pass

    class Heir(FeedbackAlignment):  # an agent of it would be loaded as feedback alignment
        pass

    for rule, name in ((Nameless(), "None"), (Heir(), "'feedback_alignment'")):
        with pytest.raises(ValueError, match=f"needs a name that no other rule .* got {name}: "):
            Settings(credit=rule)


def test_it_has_a_card(mine):
    measured = card(mine())
    assert measured == card(NAME)
    assert (measured.needs_label, measured.reads_weights) == ("no", "no")


def test_feedback_that_follows_the_weights_is_no_part_of_their_graph():
    class Late(CreditRule):
        name = "late"

        def prepare(self, net, generator):
            for layer in upper(net):
                random_feedback(layer, generator, learns=False)

        def learn(self, net, trial):
            for layer in upper(net):
                layer.feedback.lerp_(layer.weight, 0.1)

    agent = Agent(Settings("label", Late(), sizes=(6,)), (4, 4, 1), 3, seed=0)
    top = weighted(agent.net)[-1]
    for _ in range(3):
        agent.act(torch.rand(4, 4, 4, 1))
        agent.learn(torch.tensor([0, 1, 2, 0]))
        assert top.feedback.grad_fn is None
        assert not top.feedback.requires_grad
