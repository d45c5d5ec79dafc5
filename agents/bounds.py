"""Which numbers `cell.Settings` may have."""

from math import inf
from numbers import Integral, Real
from typing import Any

ROWS = ("betas", "drops", "pixels")
REAL = ("lr", "epsilon", "weight_decay", "momentum", "eps", "drop")


def check_numbers(settings: Any) -> None:
    """Refuse rates, factors and sizes that mean nothing. Raises ValueError, TypeError."""
    _check_types(settings)
    if not 0 < settings.lr < inf:
        raise ValueError(f"lr is a positive learning rate, got {settings.lr}")
    if not 0 <= settings.epsilon <= 1:
        raise ValueError(f"epsilon is a probability in 0..1, got {settings.epsilon}")
    if not 0 <= settings.weight_decay < inf:
        raise ValueError(f"weight_decay is 0 or more, got {settings.weight_decay}")
    if not 0 <= settings.momentum < 1 or (settings.momentum and settings.optimizer != "sgd"):
        raise ValueError(f"momentum is in 0..1 and for 'sgd' only, got {settings.momentum}")
    _check_constants(settings)
    sound = all(isinstance(trials, int) and trials >= 1 for trials in settings.drops)
    if not (sound and 0 < settings.drop < 1):
        raise ValueError(
            f"drops are numbers of trials of 1 or more and drop is a factor in 0..1, got "
            f"{settings.drops} and {settings.drop}"
        )
    sizes = settings.sizes
    if not (isinstance(sizes, tuple) and all(isinstance(n, int) and n > 0 for n in sizes)):
        raise ValueError(
            f"sizes are a tuple of whole numbers of units above 0, as (500, 300), got {sizes!r}"
        )


def _check_types(settings: Any) -> None:
    """Numbers, which become Python's own: NumPy's are no JSON."""
    for name in REAL:
        if not _is_number(number := getattr(settings, name)):
            raise TypeError(f"{name} is a number, got {number!r}")
        object.__setattr__(settings, name, _plain(number))
    for name in ROWS:
        row = getattr(settings, name)
        if not (isinstance(row, tuple) and all(map(_is_number, row))):
            raise TypeError(f"{name} is a tuple of numbers, got {row!r}")
        object.__setattr__(settings, name, tuple(map(_plain, row)))


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _plain(number: Any) -> int | float:
    return int(number) if isinstance(number, Integral) else float(number)


def _check_constants(settings: Any) -> None:
    usual = (settings.betas, settings.eps) == (type(settings).betas, type(settings).eps)
    if not usual and settings.optimizer == "sgd":
        raise ValueError(
            "betas and eps are for 'adam' and 'adamw' only, 'sgd' has momentum, got "
            f"{settings.betas} and {settings.eps}"
        )
    sound = len(settings.betas) == 2 and all(0 <= beta < 1 for beta in settings.betas)
    if not (sound and 0 < settings.eps < inf):
        raise ValueError(
            "betas are two numbers from 0 to below 1 and eps is above 0, got "
            f"{settings.betas} and {settings.eps}"
        )
    mean, deviation = settings.pixels if len(settings.pixels) == 2 else (inf, inf)
    if not (abs(mean) < inf and 0 < deviation < inf):
        raise ValueError(f"pixels are a mean and a deviation above 0, got {settings.pixels}")
