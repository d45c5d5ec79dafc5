"""Whole trials as one CUDA graph: look, act, be answered, learn, without the host.

Each operation of a plain trial is launched from Python, and a small net's take less time than
that. A graph has them all: captured once, then replayed by one launch. The host is left to say
which images are next, and to count.

    trial = Captured(agent, env)
    for _ in range(1000):
        trial()

learns bit for bit what plain trials learn. A number that the host changes would stay in a graph as
it was: so the learning rate's drops, and an agent that was restored, have a new one made.
"""

from collections.abc import Callable
from functools import cache
from typing import Any, Protocol

import torch
from gymnasium.vector import VectorEnv
from torch import Tensor

from agents.credit.stages import let_go
from agents.fit import check_actions, check_environment, check_part
from agents.learner import Agent
from credit_envs.replayed import Replayed

PLAIN = 3  # trials before the capture: in them libraries and optimisers make what they keep

Body = Callable[[], None]


class Graph(Protocol):
    """Operations that can be done again, on the same memory."""

    def aside(self, body: Body) -> None:
        """Do them plainly, where capturing finds their memory."""

    def capture(self, body: Body) -> None:
        """Take them in, without doing them."""

    def replay(self) -> None:
        """Do them."""


class CudaGraph:
    """A graph on an agent's GPU; draws from its generators go on with each replay."""

    def __init__(self, agent: Agent):
        if agent.device.type != "cuda":
            raise ValueError(
                f"a CUDA graph needs a GPU, this agent is on {agent.device}: make it, and its "
                'environment, with device="cuda", or run plain trials'
            )
        self._stream = _aside(agent.device)
        with torch.cuda.device(self._stream.device):
            self._graph: Any = torch.cuda.CUDAGraph()
            for generator in agent.generators.values():
                if generator.device.type == "cuda":
                    self._graph.register_generator_state(generator)

    def aside(self, body: Body) -> None:
        """Capturing needs a stream of its own, and the same for trials that prepare for it."""
        here = torch.cuda.current_stream(self._stream.device)
        self._stream.wait_stream(here)
        with torch.cuda.stream(self._stream):
            body()
        here.wait_stream(self._stream)

    def capture(self, body: Body) -> None:
        """Take the body's kernels in; they do not run."""
        device = torch.cuda.device(self._stream.device)
        with device, torch.cuda.graph(self._graph, stream=self._stream):
            body()

    def replay(self) -> None:
        """Launch them all."""
        self._graph.replay()


@cache
def _aside(device: torch.device) -> Any:
    return torch.cuda.Stream(device)


class Captured:
    """Trials of an agent in a vector environment on its GPU, replayed.

    Each call is a trial of each of the B images, and returns their rewards (B,), which the next
    call overwrites. `agent.trials`, and the environment's position, go on as in plain trials, which
    may come between. Agents that are watched are refused, and environments with reward options.
    """

    def __init__(
        self, agent: Agent, env: VectorEnv, make_graph: Callable[[Agent], Graph] = CudaGraph
    ):
        if not isinstance(agent, Agent) or agent.watch is not None:
            raise ValueError("only trials of the engine's agents, unwatched, can be replayed")
        check_environment(env, agent.learns_from == "label", agent.presentations)
        check_part(agent, env)
        check_actions(agent, env)
        self.agent, self._make, self._batch = agent, make_graph, env.num_envs
        self._env = Replayed(env)
        self._clock = torch.zeros((), dtype=torch.int64, device=agent.device)
        if self._env.device != self._clock.device:
            raise ValueError(
                f"the agent is on {self._clock.device}, its environment on {self._env.device}: "
                "make both with the same device"
            )
        self._graph = make_graph(agent)
        self._reward: Tensor
        self._begin()

    def __call__(self) -> Tensor:
        """Run the open trials."""
        self._env.turn()
        if self.agent.optimizer.state is not self._state:  # restored
            self._begin()
        if self._plain:
            self._plain -= 1
            self._graph.aside(self._trial)
            return self._reward
        rate = self.agent.settings.rate(self.agent.trials)
        if rate != self._rate:
            self._rate = rate
            self._capture()
        self._clock.fill_(self.agent.trials)
        self._graph.replay()
        self.agent.passed(self._batch)
        return self._reward

    def _begin(self) -> None:
        """Trials that come next prepare for a capture, for the optimiser may have no memory yet."""
        self._state = self.agent.optimizer.state
        self._plain, self._rate = PLAIN, None  # such trials left; learning rate of the capture
        let_go(self.agent.net)

    def _trial(self) -> None:
        for _ in range(self.agent.presentations):
            self._reward, label = self._env.answer(self.agent.act(self._env.images()))
            self.agent.learn(label if self.agent.learns_from == "label" else self._reward)

    def _capture(self) -> None:
        agent = self.agent
        let_go(agent.net)  # of plain trials that came between, on another stream
        self._graph = self._make(agent)
        trials, agent.clock = agent.trials, self._clock
        try:
            self._graph.capture(self._trial)
        finally:
            agent.trials, agent.clock = trials, None
