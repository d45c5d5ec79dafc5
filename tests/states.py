"""All that an agent is: kept, and compared bit for bit."""

import torch
from torch import Tensor

from agents.learner import Agent


def state(agent: Agent) -> dict[str, Tensor]:
    """A copy of every tensor that the agent would save."""
    return {name: tensor.clone() for name, tensor in agent.tensors().items()}


def equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def alike(one: Agent, other: Agent) -> bool:
    """Whether two agents are the same in everything."""
    return equal(one.tensors(), other.tensors())
