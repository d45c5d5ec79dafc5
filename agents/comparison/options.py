"""What the scripts' command lines have in common."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tyro

from agents.credit import RULES
from agents.importing import path_kept
from agents.making import own_class
from agents.own import check_firewall
from agents.runs.attempt import Failed, blame
from agents.runs.sweep import How
from agents.settings import Settings, is_own, name_of, settings_of
from credit_envs.datasets import load
from credit_envs.registration import find_spec

GRID = tuple(
    name_of(signal, name)
    for name, rule in RULES.items()
    for signal in ("label", "reward_prediction", "policy_gradient", "agrel")
    if not rule.signals or signal in rule.signals
)


@dataclass(frozen=True)
class Options(How):
    """Agents on one environment and network."""

    env: str = "DigitsReward-v0"
    """Id of a reward environment; "module:id" of one that a module of yours registers."""
    agents: str = (
        "supervised,supervised_mse,q_agrel,reinforce,learned_feedback,readout_only,"
        "reward_prediction+readout_only,policy_gradient+readout_only"
    )
    """Names, cells "signal+credit", or classes "module:Class", also as the credit rule of a cell,
    separated by commas; or "grid"."""
    network: str = "dense"
    """dense, conv, loccon, deep, resnet18, tanh, sigmoid, lenet, lenet_cifar or lansdell."""
    sizes: str = ""
    """Hidden sizes of dense (its own: 500,300), tanh or sigmoid, or the width of resnet18 (64)."""
    optimizer: str = "sgd"
    """sgd, adam or adamw; ppo, a2c and dqn keep that of Stable-Baselines3."""
    precision: str = "float32"
    """Of products: float32, tf32 (on a GPU) or bf16."""
    epochs: int = 10
    """Budget of every run, in passes over the training images."""
    batch: int = 128
    """Trials per learning step."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:<i>."""

    def cells(self) -> dict[str, Settings | None]:
        """Each agent's untuned settings on this network; None for a class of the user's own."""
        names = GRID if self.agents == "grid" else map(str.strip, self.agents.split(","))
        with path_kept():
            return {name: None if is_own(name) else self._settings(name) for name in names}

    def _settings(self, agent: str) -> Settings:
        settings = settings_of(agent).on(self.network, self.hidden_sizes(), self.optimizer)
        return replace(settings, precision=self.precision)

    def check(self) -> None:
        """Refuse now what no run could use. Raises ValueError, TypeError, Failed."""
        self.check_how()
        for name in ("env", "agents", "network", "sizes", "optimizer"):
            if not isinstance(value := getattr(self, name), str):
                raise TypeError(f"{name} is text, with commas between several, got {value!r}")
        for name in ("epochs", "batch"):
            if not isinstance(value := getattr(self, name), int):
                raise TypeError(f"{name} is a whole number, got {value!r}")
        if self.epochs < 1:
            raise ValueError(f"epochs is a number of passes, 1 or more, got {self.epochs}")
        images = epoch_of(self.env)
        if not 1 <= self.batch <= images:
            raise ValueError(
                f"batch is a number of trials in 1..{images}, the training images of {self.env}, "
                f"got {self.batch}"
            )
        for agent, settings in self.cells().items():
            if settings is None:
                _find_own(agent)
            elif settings.sizes and not settings.network_sizes:
                raise ValueError(f"network {self.network!r} has fixed sizes: leave --sizes out")

    def hidden_sizes(self) -> tuple[int, ...]:
        """`sizes` as numbers; none: the network's own. Raises ValueError."""
        if not self.sizes:
            return ()
        try:
            sizes = tuple(int(size) for size in self.sizes.split(","))
        except ValueError:
            sizes = ()
        if not sizes or min(sizes) < 1:
            raise ValueError(f"sizes {self.sizes!r}: give whole numbers such as 500,300")
        return sizes


def _find_own(agent: str) -> None:
    try:
        with path_kept():
            check_firewall(own_class(agent), agent)
    except (ValueError, TypeError):
        raise
    except Exception as fault:
        raise Failed(f"{agent}: {blame(agent, fault)}") from fault


def make_folder(path: Path, name: str = "out") -> None:
    """Make sure of a folder to write in, given as the option `name`. Raises ValueError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK):
            raise PermissionError(None, "it is read-only")
    except OSError as fault:
        raise ValueError(
            f"{name} {str(path)!r} is no folder to write in: {fault.strerror}"
        ) from fault


def epoch_of(env: str) -> int:
    """Training images of an environment."""
    return len(load(find_spec(env).kwargs["dataset"], "train").labels)


def script(main: Callable[[Any], object], args: type) -> None:
    """Run a script: what the user can mend is said in one sentence, without a traceback."""
    try:
        main(tyro.cli(args))
    except (Failed, ValueError, TypeError, OSError) as fault:
        sys.exit(f"error: {fault}")
    except KeyboardInterrupt:
        sys.exit("stopped: finished runs are kept, the same command goes on from there")
