"""The runs of a figure, in full or quick, under each of its protocols."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import ceil

from agents.comparison.statistics import evaluation_points
from agents.presets.figure import LEFT, Figure, Line
from agents.runs.job import Job
from agents.runs.protocol import Protocol
from agents.settings import Settings
from credit_envs.datasets import load
from credit_envs.registration import find_spec

FIRST_SEED = 100
SPLITS = {"published": "train+validation", "own": "train"}


@dataclass(frozen=True)
class Planned:
    """One run of a figure."""

    figure: Figure
    line: Line
    protocol: str
    epochs: float
    quick: bool
    job: Job


@dataclass(frozen=True)
class Plan:
    """How much of a figure is run."""

    figure: Figure
    quick: bool
    device: str = "cpu"
    seeds: int = 0  # 0: the figure's own, or one of a quick one
    lines: tuple[str, ...] = ()  # none: all

    @property
    def seed_range(self) -> Sequence[int]:
        """The seeds that are run."""
        count = self.seeds or (1 if self.quick else self.figure.seeds)
        return range(FIRST_SEED, FIRST_SEED + count)

    def runs(self) -> list[Planned]:
        """All runs. Raises what `credit_envs.datasets.load` raises where images are missing."""
        return [
            planned
            for protocol in self.figure.protocols
            for line in self.figure.lines
            if line.name in self.lines or not self.lines
            for planned in self._of(line, protocol)
        ]

    def epochs(self, line: Line, protocol: str) -> float | None:
        """Passes of a line's run; None: too long for a quick figure."""
        figure = self.figure
        full = figure.epochs if protocol == "published" else figure.own_epochs
        if not self.quick:
            return line.epochs or full
        if line.epochs is None:
            return figure.quick.epochs
        return line.epochs if line.epochs <= figure.quick.epochs else None

    def _of(self, line: Line, protocol: str) -> Iterator[Planned]:
        epochs, figure = self.epochs(line, protocol), self.figure
        if epochs is None:
            return
        epoch = len(load(find_spec(figure.env).kwargs["dataset"], SPLITS[protocol]).labels)
        assert isinstance(line.settings, Settings)
        settings = self._settings(line.settings, epoch, epochs)
        agent = line.kept_as or f"{figure.name} {line.name}"
        for seed in self.seed_range:
            job = Job(
                figure.env, agent, settings, seed, figure.batch,
                self.points(epoch, epochs, protocol), self.device,
                reads_test=protocol == "own", watched=figure.measure == "feedback_angle",
                protocol=self._protocol(protocol),
            )  # fmt: skip
            yield Planned(figure, line, protocol, epochs, self.quick, job)

    def _settings(self, settings: Settings, epoch: int, epochs: float) -> Settings:
        drops = tuple(drop * epoch for drop in self.figure.drops if drop < epochs)
        sizes = (self.quick and self.figure.quick.sizes) or settings.sizes
        return replace(settings, drops=drops, sizes=sizes)

    def points(self, epoch: int, epochs: float, protocol: str) -> tuple[int, ...]:
        """Ends of epochs; where trials to a criterion count, those of the comparison too."""
        batch, budget = self.figure.batch, round(epochs * epoch)
        ends = [k * epoch for k in range(1, int(epochs) + 1)] + [budget]
        points = {batch * ceil(end / batch) for end in ends}
        figure = self.figure
        if protocol == "own" and (figure.reference or figure.level or figure.unit == LEFT):
            points |= set(evaluation_points(epoch, budget, batch))
        return tuple(sorted(points))

    def _protocol(self, protocol: str) -> Protocol:
        images = self.figure.quick.images if self.quick else 0
        if protocol == "own":
            return Protocol(selects=True, images=images)
        patience = 0 if self.quick else self.figure.patience
        return Protocol(SPLITS[protocol], "test", images=images, patience=patience)
