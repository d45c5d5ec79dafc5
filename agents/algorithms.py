"""PPO, A2C and DQN as settings beside the grid's cells: what Stable-Baselines3 is told to run.

An algorithm is a signal of its own that backprop carries to the hidden layers of one of our
networks, under SB3's own optimiser. What is not named here is as SB3 has it, and every name is
SB3's. An episode is one step: returns are rewards and advantages rewards minus values, so that
gamma, GAE's lambda and DQN's target network do nothing. A rollout is `n_steps` batches, and a
gradient step is taken on as many trials as a batch has.

This module knows nothing of SB3, which takes seconds to import: `agents.sb3` does.
"""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, ClassVar, Self

from agents.cell import Settings

FIXED = (
    "signal", "credit", "explore", "baseline", "optimizer", "momentum", "betas", "eps",
    "weight_decay", "drops", "drop", "pixels", "precision",
)  # fmt: skip


@dataclass(frozen=True)
class Algorithm(Settings):
    """An algorithm of SB3 on the body of one of our networks; outputs and values are heads on it.

    The algorithm is a signal and an optimiser of its own; only backprop carries its errors.
    """

    top_rate: ClassVar[float]
    """The learning rate that a search begins with."""

    def _check_cell(self) -> None:
        for field in dataclasses.fields(self):
            name, usual = field.name, field.default
            value = self.rule.name if name == "credit" else getattr(self, name)
            if name in FIXED and value != usual:
                raise ValueError(
                    f"{type(self).signal} runs as Stable-Baselines3 has it: its {name} is "
                    f"{usual!r} and cannot be {value!r}"
                )
            if isinstance(usual, int) and (not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} is a whole number above 0, got {value!r}")

    @property
    def learns_from(self) -> str:
        """The reward, and nothing else."""
        return "reward"

    @property
    def largest_rate(self) -> float:
        """The rate that a search begins with."""
        return self.top_rate

    def on(self, network: str, sizes: tuple[int, ...], optimizer: str) -> Self:
        """The same on another network; the optimiser stays SB3's."""
        return dataclasses.replace(self, network=network, sizes=sizes)

    def keywords(self, lanes: int) -> dict[str, Any]:
        """What SB3's class is given beside policy, rate, seed and device, for B lanes."""
        raise NotImplementedError


@dataclass(frozen=True)
class PPO(Algorithm):
    """Clipped policy gradient, several passes over each rollout (Schulman et al. 2017)."""

    signal: str = "ppo"
    optimizer: str = "adam"
    lr: float = 3e-4
    n_steps: int = 4
    """Batches in a rollout."""
    n_epochs: int = 4
    """Passes over a rollout."""
    varied: ClassVar[str] = "n_steps"
    choices: ClassVar[Sequence[Any]] = (4, 16)
    top_rate: ClassVar[float] = 0.0128

    def keywords(self, lanes: int) -> dict[str, Any]:
        """A minibatch is a batch; SB3 normalises its advantages, and so needs two of them."""
        return {"n_steps": self.n_steps, "n_epochs": self.n_epochs, "batch_size": max(lanes, 2)}


@dataclass(frozen=True)
class A2C(Algorithm):
    """Policy gradient with a learned value as its baseline (Mnih et al. 2016), synchronous."""

    signal: str = "a2c"
    optimizer: str = "rmsprop"
    lr: float = 7e-4
    n_steps: int = 1
    """Batches to one gradient step."""
    ent_coef: float = 0.0
    """Weight of the entropy bonus."""
    varied: ClassVar[str] = "ent_coef"
    choices: ClassVar[Sequence[Any]] = (0.0, 0.01)
    top_rate: ClassVar[float] = 0.0128

    def _check_numbers(self) -> None:
        super()._check_numbers()
        if not 0 <= self.ent_coef < inf:
            raise ValueError(f"ent_coef is 0 or more, got {self.ent_coef}")

    def keywords(self, lanes: int) -> dict[str, Any]:
        """One step on the whole rollout."""
        return {"n_steps": self.n_steps, "ent_coef": self.ent_coef}


@dataclass(frozen=True)
class DQN(Algorithm):
    """Values of the actions, learned from replayed trials (Mnih et al. 2015)."""

    signal: str = "dqn"
    optimizer: str = "adam"
    lr: float = 1e-3
    gradient_steps: int = 1
    """Steps after each batch, each on as many replayed trials."""
    buffer_size: int = 10_000
    """Trials that are kept for replay; two batches at least, since SB3 draws from all but one."""
    varied: ClassVar[str] = "gradient_steps"
    choices: ClassVar[Sequence[Any]] = (1, 4)
    top_rate: ClassVar[float] = 0.0128

    def keywords(self, lanes: int) -> dict[str, Any]:
        """Exploration does not decline: a run in parts does not know how long it will be."""
        return {
            "batch_size": lanes, "train_freq": 1, "gradient_steps": self.gradient_steps,
            "buffer_size": max(self.buffer_size, 2 * lanes), "optimize_memory_usage": True,
            "replay_buffer_kwargs": {"handle_timeout_termination": False},
            "exploration_initial_eps": self.epsilon, "exploration_final_eps": self.epsilon,
        }  # fmt: skip


ALGORITHMS: dict[str, type[Algorithm]] = {kind.signal: kind for kind in (PPO, A2C, DQN)}
