"""An agent in its environment as a run needs it: taken to a batch, read out, put down, taken up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from agents import checkpoint
from agents.credit import CreditRule
from agents.learner import Agent
from agents.making import make_agent, pick_device
from agents.metrics import Alignment
from agents.products import Products
from agents.right import chance
from agents.runs.folder import End
from agents.runs.job import Job
from agents.runs.rows import Row, ended_early
from agents.training import GRAINS, evaluate, train
from credit_envs.registration import find_spec

PART = 0.5  # seconds of training between two looks at the clock, or up to twice that
COUNTED = 2  # the products of the second batch stand for all: in the first one things are made

Progress = Callable[[int, float], None]  # trials since the last call, mean reward


@dataclass
class Lived:
    """How far a run is, beside what its agent knows."""

    threads: int  # PyTorch's: sums depend on it in their last bits
    batches: int = 0
    rewarded: float = 0.0  # sum of the rewards since the last row
    multiply_adds: int = 0  # of one batch
    seconds: float = 0.0
    test: float | None = None  # accuracy where the readings were best
    rows: list[Row] = field(default_factory=list)


class Learning:
    """A job's agent and environment, from before the first trial on."""

    def __init__(self, job: Job):
        self.job = job
        device = str(pick_device(job.device))
        self.rule = job.settings.rule if job.settings else CreditRule()
        tensors = job.on_gpu and job.settings is not None  # the user's own classes see arrays
        self.env = gym.make_vec(
            find_spec(job.env), num_envs=job.batch, device=device if tensors else None,
            split=job.protocol.learns, presentations=self.rule.presentations,
            reveal_label=job.settings is not None and job.settings.learns_from == "label",
        )  # fmt: skip
        self.env.reset(seed=job.seed)
        agent = job.settings or job.own or job.agent
        self.agent = make_agent(agent, self.env, seed=job.seed, device=device)
        watched = job.watched and isinstance(self.agent, Agent)  # others have no rule to compare
        self.alignment = Alignment(self.agent) if watched else None
        self.lived = Lived(torch.get_num_threads())
        self._part = 1  # batches between two looks at the clock

    def learn(self, point: int, progress: Progress) -> bool:
        """Train for about PART seconds, but not beyond a point; is the point reached?"""
        left = self._batches(point) - self.lived.batches
        if left > 0:
            part, began = min(self._part, left), time.monotonic()
            self._train(part)
            progress(part * self.job.batch, self._running())
            took = time.monotonic() - began
            if took > 2 * PART:
                self._part = max(1, self._part // 2)
            elif took < PART and part == self._part and self.lived.batches > COUNTED:
                self._part *= 2
            left -= part
        return left <= 0

    def _train(self, batches: int) -> None:
        trials = batches * self.job.batch
        if self.lived.batches < COUNTED:
            with Products() as products:
                mean = train(self.agent, self.env, trials, progress_bar=False)
            self.lived.multiply_adds = products.multiply_adds
        else:
            mean = train(self.agent, self.env, trials, progress_bar=False)
        self.lived.batches += batches
        self.lived.rewarded += round(mean * trials * GRAINS) / GRAINS  # whole, as train left them

    def _batches(self, trials: int) -> int:
        return ceil(trials / self.job.batch)

    def _running(self) -> float:
        """Mean reward since the last row."""
        rows = self.lived.rows
        before = self._batches(rows[-1].trials) if rows else 0
        return self.lived.rewarded / ((self.lived.batches - before) * self.job.batch)

    def read(self, point: int, seconds: float) -> Row:
        """Evaluate, at a point."""
        since = self.lived.rows[-1].trials if self.lived.rows else 0
        row = Row(
            point, self._accuracy(self.job.protocol.reads), self._running(),
            self.alignment.change_angle(since) if self.alignment else None, seconds,
        )  # fmt: skip
        before = (row.validation_accuracy for row in self.lived.rows)
        if self.job.protocol.selects and row.validation_accuracy > max(before, default=-1):
            self.lived.test = self._accuracy("test")
        self.lived.rows.append(row)
        self.lived.rewarded = 0.0
        return row

    def stopped(self) -> bool:
        """Has the run waited for a rise as long as its protocol does?"""
        return ended_early(self.lived.rows, self.job.protocol.patience)

    def _accuracy(self, split: str) -> float:
        return evaluate(self.agent, self.env, split, self.job.protocol.images)

    def end(self, diverged: int | None, seconds: float) -> End:
        """Read the test images, if they are read, and sum up."""
        trials = self.lived.batches * self.job.batch if diverged is None else diverged
        known = isinstance(self.agent, Agent)  # each of whose batches costs the same
        test = None
        if self.job.reads_test:
            test = self._test() if diverged is None else chance(self.job.env)
        return End(
            test, diverged, seconds,
            env_steps=trials * self.rule.presentations,
            presentations=trials * self.rule.presentations,
            forward_passes=getattr(self.agent, "forward_passes", trials * self.rule.passes),
            multiply_adds=trials * self.lived.multiply_adds // self.job.batch if known else None,
            change_angle=self.alignment.change_angle() if self.alignment else None,
        )  # fmt: skip

    def _test(self) -> float | None:
        return self.lived.test if self.job.protocol.selects else self._accuracy("test")

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that `restore` needs; `load_agent` reads the agent from the same file."""
        self.agent.check()  # a GPU may still keep to itself that it has diverged
        tensors = self.agent.tensors()
        if self.alignment:
            tensors |= checkpoint.flat({"alignment": self.alignment.tensors()})
        return tensors, self.agent.facts | {"run": asdict(self.lived)}

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take over what `state` gave."""
        lived = dict(facts["run"])
        rows = [Row(**row) for row in lived.pop("rows")]
        self.lived = Lived(rows=rows, **lived)
        self.agent.restore(tensors)
        self.agent.trials = facts["trials"]
        if self.alignment:
            self.alignment.restore(checkpoint.nested(tensors)["alignment"])
        self.env.reset(options={"position": self.lived.batches * self.job.batch})
