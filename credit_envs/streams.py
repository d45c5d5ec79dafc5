"""Several streams in one batch: what as many environments would show, each from its own seed."""

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium.utils.seeding import np_random

from credit_envs.batching import make_batch
from credit_envs.judge import Judge, make_judge
from credit_envs.stream import ALONE, Stream
from credit_envs.vector import RewardVectorEnv


class Streams:
    """Streams that advance in step; a batch has the images of one after those of another."""

    def __init__(self, streams: Sequence[Stream], batch: Any) -> None:
        self._streams, self._batch = streams, batch

    @property
    def position(self) -> int:
        """Trials of each stream before the open batch."""
        return self._streams[0].position

    @property
    def first(self) -> int:
        """The first trial of each stream that is open."""
        return self._streams[0].first

    def reset(self, rng: np.random.Generator, anew: bool, position: int | None) -> None:
        """Do with each stream what `Stream.reset` does."""
        for stream in self._streams:
            stream.reset(rng, anew, position)

    def indices(self) -> Any:
        """Return the indices of the open batch's images, (S B,)."""
        return self._batch.stack([stream.indices() for stream in self._streams]).reshape(-1)

    def advance(self) -> None:
        """Leave the open batch behind."""
        for stream in self._streams:
            stream.advance()


class Judges:
    """A judge for each stream: what is paid may depend on the stream."""

    def __init__(self, judges: Sequence[Judge], batch: Any) -> None:
        self._judges, self._batch = judges, batch

    def settle(self, index: Any, actions: Any) -> tuple[Any, dict[str, Any]]:
        """Return the rewards (S B,) of the guesses at the images at `index`, and the info."""
        apart = (values.reshape(len(self._judges), -1) for values in (index, actions))
        settled = [
            judge.settle(*guesses) for judge, *guesses in zip(self._judges, *apart, strict=True)
        ]
        rewards, infos = zip(*settled, strict=True)
        info = {key: self._joined([one[key] for one in infos]) for key in infos[0]}
        return self._joined(rewards), info

    def _joined(self, parts: Sequence[Any]) -> Any:
        return self._batch.stack(parts).reshape(-1)


def side_by_side(env: RewardVectorEnv, seeds: Sequence[int], position: int = 0) -> RewardVectorEnv:
    """Return the environment once for each seed, all in one: B images of the first, and so on.

    Stream i is at trial `position` of what `env.reset(seed=seeds[i])` would begin. `env` itself
    stays as it is. Raises ValueError for one that shows part of a batch, or images from the host.
    """
    if env.part != ALONE:
        raise ValueError(f"Streams side by side have whole batches, not part={env.part}.")
    if env.device is not None and not env._batch.resident:
        raise ValueError("Streams side by side share images on the device: make it resident=True.")
    many: Any = copy.copy(env)
    for space in ("observation_space", "action_space"):  # remembered for B images
        many.__dict__.pop(space, None)
    many.num_envs = env.num_envs * len(seeds)
    resident = None if env.device is None else True
    many._batch = make_batch(env.task, many.num_envs, env.device, resident)
    streams = [env.new_stream() for _ in seeds]
    for stream, seed in zip(streams, seeds, strict=True):
        stream.reset(np_random(seed)[0], True, position)
    judges = [make_judge(env.task, stream, many._batch, env.reveal_label) for stream in streams]
    many._stream = Streams(streams, many._batch)
    many._judge = Judges(list(filter(None, judges)), many._batch) if judges[0] else None
    many._index = None
    return many
