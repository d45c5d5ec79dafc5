"""What is to be run, and what came out."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from agents.importing import imported, path_kept
from agents.own import Own
from agents.own_code import code_of, code_of_parts
from agents.runs.folder import FORMAT, Record
from agents.runs.protocol import STANDARD, Protocol
from agents.seeding import plain_seed
from agents.settings import Settings
from credit_envs.datasets import open_data
from credit_envs.order import Order
from credit_envs.registration import find_spec
from credit_envs.rewards import Rewards, given


@dataclass(frozen=True)
class Job:
    """What to run. The seed fixes stream, initial weights and exploration: runs pair by it."""

    env: str
    agent: str  # as the user named it
    settings: Settings | None  # None for a class of the user's own
    seed: int
    batch: int
    points: tuple[int, ...]  # trials at which validation is read; the last one is the budget
    device: str = "cpu"
    reads_test: bool = True  # a search never does
    watched: bool = False  # read how well the rule is aligned with backprop
    own: Own | None = None  # what makes an agent that was given as an argument
    protocol: Protocol = STANDARD
    code: str = field(default="", init=False)  # stands for that of a class of the user's own

    def __post_init__(self):
        object.__setattr__(self, "code", self._code())
        plain_seed(self.seed)
        steps = [after - before for before, after in pairwise(self.points)]
        if not self.points or self.points[0] < 1 or min(steps, default=self.batch) < self.batch:
            raise ValueError(
                f"points are numbers of trials, each a batch of {self.batch} or more above the one "
                f"before, got {self.points}"
            )

    def _code(self) -> str:
        """Of an agent's parts, or of one "module:Class"; one given as an argument has none."""
        if self.settings is not None:
            return code_of_parts(self.settings)
        if self.own is not None:
            return ""
        with path_kept():
            return code_of(imported(self.agent))

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON."""
        plain = asdict(self) | {"settings": self.settings and self.settings.to_dict()}
        del plain["own"]
        if not self.code:
            del plain["code"]  # as it was before there were any: runs keep their keys
        if self.protocol == STANDARD:
            del plain["protocol"]
        world = {"images": _images(self.env), "options": _options(self.env)}
        return {"format": FORMAT} | plain | {name: said for name, said in world.items() if said}

    def key(self) -> str:
        """Eight digits that stand for everything but environment, agent's name and seed."""
        named = dict.fromkeys(("env", "agent", "seed"))
        plain = self.to_dict() | named | {"torch": torch.__version__}
        content = json.dumps(plain, sort_keys=True).encode()
        return hashlib.blake2b(content, digest_size=4).hexdigest()

    def folder(self, root: Path) -> Path:
        """Where below `root` the run is kept."""
        env, agent = (name.replace(":", "_").replace("/", "_") for name in (self.env, self.agent))
        return root / env / agent / self.key() / f"seed-{self.seed}"

    @property
    def on_gpu(self) -> bool:
        """Is it run on a GPU?"""
        return self.device != "cpu"

    def __str__(self) -> str:
        return f"{self.agent} with seed {self.seed} on {self.env}"


@cache
def _images(env: str) -> str | None:
    """What stands for images of the user's own, which may change; None for those of the table."""
    dataset = find_spec(env).kwargs["dataset"]
    return None if isinstance(dataset, str) else open_data(dataset).row.key()


def _options(env: str) -> dict[str, Any]:
    """What an id is registered with beside its images, as JSON has it; the suite's have nothing."""
    options = {name: value for name, value in find_spec(env).kwargs.items() if name != "dataset"}
    for group, kind in (("rewards", Rewards), ("order", Order)):
        said = asdict(given(kind, options.get(group), group))
        options[group] = {name: x for name, x in said.items() if x != getattr(kind, name)}
    there = {name: value for name, value in options.items() if value}
    return json.loads(json.dumps(there, default=float))  # a number may be NumPy's


@dataclass(frozen=True)
class Result:
    """One finished run of one agent with one seed."""

    agent: str
    seed: int
    trials: tuple[int, ...]  # evaluation points
    validation: tuple[float, ...]  # accuracy there on the split that the protocol reads, 0..1
    test_accuracy: float | None  # read once, at the end; diverged: chance; None: not read
    diverged: int | None  # the trial at which the run diverged; its curve ends there
    seconds: float
    env_steps: int
    forward_passes: int
    change_angle: float | None = None  # degrees, mean of a watched run; None: nothing to compare
    presentations: int = 0
    multiply_adds: int | None = None  # None: not known for a class of the user's own


def result_of(record: Record) -> Result:
    """The result of a finished run."""
    end = record.end
    assert end is not None, f"{record.folder} is not finished"
    return Result(
        record.config["agent"], record.config["seed"],
        tuple(row.trials for row in record.rows),
        tuple(row.validation_accuracy for row in record.rows),
        **asdict(end),
    )  # fmt: skip
