"""A grid of runs: agents x whatever is varied x seeds."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from agents.comparison import records
from agents.comparison.options import Options, epoch_of
from agents.comparison.statistics import evaluation_points
from agents.making import pick_device
from agents.runs.job import Job
from agents.settings import Settings

TASK = ("env", "network", "sizes", "optimizer", "epochs", "batch")  # options that can be varied
AGENT = tuple(f.name for f in fields(Settings) if f.name not in ("signal", "credit", *TASK))
OF_RULE = "credit."  # before the name of a setting that is the credit rule's own


@dataclass(frozen=True)
class Plan:
    """Every agent of the options, with every combination of the grid's values, on every seed."""

    options: Options
    seeds: Sequence[int]
    grid: Mapping[str, Sequence[Any]]
    watched: bool = False

    def jobs(self) -> list[Job]:
        """The runs. Raises ValueError, TypeError, Failed for what no run could use."""
        plain = [name for name in self.grid if not name.startswith(OF_RULE)]
        if unknown := [name for name in plain if name not in TASK + AGENT]:
            raise ValueError(
                f"{unknown[0]!r} cannot be varied: choose of {', '.join(TASK + AGENT)}, or "
                f"{OF_RULE}<name> for a setting of the credit rule"
            )
        return [job for values in product(*self.grid.values()) for job in self._jobs(values)]

    def _jobs(self, values: Sequence[Any]) -> list[Job]:
        varied = dict(zip(self.grid, values, strict=True))
        options = replace(self.options, **{k: v for k, v in varied.items() if k in TASK})
        options.check()
        epoch = epoch_of(options.env)
        points = evaluation_points(epoch, options.epochs * epoch, options.batch)
        return [
            Job(
                options.env, agent, settings, seed, options.batch, points,
                str(pick_device(options.device)), watched=self.watched,
            )
            for agent, settings in self._settings(options, varied).items()
            for seed in self.seeds
        ]  # fmt: skip

    def _settings(self, options: Options, varied: dict[str, Any]) -> dict[str, Settings | None]:
        return {
            agent: settings
            and _changed(
                records.chosen(options.env, agent, settings, options.batch) or settings, varied
            )
            for agent, settings in options.cells().items()
        }


def _changed(settings: Settings, varied: Mapping[str, Any]) -> Settings:
    """The settings with the values of one combination."""
    own = {name: value for name, value in varied.items() if name in AGENT}
    of_rule = {k.removeprefix(OF_RULE): v for k, v in varied.items() if k.startswith(OF_RULE)}
    if not of_rule:
        return replace(settings, **own)
    rule = settings.rule
    usual = {f.name: getattr(rule, f.name) for f in fields(rule)}
    if unknown := [name for name in of_rule if name not in usual]:
        raise ValueError(
            f"{OF_RULE}{unknown[0]} cannot be varied: {rule.name} has {', '.join(usual) or 'none'}"
        )
    read = {name: _typed(OF_RULE + name, text, usual[name]) for name, text in of_rule.items()}
    return replace(settings, credit=replace(rule, **read), **own)


def grid_of(given: Sequence[str]) -> dict[str, list[Any]]:
    """A grid from a command line: "lr=0.05,0.1", rows of numbers as 64-32. Raises ValueError.

    Settings of a credit rule stay text, whose type only the rule knows.
    """
    grid = {}
    for one in given:
        name, equals, values = one.partition("=")
        if not (name and equals and values):
            raise ValueError(f"vary {one!r}: give name=value,value such as lr=0.05,0.1")
        if name in grid:
            raise ValueError(f"vary {name} is given twice: give all its values at once")
        grid[name] = [_value(name, value) for value in values.split(",")]
    return grid


def _value(name: str, text: str) -> Any:
    """A value of the type that its option or setting has."""
    if name == "sizes":
        return text.replace("-", ",")
    plain = {f.name: f.default for f in (*fields(Settings), *fields(Options))}
    return _typed(name, text, plain.get(name, ""))


def _typed(name: str, text: str, usual: Any) -> Any:
    """A value of the type of the usual one."""
    row = isinstance(usual, tuple)
    kind = type(usual[0] if usual else 0) if row else type(usual)
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"vary {name}: {text!r} is neither true nor false")
        return text.lower() == "true"
    try:
        # A dash behind a digit parts two numbers; others are of a number: -0.1, 1e-3.
        return tuple(map(kind, re.split(r"(?<=\d)-", text))) if row else kind(text)
    except ValueError as fault:
        numbers = "whole numbers such as 64-32" if kind is int else "numbers such as 0.9-0.999"
        what = f"row of {numbers}" if row else kind.__name__
        raise ValueError(f"vary {name}: {text!r} is no {what}") from fault


def read_plan(path: Path) -> tuple[dict[str, Any], dict[str, list[Any]]]:
    """Options and grid from a TOML file: names as on the command line, and a table [vary]."""
    try:
        plain = tomllib.loads(path.read_text())
    except (OSError, ValueError) as fault:
        raise ValueError(f"{path} cannot be read as TOML ({fault})") from fault
    varied = plain.pop("vary", {})
    if isinstance(varied, dict) and isinstance(of_rule := varied.get("credit"), dict):
        del varied["credit"]  # TOML reads credit.noise = [...] as a table in a table
        varied |= {OF_RULE + name: values for name, values in of_rule.items()}
    if not isinstance(varied, dict) or not all(v and isinstance(v, list) for v in varied.values()):
        raise ValueError(f"{path}: [vary] has lists of values, such as lr = [0.05, 0.1]")
    grid = {name: [_toml(name, value) for value in values] for name, values in varied.items()}
    return plain, grid


def _toml(name: str, value: Any) -> Any:
    if isinstance(value, list):  # sizes [64, 32]
        value = "-".join(map(str, value))
    return _value(name, str(value).lower() if isinstance(value, bool) else str(value))
