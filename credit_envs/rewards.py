"""What guesses are paid: the options, checked, and the table of rewards that they come to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from numbers import Real
from typing import Any, TypeGuard, TypeVar

import numpy as np
from numpy.typing import NDArray

from credit_envs.superclasses import SUPERCLASSES

Group = TypeVar("Group")
Table = tuple[tuple[float, ...], ...]

# The rewards of a wrong guess, of one within the right superclass, and of a right one.
NAMED = {"0/1": (0.0, 0.0, 1.0), "-1/+1": (-1.0, -1.0, 1.0), "superclass": (0.0, 0.5, 1.0)}


@dataclass(frozen=True)
class Rewards:
    """How guesses are paid; each option is off unless it is given.

    A trial's label is its image's class, changed by `label_noise`, then moved on by reversals. It
    pays `matrix[label, action]`; then come `flip` and `noise`, anew in each presentation.
    """

    matrix: str | Table | Sequence[Sequence[float]] | NDArray[Any] = "0/1"
    """Rewards [class, action], with as many actions as it has columns; or "0/1" or "-1/+1"; or for
    CIFAR100 "superclass": 0.5 for another class of the right one's superclass."""
    abstain: float | None = None
    """Reward of one more action, the last, that guesses no class. It is never flipped."""
    flip: float = 0.0
    """Probability that a guess's reward is mirrored between the matrix's lowest and highest."""
    noise: float = 0.0
    """Standard deviation of Gaussian noise on each reward."""
    label_noise: float = 0.0
    """Probability that an image has a wrong label: any other class, the same one all along."""

    reverse_at: int | None = None
    """Trial from which on every label is another one: the next on a cycle that the seed draws."""
    reverse_every: int | None = None
    """Trials after which every label moves on along that cycle, again and again: with two classes
    there and back."""

    delay: int = 0
    """Trials by which a reward comes late, in each of the environments of a vector form."""

    regret: bool = False
    """Whether info has "optimal", the largest mean reward of the trial, and "regret", how far below
    it the action's mean is: told with the trial's reward, since they say much of its label."""

    def __post_init__(self) -> None:
        if not isinstance(self.matrix, str):  # as plain numbers it is JSON, and can be compared
            object.__setattr__(self, "matrix", plain_table(self.matrix))
        elif self.matrix not in NAMED:
            raise ValueError(
                f"matrix={self.matrix!r} is none of {', '.join(map(repr, NAMED))}: choose one, "
                "or give the rewards as a table [class, action]."
            )
        self._check_reversal()
        check_count("delay", self.delay, 0)
        check_probability("flip", self.flip)
        check_probability("label_noise", self.label_noise)
        if self.abstain is not None and not is_number(self.abstain):
            raise ValueError(f"abstain={self.abstain!r} is no reward: give a finite number.")
        check_flag("regret", self.regret)
        if not is_number(self.noise) or self.noise < 0:
            raise ValueError(f"noise={self.noise!r} is no standard deviation: give 0 or more.")

    @property
    def reverses(self) -> bool:
        """Do labels change from trial to trial?"""
        return self.reverse_at is not None or self.reverse_every is not None

    def _check_reversal(self) -> None:
        if self.reverse_at is not None:
            check_count("reverse_at", self.reverse_at, 0)
        if self.reverse_every is not None:
            check_count("reverse_every", self.reverse_every, 1)
        if self.reverse_at is not None and self.reverse_every is not None:
            raise ValueError(
                f"reverse_at={self.reverse_at} and reverse_every={self.reverse_every} contradict "
                "each other: choose one."
            )

    def tables(self, dataset: str, classes: int) -> NDArray[np.float64]:
        """Return what is paid [class, action] without and with a flip, (2, K, A).

        Raise if the matrix is not for such classes.
        """
        table = self._guesses(dataset, classes)
        tables = np.stack([table, table.min() + table.max() - table])
        if self.abstain is None:
            return tables
        return np.concatenate([tables, np.full((2, classes, 1), float(self.abstain))], axis=2)

    def _guesses(self, dataset: str, classes: int) -> NDArray[np.float64]:
        if isinstance(self.matrix, str):
            wrong, near, right = NAMED[self.matrix]
            groups = np.arange(classes)
            if self.matrix == "superclass":
                groups = superclasses(dataset)
            same = groups[:, None] == groups
            return np.where(np.eye(classes, dtype=bool), right, np.where(same, near, wrong))
        table = np.array(self.matrix)
        if len(table) != classes:
            raise ValueError(
                f"The matrix has {len(table)} rows, but there are {classes} classes: it needs a "
                "row per class and a column per action."
            )
        return table


def superclasses(dataset: str) -> NDArray[np.int64]:
    """Return the superclass of each class, or raise if the data set has none."""
    if dataset not in SUPERCLASSES:
        raise ValueError(
            f"matrix='superclass' needs classes in groups, which only {', '.join(SUPERCLASSES)} "
            f"has, not {dataset}: give the rewards as a table [class, action]."
        )
    return np.array(SUPERCLASSES[dataset])


def given(kind: type[Group], options: Group | Mapping[str, Any] | None, keyword: str) -> Group:
    """Return a group of options, given as itself or as a dict; None stands for the defaults."""
    if options is None:
        return kind()
    if isinstance(options, kind):
        return options
    name = kind.__name__
    if not isinstance(options, Mapping):
        raise TypeError(f"{keyword}={options!r} must be a dict of options, or {name}(...).")
    names = [field.name for field in fields(kind)]  # pyright: ignore[reportArgumentType]
    for option in options:
        if option not in names:
            raise ValueError(f"{keyword} has no option {option!r}, only {', '.join(names)}.")
    return kind(**options)


def plain_table(matrix: Any) -> Table:
    """Return a table [class, action] as tuples of floats, or raise if it is none."""
    try:
        table: NDArray[np.float64] = np.array(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.ndim != 2 or table.shape[1] < 2 or not np.isfinite(table).all():
        raise ValueError(
            "The matrix must be a table [class, action] of finite rewards, with two actions or "
            f"more, not {matrix!r}."
        )
    return tuple(tuple(row) for row in table.tolist())


def is_number(value: object) -> TypeGuard[float]:
    """Return whether the value is a finite real number; a bool is none."""
    return isinstance(value, Real) and not isinstance(value, bool) and isfinite(value)


def check_flag(name: str, value: object) -> None:
    """Raise a sentence unless the value is a bool."""
    if not isinstance(value, bool):
        raise ValueError(f"{name}={value!r} must be True or False.")


def check_count(name: str, value: object, least: int) -> None:
    """Raise a sentence unless the value is an int, `least` or more."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise ValueError(f"{name}={value!r} must be an int, {least} or more.")


def check_probability(name: str, value: object) -> None:
    """Raise a sentence unless the value is a number in 0..1."""
    if not is_number(value) or not 0 <= value <= 1:
        raise ValueError(f"{name}={value!r} is no probability: give a number in 0..1.")
