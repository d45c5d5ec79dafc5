"""One run: an agent, an environment, a seed, and what it learned in how many trials."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, cast

import gymnasium as gym
import torch
from gymnasium.spaces import Discrete
from gymnasium.vector import VectorEnv

from agents.credit import CreditRule
from agents.learner import Diverged
from agents.making import make_agent, pick_device
from agents.metrics import Alignment
from agents.settings import Settings
from agents.training import evaluate, train


@dataclass(frozen=True)
class Job:
    """What to run. The seed fixes stream, initial weights and exploration: runs pair by it."""

    env: str
    agent: str  # as the user named it
    settings: Settings | None  # None for a class of the user's own
    seed: int
    batch: int
    device: str = "cpu"
    reads_test: bool = True  # a search never does
    watched: bool = False  # read how well the rule is aligned with backprop

    def key(self) -> str:
        """Eight digits that stand for everything but name and seed."""
        plain = asdict(self) | {
            "settings": self.settings and self.settings.to_dict(), "agent": "", "seed": 0,
            "torch": torch.__version__,
        }  # fmt: skip
        if not self.watched:
            del plain["watched"]  # as in the keys of runs that were kept before there were watches
        return hashlib.blake2b(
            json.dumps(plain, sort_keys=True).encode(), digest_size=4
        ).hexdigest()


@dataclass(frozen=True)
class Result:
    """One finished run of one agent with one seed."""

    agent: str
    seed: int
    trials: tuple[int, ...]  # evaluation points
    validation: tuple[float, ...]  # validation accuracy there, 0..1
    test_accuracy: float | None  # read once, at the end; diverged: chance; None: not read
    diverged: int | None  # the trial at which the run diverged; its curve ends there
    seconds: float
    env_steps: int
    forward_passes: int
    change_angle: float | None = None  # degrees, mean of a watched run; None: nothing to compare
    presentations: int = 0  # images shown; 0: not counted
    multiply_adds: int | None = None  # None: not known


Progress = Callable[[int, float], None]  # trials run since the last call, validation accuracy now


def run(job: Job, points: tuple[int, ...], progress: Progress) -> Result:
    """Train, evaluating on validation at each of the `points`; then read the test images, once."""
    start = time.perf_counter()
    agent, env = _make(job)
    alignment = Alignment(agent) if job.watched and job.settings else None
    accuracies: list[float] = []
    diverged = None
    done = 0
    for point in points:
        try:
            train(agent, env, point - done, progress_bar=False)
        except Diverged as end:
            diverged = end.trial
            break
        accuracies.append(evaluate(agent, job.env, "validation"))
        progress(point - done, accuracies[-1])
        done = point
    trials = points[-1] if diverged is None else diverged
    rule = job.settings.rule if job.settings else CreditRule()  # one pass, one presentation
    return Result(
        job.agent, job.seed, points[: len(accuracies)], tuple(accuracies),
        test_accuracy=_test(job, agent, env, diverged),
        diverged=diverged, seconds=time.perf_counter() - start,
        env_steps=trials * rule.presentations, forward_passes=trials * rule.passes,
        change_angle=alignment.change_angle() if alignment else None,
    )  # fmt: skip


def _test(job: Job, agent: Any, env: VectorEnv, diverged: int | None) -> float | None:
    if not job.reads_test:
        return None
    return evaluate(agent, job.env, "test") if diverged is None else chance(env)


def chance(env: VectorEnv) -> float:
    """Accuracy of guessing."""
    return 1 / int(cast(Discrete, env.single_action_space).n)


def _make(job: Job) -> tuple[Any, VectorEnv]:
    device = pick_device(job.device)
    env = gym.make_vec(
        job.env, num_envs=job.batch, device=None if device.type == "cpu" else str(device),
        reveal_label=job.settings is not None and job.settings.learns_from == "label",
        presentations=job.settings.rule.presentations if job.settings else 1,
    )  # fmt: skip
    env.reset(seed=job.seed)
    return make_agent(job.settings or job.agent, env, seed=job.seed, device=str(device)), env
