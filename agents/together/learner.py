"""Several agents as one, which acts on their trials and learns from them in one batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from agents.engine import Engine
from agents.exchange import no_answer
from agents.learner import Agent
from agents.together.neighbours import neighbours
from agents.together.stacked import Apart, stacked, stacked_signal
from credit_envs.stream import ALONE
from credit_envs.tensors import NEVER, FirstBad, not_finite

OWN = ("lr", "drops", "drop")  # the settings in which agents that learn together may differ


class Together(Engine):
    """S agents at once: a batch has the trials (S B, ...) of one after those of another.

    Each agent learns what it would have learned alone, and knows it after `hand_back`. One that
    diverges goes on in numbers that are none, to nobody's harm; asked alone, it raises Diverged.
    """

    def __init__(self, agents: Sequence[Agent]):
        check(agents)
        self.agents, one = tuple(agents), agents[0]
        self.nets, self.trials = len(agents), one.trials
        self.settings, self.rule, self.explore = one.settings, one.rule, one.explore
        self.shape, self.classes, self.device = one.shape, one.classes, one.device
        self.generators = {
            name: Apart([agent.generators[name] for agent in agents]) for name in one.generators
        }
        self.signal = stacked_signal([agent.signal for agent in agents])
        self.net = self.optimizer = stacked([agent.net for agent in agents])
        self._neighbours = neighbours(self.net, agents)
        self._no_answer = FirstBad(self.device, no_answer(self.learns_from, one.classes))
        self._first_bad = torch.full((self.nets,), NEVER, device=self.device)  # trial of each net

    def act(self, images: Any) -> Any:
        """Choose a class for each image (S B, H, W, C), and await the answers."""
        if len(images) % self.nets:
            raise ValueError(
                f"{self.nets} agents together see as many images each, got {len(images)} in all"
            )
        return super().act(images)

    @torch.no_grad()
    def hand_back(self) -> None:
        """Bring every agent to where it is in the stack."""
        for number, agent in enumerate(self.agents):
            agent.trials = self.trials
            for own, all_ in zip(_state(agent), _state(self), strict=True):
                # What has no axis for the nets is alike in all of them: the batches seen.
                mine = all_.view(self.nets, -1)[number] if all_.dim() else all_
                own.copy_(mine.view_as(own))
        for some in self._neighbours:
            some.hand_back()
        for agent, trial in zip(self.agents, self._first_bad.tolist(), strict=True):
            if trial != NEVER:
                agent.mark_diverged(trial)

    def _take_step(self) -> None:
        for some in self._neighbours:
            some.step(self.trials)

    def _look_after(self, costs: Tensor) -> None:
        bad = not_finite(costs).view(self.nets, -1)
        if self.device.type == "cpu" and not bad.any():
            return
        trials = torch.arange(self.trials, self.trials + bad.shape[1], device=self.device)
        first = torch.where(bad, trials, NEVER).amin(1)
        self._first_bad = torch.minimum(self._first_bad, first)


def check(agents: Sequence[Agent]) -> None:
    """Refuse agents that cannot learn together. Raises TypeError or ValueError."""
    for agent in agents:
        if not isinstance(agent, Agent):
            raise TypeError(
                f"only the grid's agents learn together, got {type(agent).__name__}: train it alone"
            )
    if not agents or len(set(map(id, agents))) < len(agents):
        raise ValueError(f"give one or more agents, each of them once, got {len(agents)}")
    if any(agent.part != ALONE for agent in agents):
        raise ValueError("agents in several processes share one batch: train them one by one")
    rule = agents[0].rule
    if not rule.stackable:
        raise ValueError(f"agents with {rule.name} cannot learn together: train them one by one")
    for agent in agents:
        if agent.watch is not None:
            raise ValueError("a watched agent learns alone: nothing watches a net in a stack")
    if any(_common(agent) != _common(agents[0]) for agent in agents):
        raise ValueError(
            "agents that learn together differ in seed, lr, drops and drop only: give them the "
            "same other settings, images, device and number of trials"
        )


def _common(agent: Agent) -> tuple[Any, ...]:
    """What agents that learn together have in common."""
    settings = agent.settings.to_dict().items()
    common = {name: value for name, value in settings if name not in OWN}
    return common, agent.shape, agent.classes, agent.device, agent.trials


def _state(engine: Engine) -> list[Tensor]:
    """Everything in the net and the signal that is learned or measured."""
    return [*engine.net.state_dict().values(), *engine.signal.state_dict().values()]
