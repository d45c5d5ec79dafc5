"""Who takes the steps of stacked nets: those side by side that have one learning rate, at once."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from itertools import groupby
from typing import Any

import torch
from torch import Tensor, nn

from agents.learner import Agent
from agents.plasticity import groups_of, optimizer_over, take_step


class Neighbours:
    """Nets that stand side by side in the stack and have the same rates: one stock optimiser.

    Its parameters are rows of the stack's, (n, numbers of a net). `torch.optim` goes number by
    number, so that it does not matter which tensor a number stands in.
    """

    def __init__(self, net: nn.Module, agents: Sequence[Agent], nets: slice):
        self._all, self._nets, self._agents = len(agents), nets, agents[nets]
        settings = self._agents[0].settings
        self._rate = settings.rate
        groups = groups_of(net, settings.weight_decay)
        self._wholes = _parameters(groups)
        for group in groups:
            group["params"] = [nn.Parameter(self._rows(p.detach())) for p in group["params"]]
        self._optimizer = optimizer_over(
            groups, settings.optimizer, settings.lr, **settings.constants
        )
        self._go_on()

    def step(self, trials: int) -> None:
        """Take the nets' steps, at the rate that they have after so many trials."""
        for whole, rows in zip(
            self._wholes, _parameters(self._optimizer.param_groups), strict=True
        ):
            rows.grad = None if whole.grad is None else self._rows(whole.grad)
        take_step(self._optimizer, self._rate(trials))

    def _go_on(self) -> None:
        """Take over what the agents' own optimisers remember."""
        for rows, owners in self._owners():
            memories = [agent.optimizer.state[own] for agent, own in owners]
            for name, value in memories[0].items():
                apart = [memory[name].flatten() for memory in memories if _of_each(value)]
                self._optimizer.state[rows][name] = torch.stack(apart) if apart else deepcopy(value)

    def hand_back(self) -> None:
        """Give the agents' own optimisers what this one remembers."""
        for rows, owners in self._owners():
            for name, value in self._optimizer.state[rows].items():
                for row, (agent, own) in enumerate(owners):
                    memory = value[row].view_as(own) if _of_each(value) else value
                    agent.optimizer.state[own][name] = deepcopy(memory)

    def _owners(self) -> Iterator[tuple[nn.Parameter, list[tuple[Agent, nn.Parameter]]]]:
        """Each parameter of the optimiser, and whose parameters its rows are."""
        own = [_parameters(agent.optimizer.param_groups) for agent in self._agents]
        for rows, *singles in zip(_parameters(self._optimizer.param_groups), *own, strict=True):
            yield rows, list(zip(self._agents, singles, strict=True))

    def _rows(self, whole: Tensor) -> Tensor:
        """What is these nets' of a tensor of all nets."""
        return whole.view(self._all, -1)[self._nets]


def neighbours(net: nn.Module, agents: Sequence[Agent]) -> list[Neighbours]:
    """All nets of the stack, in their order."""
    alike = groupby(range(len(agents)), lambda i: _rates(agents[i]))
    spans = [list(span) for _, span in alike]
    return [Neighbours(net, agents, slice(span[0], span[-1] + 1)) for span in spans]


def _rates(agent: Agent) -> tuple[Any, ...]:
    settings = agent.settings
    return settings.lr, settings.drops, settings.drop


def _parameters(groups: Sequence[dict[str, Any]]) -> list[nn.Parameter]:
    return [parameter for group in groups for parameter in group["params"]]


def _of_each(value: Any) -> bool:
    """Has each number of a parameter one of its own? The count of steps is for all."""
    return isinstance(value, Tensor) and value.dim() > 0
