"""Agents that cannot learn together are told why."""

import gymnasium as gym
import pytest
from stacks import BATCH, ENV, cell, environment, made

from agents import train_together
from agents.credit import RULES, CreditRule
from agents.metrics import Alignment
from agents.together import Together


class Silent(CreditRule):
    """A rule of somebody's own, which says nothing about stacks."""

    name = "silent"


def refused(agents, env=None):
    train_together(agents, env or environment(cell()), BATCH, progress_bar=False)


def test_agents_that_cannot_learn_together_are_told_why(monkeypatch):
    env = environment(cell())
    agents = made(cell(), env)
    with pytest.raises(ValueError, match="give one or more agents, each of them once, got 0"):
        refused([])
    with pytest.raises(ValueError, match="each of them once, got 2"):
        refused([agents[0], agents[0]])
    with pytest.raises(ValueError, match="differ in seed, lr, drops and drop only"):
        refused([agents[0], *made(cell("agrel"), env)])
    with pytest.raises(TypeError, match="only the grid's agents learn together, got dict"):
        refused([agents[0], {}])
    with pytest.raises(ValueError, match="node_perturbation cannot learn together"):
        refused(made(cell(credit="node_perturbation"), env))
    monkeypatch.setitem(RULES, "silent", Silent)
    with pytest.raises(ValueError, match="silent cannot learn together"):
        refused(made(cell(credit="silent"), env))
    with pytest.raises(ValueError, match="make it without a delay"):
        refused(agents, environment(cell(), rewards={"delay": 2}))
    with pytest.raises(ValueError, match="leave out wrappers and vectorization_mode"):
        refused(agents, gym.make_vec(ENV, num_envs=BATCH, vectorization_mode="sync"))
    with pytest.raises(ValueError, match="3 agents together see as many images each, got 8"):
        Together(agents).act(env.reset(seed=0)[0])
    Alignment(agents[0])
    with pytest.raises(ValueError, match="a watched agent learns alone"):
        refused(agents)


def test_a_rule_does_not_inherit_that_it_is_stackable():
    class Changed(RULES["learned_feedback"]):
        """Learns in another way."""

    assert RULES["learned_feedback"].stackable
    assert not Changed.stackable
