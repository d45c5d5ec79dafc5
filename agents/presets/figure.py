"""What a figure of a paper is, as values: what was run, what was published, what is to be reached.

All accuracies here are test accuracies in %; a figure that was published in errors says so by its
`unit`, is shown in errors, and its goals are written in them. So does one of autoencoders.
"""

from dataclasses import dataclass

from agents.autoencoder import Coding
from agents.settings import Settings

LEFT = "variance left"


@dataclass(frozen=True)
class Published:
    """A number as its source has it, in the figure's unit."""

    value: float
    source: str
    spread: float | None = None
    spread_is: str = "sd"
    """Of the spread: "sd" over seeds, or "s.e."."""
    epochs: int | None = None
    """Mean of epochs to early stopping, where that was published."""
    on_test: bool = False
    """Chosen by the test images: its epoch, or its settings."""
    unverified: bool = False
    """From memory: seen in no source at hand, and so never a target."""


@dataclass(frozen=True)
class Line:
    """One agent of a figure, or one autoencoder."""

    name: str
    settings: Settings | Coding
    published: Published | None = None
    epochs: float | None = None
    """If not the figure's."""
    kept_as: str = ""
    """What its runs are kept under, so that lines that make the same ones share them; empty: under
    the names of figure and line."""


@dataclass(frozen=True)
class Goal:
    """What a line is to reach: against a number, its published value, or another line.

    `points` is the number itself, an accuracy of at least or an error of at most that, or else a
    distance.
    """

    line: str
    kind: str
    """"bound", "published" (within `points` of it), "above" or "near" (line `of`, by `points`)."""
    points: float = 0.0
    of: str = ""


@dataclass(frozen=True)
class Quick:
    """What a CPU does of a figure."""

    epochs: float
    """Less than one: the first images of a pass, each once."""
    seconds: float
    """On one slow core, all its runs together (measured; Tiny ImageNet's is a guess)."""
    images: int = 0
    """Images that accuracies are read on; 0: all of the split."""
    sizes: tuple[int, ...] = ()
    """Sizes of a smaller network, where the figure's own is too slow."""


@dataclass(frozen=True)
class Figure:
    """A figure or table, or the part of one that is on one data set and network."""

    name: str
    about: str
    env: str
    source: str
    """The paper's figure or table, and where its settings were read."""
    lines: tuple[Line, ...]
    epochs: int
    """Of the published protocol."""
    own_epochs: int
    """Of our own."""
    quick: Quick
    hours: float
    """Guess for all full runs, on one GPU, or on one core where none is needed."""
    gpu: bool = False
    """Whether full runs need a GPU."""
    memory: float = 4.0
    """GiB that a full run needs, of the GPU or of the machine."""
    batch: int = 128
    seeds: int = 5
    unit: str = "accuracy"
    """"accuracy" or "error", or LEFT of the pixels by autoencoders, all in %."""
    protocols: tuple[str, ...] = ("published", "own")
    """Which are run; the goals are of the first."""
    last: bool = False
    """Whether the published protocol counts the last epoch instead of the best."""
    patience: int = 0
    """Epochs without a rise after which a run of the published protocol ends."""
    drops: tuple[int, ...] = ()
    """Epochs after which the learning rate drops by the settings' `drop`."""
    reference: str = ""
    """The line whose epochs the others' are divided by."""
    level: float = 0.0
    """Validation accuracy, 0..1, the trials to which are counted; 0: none, or the reference's."""
    measure: str = ""
    """What else is read of each finished agent, a name in `reproduction.measures`."""
    goals: tuple[Goal, ...] = ()
    differs: tuple[str, ...] = ()
    """From the source, beyond what the rules' own files say."""

    def line(self, name: str) -> Line:
        """The line of that name."""
        return next(line for line in self.lines if line.name == name)
