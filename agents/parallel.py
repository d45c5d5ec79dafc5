"""One agent in several processes, each of which learns from its own part of every batch.

    torchrun --nproc-per-node 2 scripts/examples/data_parallel.py

Every process holds the whole agent, from the same seed. What is drawn for trials is drawn for all
of them in each process, which keeps its own rows; changes are averaged before the optimiser's step,
and what else is a mean over the batch is asked for in `whole`. So W processes with B trials each
learn what one learns from W B, but for the order of sums, and stay alike bit for bit.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NamedTuple
from zlib import crc32

import torch
import torch.distributed as dist
from torch import Tensor

from agents import whole
from agents.chance import Chance, Draw
from agents.learner import Agent
from agents.networks import Shape
from agents.second_look import Drawing
from agents.settings import Settings
from credit_envs.stream import Part
from credit_envs.tensors import find_device

EVERY = 100  # batches from one look at whether the processes are still alike to the next
PATIENCE = timedelta(minutes=10)  # for the others, before a process gives up


class Place(NamedTuple):
    """One of the processes that share each batch; `part` of it is this one's."""

    part: Part
    device: str

    @property
    def leads(self) -> bool:
        """Is it the one that says and writes what all came to?"""
        return self.part[0] == 0


@contextmanager
def joined(device: str = "auto") -> Iterator[Place]:
    """Join the processes that torchrun started; without it, the place of one that is alone.

    `device` is "auto", "cpu" or "cuda": then each process on a machine has a GPU of its own.
    Raises ValueError for another, or if there are too few GPUs.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise ValueError(f'device={device!r} is none of "auto", "cpu" and "cuda" that all can have')
    cuda = torch.cuda.is_available() if device == "auto" else device == "cuda"
    if not dist.is_torchelastic_launched():
        yield Place((0, 1), "cuda" if cuda else "cpu")
        return
    own = f"cuda:{os.environ['LOCAL_RANK']}" if cuda else "cpu"
    gpu = find_device(own) if cuda else None
    dist.init_process_group("nccl" if cuda else "gloo", timeout=PATIENCE, device_id=gpu)
    try:
        yield Place((dist.get_rank(), dist.get_world_size()), own)
    finally:
        dist.destroy_process_group()


class Share(Chance):
    """One generator for all processes; each keeps the numbers of its own trials."""

    def __init__(self, generator: torch.Generator, part: Part):
        self.generator, self.part = generator, part
        self.get_state, self.set_state = generator.get_state, generator.set_state
        self.manual_seed = generator.manual_seed

    def fill_batch(self, batch: Tensor, draw: Draw) -> None:
        which, parts = self.part
        everyone = batch.new_empty((parts, *batch.shape))
        draw(everyone.flatten(0, 1), self.generator)
        batch.copy_(everyone[which])

    def fill_weights(self, weights: Tensor, draw: Draw) -> None:
        draw(weights, self.generator)


class Parallel(Agent):
    """An agent that is the same in all processes, and sees part (r, W) of every batch.

    All call it alike, with as many trials each. A file that one of them saves is any agent's.
    """

    def __init__(
        self, settings: Settings, shape: Shape, classes: int, part: Part, *, seed: int = 0,
        device: str | torch.device = "cpu",
    ):  # fmt: skip
        check_group(part)
        super().__init__(settings, shape, classes, seed=seed, device=device)
        self.part = part
        self.generators |= {
            name: Share(self.generators[name], part) for name in ("exploration", "dropout", "noise")
        }
        for module in self.net.modules():
            if isinstance(module, Drawing):
                module.generator = self.generators["dropout"]
        self._group, self._batches, self._size = dist.group.WORLD, 0, 0

    def act(self, images: Any) -> Any:
        """Choose a class for each image of this part. Raises ValueError if they are not as many."""
        with whole.shared(self._group):
            action = super().act(images)
            assert self._open is not None
            self._check_size(len(self._open.images))
        return action

    def learn(self, answer: Any) -> None:
        """Settle this part's answers, and learn from the whole batch; as `Agent.learn`.

        What is wrong with the answers or the costs of one process is raised in all of them.
        """
        if self.watch is not None:
            raise ValueError(
                "an agent in several processes cannot be watched, as each sees only a part of the "
                "trial: watch it alone, with all of the batch"
            )
        with whole.shared(self._group):
            super().learn(answer)
            if self._batches % EVERY == 0:
                self._check_alike()
        self._batches += 1

    def _check_size(self, trials: int) -> None:
        """Refuse parts, or agents, that are not alike. Raises ValueError."""
        if trials == self._size:
            return
        if self._size:
            raise ValueError(f"each part had {self._size} trials so far, this one has {trials}")
        self._size = trials
        known = crc32(json.dumps(self.facts, sort_keys=True).encode())
        sizes, facts = whole.together(torch.tensor([[trials, known]], device=self.device)).T
        if len(set(sizes.tolist())) > 1:
            raise ValueError(f"parts of a batch are equal, these have {sizes.tolist()} trials")
        if len(set(facts.tolist())) > 1:
            raise ValueError(
                "the processes' agents differ: make all of them with the same settings and seed, "
                "or load them from the same file"
            )

    def _check_alike(self) -> None:
        """Raise RuntimeError if the processes' weights or feedback differ."""
        sums = torch.stack([tensor.double().sum() for tensor in self.net.state_dict().values()])
        all_sums = whole.together(sums.nan_to_num()[None])
        if (all_sums != all_sums[0]).any():
            raise RuntimeError(
                f"the processes' agents have come apart: {self.rule.name} learns something from "
                "its own trials alone, which agents.whole is for (mean, total, largest)"
            )


def check_group(part: Part) -> None:
    """Refuse a part that is not this process's. Raises ValueError."""
    if not dist.is_initialized():
        raise ValueError(
            "an agent for a part of each batch learns together with other processes: start them by "
            "torchrun, and work inside agents.parallel.joined()"
        )
    own = dist.get_rank(), dist.get_world_size()
    if tuple(part) != own:
        raise ValueError(f"this process has part {own} of each batch, not {tuple(part)}")
