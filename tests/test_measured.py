"""What is read from finished agents: accuracy under noise, and how much control is left."""

from dataclasses import replace

import pytest
import torch
from tiny import TINY, make

from agents.credit.strong_dfc import StrongDFC
from agents.learner import Agent
from agents.presets.figure import Line
from agents.reproduction.measures import ideal_feedback
from agents.settings import Settings


@pytest.mark.parametrize("measure", ["noise", "control"])
def test_finished_agents_are_measured(tmp_path, made, measure):
    rule = StrongDFC(steps=20)
    line = Line("S", Settings("label", rule, "tanh", (12,), lr=0.1))
    figure = replace(
        TINY, lines=(line,), reference="", measure=measure, protocols=("own",), goals=()
    )
    (row,) = make(tmp_path, figure).rows
    found = row["measured"]
    if measure == "noise":
        assert found["noise 0"] == pytest.approx(row["accuracy"], abs=0.1)
        assert found["noise 0.8"] < found["noise 0"]
    else:
        assert found["H"] > 0
        assert found["H, ideal Q"] > 0
        assert found["loss"] > 0


def test_the_ideal_feedback_is_the_transposed_jacobian():
    agent = Agent(Settings("label", StrongDFC(), "tanh", (5, 4)), (8, 8, 1), 10)
    images = torch.rand(1, 8, 8, 1)
    weights = [layer.weight.detach() for layer in agent.net[1::2]]
    learned = agent.net[1].feedback.clone()
    with ideal_feedback(agent.net, images), torch.no_grad():
        above = agent.net[:3](images)  # tanh of the first layer
        slopes = 1 - agent.net[:5](images) ** 2
        expected = (weights[2] * slopes).T  # (4, 10)
        assert torch.allclose(agent.net[3].feedback, expected, atol=1e-6)
        lower = (1 - above**2).T * (weights[1].T @ expected)
        assert torch.allclose(agent.net[1].feedback, lower, atol=1e-6)
    assert torch.equal(agent.net[1].feedback, learned)
