"""Settings: what an agent is made of, a signal, a credit rule, a network and an optimiser."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from agents.bounds import check_numbers
from agents.credit import RULES, CreditRule, check_name
from agents.explore import EXPLORE
from agents.networks import NETWORKS
from agents.plasticity import OPTIMIZERS
from agents.precision import PRECISIONS
from agents.signals import SIGNALS, PolicyGradient, Signal

INITS = ("he", "paper", "xavier")
# Settings, of rules too, that are newer than runs: at their defaults they are not written, so that
# runs keep their keys.
LATER = {"baseline", "betas", "drops", "eps", "pixels", "precision", "scale", "scaled", "strength"}


@dataclass(frozen=True)
class Settings:
    """One agent. `signal` and `credit` name a cell of the grid, the rest how it is run."""

    signal: str = "reward_prediction"
    """What the world tells the output layer (a name in SIGNALS)."""
    credit: str | CreditRule = "backprop"
    """How the output's error reaches the hidden layers (a name in RULES, or a rule object)."""
    network: str = "dense"
    """A name in NETWORKS."""
    sizes: tuple[int, ...] = ()
    """Hidden sizes of dense, tanh and sigmoid, (width,) of resnet18; empty: the network's own.
    The other networks keep those of their paper, whatever stands here."""
    init: str = "he"
    """Initial weights: "he" (tanh and sigmoid: Xavier) below a small output layer, "xavier" in
    every layer, or "paper" (BrainProp's small normal)."""
    explore: str = ""
    """A name in EXPLORE; empty: as the signal's paper does."""
    epsilon: float = 0.02
    """Exploration rate of "epsilon" and "max_boltzmann"."""
    baseline: str = "running_mean"
    """What "policy_gradient" takes from a reward: "running_mean" of those before, "leave_one_out",
    the mean of the batch's others, or "none"."""
    optimizer: str = "sgd"
    """"sgd", "adam" or "adamw", all PyTorch's."""
    lr: float = 0.05
    """Learning rate, per batch mean."""
    momentum: float = 0.0
    """Momentum of "sgd"."""
    betas: tuple[float, float] = (0.9, 0.999)
    """How much "adam" and "adamw" keep of their two running means at each step."""
    eps: float = 1e-8
    """What they add to the root of the second, in the gradient's units."""
    weight_decay: float = 0.0
    """Decay of the weighted layers' weights (PyTorch's definition)."""
    drops: tuple[int, ...] = ()
    """Numbers of trials after which the learning rate drops."""
    drop: float = 0.1
    """What it is multiplied by each time."""
    pixels: tuple[float, float] = (0.0, 1.0)
    """Mean that is taken from the pixels (0..1), and standard deviation they are divided by."""
    precision: str = "float32"
    """Of products: "float32", "tf32" (on a GPU) or "bf16"; weights are float32 in each."""

    varied: ClassVar[str] = "init"
    """The setting that a search varies beside the learning rate."""
    choices: ClassVar[Sequence[Any]] = ("he", "paper")
    """The values it tries of it."""

    def __post_init__(self):
        _known("network", self.network, NETWORKS)
        _known("init", self.init, INITS)
        self._check_cell()
        self._check_numbers()

    def _check_cell(self) -> None:
        _known("signal", self.signal, SIGNALS)
        _known("baseline", self.baseline, PolicyGradient.BASELINES)
        if self.baseline != Settings.baseline and SIGNALS[self.signal] is not PolicyGradient:
            raise ValueError(f"baseline is for 'policy_gradient' only, got {self.baseline!r}")
        if isinstance(self.credit, type) and issubclass(self.credit, CreditRule):
            kind = self.credit.__name__
            raise ValueError(f"credit is a name or a rule, got the class {kind}: give {kind}()")
        if isinstance(self.credit, CreditRule):
            check_name(self.credit)
        else:
            _known("credit rule", self.credit, RULES)
        _known("exploration", self.explore or "greedy", EXPLORE)
        _known("optimizer", self.optimizer, OPTIMIZERS)
        _known("precision", self.precision, PRECISIONS)
        if self.rule.compares_passes and self.precision != "float32":
            raise ValueError(
                f"{self.rule.name} learns from small differences between passes, which "
                f"{self.precision} rounds away: use precision='float32'"
            )
        if self.rule.needs_same_decay and self._treats_feedback_unlike():
            raise ValueError(
                f"{self.rule.name} needs an optimiser that gives weights and feedback the same "
                "decay at every step: use 'sgd' without momentum, 'adamw', or no weight_decay"
            )

    def _check_numbers(self) -> None:
        check_numbers(self)

    @property
    def rule(self) -> CreditRule:
        """The credit rule as an object."""
        return self.credit if isinstance(self.credit, CreditRule) else RULES[self.credit]()

    def make_signal(self) -> Signal:
        """The signal, with nothing remembered yet."""
        kind = SIGNALS[self.signal]
        return kind(self.baseline) if kind is PolicyGradient else kind()

    @property
    def network_sizes(self) -> tuple[int, ...]:
        """The sizes of the network that is built: `sizes`, or its own; empty if it takes none."""
        return NETWORKS[self.network].chosen(self.sizes)

    @property
    def learns_from(self) -> str:
        """What the agent is answered: "reward" or "label"."""
        return SIGNALS[self.signal].learns_from

    @property
    def largest_rate(self) -> float:
        """The rate that a search begins with: the rule's, in the optimiser's own measure."""
        return self.rule.largest_rate * (OPTIMIZERS[self.optimizer] / OPTIMIZERS["sgd"])

    @property
    def constants(self) -> dict[str, Any]:
        """What the optimiser has beside rate and decay, as PyTorch names it."""
        if self.optimizer == "sgd":
            return {"momentum": self.momentum}
        return {"betas": self.betas, "eps": self.eps}

    def on(self, network: str, sizes: tuple[int, ...], optimizer: str) -> Self:
        """The same agent on another network; under another optimiser, at its usual rate."""
        moved = dataclasses.replace(self, network=network, sizes=sizes)
        if optimizer == self.optimizer:
            return moved
        rate = OPTIMIZERS.get(optimizer, self.lr)
        return dataclasses.replace(moved, optimizer=optimizer, lr=rate)

    def _treats_feedback_unlike(self) -> bool:
        coupled = self.optimizer == "adam" or self.momentum != 0
        return self.weight_decay != 0 and coupled

    def to_dict(self) -> dict[str, Any]:
        """As plain values for JSON, the network's own sizes written out; `from_dict` reads it."""
        rule = self.rule
        credit = {"name": rule.name, **dataclasses.asdict(rule)}
        plain = dataclasses.asdict(self) | {"credit": credit, "sizes": self.network_sizes}
        if not self.drops:
            del plain["drop"]
        for said, usual in ((plain, Settings), (credit, type(rule))):
            for name in LATER & said.keys():
                if said[name] == getattr(usual, name, dataclasses.MISSING):
                    del said[name]
        return plain

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        rule = dict(plain["credit"])
        name = rule.pop("name")
        if name not in RULES:
            raise ValueError(
                f"these settings have the credit rule {name!r}, which is not in the table: import "
                "it and add it first, agents.credit.RULES[MyRule.name] = MyRule"
            )
        made = {key: _tuples(value) for key, value in plain.items() if key != "credit"}
        return cls(credit=RULES[name](**_tuples(rule)), **made)

    def rate(self, trials: int) -> float:
        """The learning rate after so many trials."""
        return self.lr * self.drop ** sum(trials >= drop for drop in self.drops)


def _tuples(value: Any) -> Any:
    """What JSON made lists of was tuples."""
    if isinstance(value, dict):
        return {key: _tuples(one) for key, one in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _known(what: str, name: object, table) -> None:
    if name not in table:
        raise ValueError(f"unknown {what} {name!r}: choose one of {', '.join(table)}")
