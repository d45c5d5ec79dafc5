"""The runs below a folder as comparisons: what ran under equal conditions stands together.

Equal are environment and its options, network, batch, device, evaluation points, protocol, PyTorch,
and whether the test images are read and alignment is watched. A class of the user's own has no
network: it joins those beside it.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from agents.runs.folder import Record, whole
from agents.runs.job import Result, result_of
from agents.signals import SIGNALS

Place = tuple[str, int, str, tuple[int, ...], bool, str, bool, str | None, str, str]


@dataclass(frozen=True)
class Entry:
    """An agent with its settings, and all its runs."""

    name: str  # the agent's, and what tells it from others of that name
    config: dict[str, Any]  # of its first run
    records: tuple[Record, ...]

    @property
    def finished(self) -> tuple[Record, ...]:
        """Its finished runs, by seed."""
        ordered = sorted(self.records, key=lambda record: record.config["seed"])
        return tuple(record for record in ordered if counts(record))

    @property
    def results(self) -> tuple[Result, ...]:
        """What its finished runs came to, by seed."""
        return tuple(replace(result_of(record), agent=self.name) for record in self.finished)

    @property
    def cell(self) -> tuple[str, str]:
        """Signal and credit rule."""
        settings = self.config["settings"]
        return (settings["signal"], settings["credit"]["name"]) if settings else ("own", "own")

    @property
    def learns_from(self) -> str:
        """What it is answered: "reward" or "label"."""
        signal = SIGNALS.get(self.cell[0])
        return signal.learns_from if signal else "reward"


@dataclass(frozen=True)
class Comparison:
    """Agents that ran under equal conditions."""

    env: str
    network: str
    batch: int
    device: str
    points: tuple[int, ...]
    reads_test: bool
    reads: str  # the split that is read at the points
    torch: str  # PyTorch's version
    entries: tuple[Entry, ...]

    @property
    def records(self) -> list[Record]:
        """All runs."""
        return [record for entry in self.entries for record in entry.records]

    @property
    def title(self) -> str:
        """What tells it from others."""
        kind = "" if self.reads_test else ", search" if self.reads != "test" else ", read on test"
        return f"{self.env}, {self.network}, {self.points[-1]:,} trials{kind}"


def counts(record: Record) -> bool:
    """Is the run finished, and is all there that it should have come to?"""
    if record.end is None:
        return False
    tested = record.end.test_accuracy is not None or not record.config.get("reads_test", True)
    return tested and whole(record.rows, record.end, record.config)


def gather(records: Iterable[Record]) -> tuple[list[Comparison], list[str]]:
    """The comparisons, and a sentence for each run that cannot be placed."""
    places: dict[tuple[Place, str], list[Record]] = {}
    faults = []
    seen = set()
    for record in records:
        try:
            place, network, identity = _place(record.config)
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            faults.append(f"{record.folder} is left out: its config.json lacks or garbles {fault}")
            continue
        if (run := (place, identity, record.config["seed"])) in seen:
            faults.append(
                f"{record.folder} is left out: it has the settings and the seed of another"
            )
            continue
        seen.add(run)
        places.setdefault((place, network), []).append(record)
    return [_comparison(*key, found) for key, found in _joined(places).items()], faults


def _place(config: dict[str, Any]) -> tuple[Place, str, str]:
    """What must be equal; the network; and what tells the agent from others."""
    settings, points = config["settings"], tuple(map(int, config["points"]))
    if not points or not isinstance(config["agent"], str) or not isinstance(config["env"], str):
        raise ValueError("agent, env or points")
    protocol = config.get("protocol", {})
    place = (
        config["env"], int(config["batch"]), str(config["device"]), points,
        bool(config.get("reads_test", True)), str(protocol.get("reads", "validation")),
        bool(config.get("watched", False)), config.get("images"),
        json.dumps([config.get("options"), protocol], sort_keys=True),
        str(config.get("versions", {}).get("torch")),
    )  # fmt: skip
    int(config["seed"])
    if settings is not None:
        str(settings["signal"] + settings["credit"]["name"])
    return place, _network(settings), _identity(config)


def _network(settings: dict[str, Any] | None) -> str:
    if settings is None:
        return ""
    return f"{settings['network']} {'-'.join(map(str, settings['sizes']))}".strip()


def _identity(config: dict[str, Any]) -> str:
    return json.dumps([config["agent"], _flat(config)], sort_keys=True)


def _flat(config: dict[str, Any]) -> dict[str, Any]:
    """What may tell two agents of one name apart."""
    settings = dict(config["settings"] or {})
    credit = settings.pop("credit", {})
    own = {"code": config["code"]} if "code" in config else {}
    return settings | {f"credit {name}": value for name, value in credit.items()} | own


def _joined(
    places: dict[tuple[Place, str], list[Record]],
) -> dict[tuple[Place, str], list[Record]]:
    """The user's own classes put into each comparison at their place, if there is one."""
    joined = {key: list(found) for key, found in places.items() if key[1]}
    for (place, network), own in places.items():
        if not network:
            beside = [found for key, found in joined.items() if key[0] == place]
            for found in beside or [joined.setdefault((place, "own network"), [])]:
                found.extend(own)
    return joined


def _comparison(place: Place, network: str, records: list[Record]) -> Comparison:
    agents: dict[str, list[Record]] = {}
    for record in records:
        agents.setdefault(_identity(record.config), []).append(record)
    groups = list(agents.values())
    names = _names([group[0].config for group in groups])
    entries = [
        Entry(name, group[0].config, tuple(group))
        for name, group in zip(names, groups, strict=True)
    ]
    env, batch, device, points, reads_test, reads, *_, torch = place
    return Comparison(env, network, batch, device, points, reads_test, reads, torch, tuple(entries))


def _names(configs: Sequence[dict[str, Any]]) -> list[str]:
    """The agents' names; those that stand there twice say what differs."""
    names = []
    for config in configs:
        twins = [_flat(other) for other in configs if other["agent"] == config["agent"]]
        own = _flat(config)
        differs = [
            f"{field.removeprefix('credit ')} {value}"
            for field, value in own.items()
            if any(twin.get(field) != value for twin in twins)
        ]
        names.append(config["agent"] + (f" ({', '.join(differs)})" if differs else ""))
    return names
