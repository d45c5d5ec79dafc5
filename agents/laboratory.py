"""A credit rule on the bench: small nets of every kind, fixed lessons, and a trial made twice."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.learner import Agent
from agents.networks import NETWORKS, Build, Network, Pixels, Shape
from agents.networks.resnet import Residual
from agents.second_look import BatchNorm2d, Dropout
from agents.settings import Settings
from agents.weighted import weighted

SHAPE, CLASSES = (6, 6, 1), 3
WARM = 4  # lessons before an experiment: some rules have to learn their feedback first

Outcome = dict[str, Tensor]

KINDS: dict[str, Callable[[torch.Generator], list[nn.Module]]] = {  # below two dense layers
    "dense": lambda _: [nn.Flatten(), Linear(36, 8), nn.ReLU()],
    "conv": lambda _: [Conv2d(1, 3, 3, stride=2, padding=1), nn.ReLU()],
    "locally_connected": lambda _: [LocallyConnected2d(1, 3, 3, (6, 6)), nn.ReLU()],
    "batch_norm": lambda _: [Conv2d(1, 3, 3), nn.ReLU(), BatchNorm2d(3)],
    "dropout": lambda dropout: [nn.Flatten(), Linear(36, 8), nn.ReLU(), Dropout(0.3, dropout)],
    "pooled": lambda _: [Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2)],
    "residual": lambda _: [
        Conv2d(1, 3, 3), nn.ReLU(), Residual(Conv2d(3, 3, 3, padding=1), nn.Identity()), nn.ReLU()
    ],
}  # fmt: skip


def network(kind: str) -> str:
    """The name by which settings know a small net of a kind while `bench` is open."""
    return f"small {kind}"


def _build(kind: str) -> Build:
    def build(
        shape: Shape, classes: int, sizes: tuple[int, ...], dropout: torch.Generator
    ) -> nn.Sequential:
        below = nn.Sequential(Pixels(flat=False), *KINDS[kind](dropout), nn.Flatten())
        inputs = below(torch.zeros(2, *shape)).shape[1]
        return nn.Sequential(*below, Linear(inputs, 5), nn.ReLU(), Linear(5, classes))

    return build


@contextmanager
def bench() -> Iterator[None]:
    """Inside, nets are of double precision, and settings know the small nets."""
    nets = {network(kind): Network(_build(kind)) for kind in KINDS}
    dtype = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]):
        torch.set_default_dtype(torch.float64)
        NETWORKS.update(nets)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            for name in nets:
                del NETWORKS[name]


class Lesson(NamedTuple):
    """A batch of images and what the world answers, whatever is chosen."""

    images: Tensor  # (B, H, W, C)
    labels: Tensor  # (B,)
    rewards: Tensor  # (2, B), one for each presentation


def make_lessons(
    count: int, shape: Shape = SHAPE, classes: int = CLASSES, trials: int = 8
) -> list[Lesson]:
    """Random images, labels and rewards, the same at each call."""
    generator = torch.Generator().manual_seed(0)

    def draw(below: int, *size: int) -> Tensor:
        return torch.randint(below, size, generator=generator)

    return [
        Lesson(draw(256, trials, *shape).byte(), draw(classes, trials), draw(2, 2, trials))
        for _ in range(count)
    ]


def join(left: Lesson, right: Lesson) -> Lesson:
    """The first half of one lesson and the second half of the other."""
    half = len(left.labels) // 2
    return Lesson(
        torch.cat((left.images[:half], right.images[half:])),
        torch.cat((left.labels[:half], right.labels[half:])),
        torch.cat((left.rewards[:, :half], right.rewards[:, half:]), 1),
    )


def new_agent(settings: Settings, shape: Shape = SHAPE, classes: int = CLASSES) -> Agent:
    """The same agent at each call, even if its rule draws from PyTorch's global generator."""
    torch.default_generator.manual_seed(0)
    return Agent(settings, shape, classes, seed=0)


def teach(agent: Agent, lesson: Lesson) -> int:
    """Let an agent learn a lesson; returns the environment steps that it took."""
    steps, before = 0, agent.trials
    while agent.trials == before:
        agent.act(lesson.images)
        from_label = agent.learns_from == "label"
        agent.learn(lesson.labels if from_label else lesson.rewards[steps])
        steps += 1
    return steps


class Subject:
    """An agent with the rule, on a dense net, after its first lessons: it has the next two."""

    def __init__(self, settings: Settings):
        self.settings = settings
        *first, one, two = make_lessons(WARM + 2)
        agent = new_agent(settings)
        for lesson in first:
            teach(agent, lesson)
        self.lessons, self.state = [one, two], agent.tensors()
        names = {module: name for name, module in agent.net.named_modules()}
        self.layers = [names[layer] for layer in weighted(agent.net)]
        self.plain = self.outcome()

    def outcome(
        self,
        change: Callable[[nn.Module], None] = lambda net: None,
        lessons: Sequence[Lesson] | None = None,
    ) -> Outcome:
        """Each lesson's changes, none of them carried out, and what is kept beside the weights.

        `change` is made to the net before. Names are those of the net's parameters and buffers.
        """
        agent = new_agent(self.settings)
        agent.restore(self.state)
        change(agent.net)
        found: Outcome = {}

        def note(net: nn.Module, _) -> None:
            for name, parameter in net.named_parameters():
                if parameter.grad is not None:
                    found[f"{name} change {agent.trials}"] = parameter.grad
                    parameter.grad = None  # the optimiser passes it by

        agent.watch = note
        for lesson in lessons or self.lessons:
            teach(agent, lesson)
        weights = {f"{name}.weight" for name in self.layers}
        kept = agent.net.state_dict().items()
        return found | {name: tensor for name, tensor in kept if name not in weights}

    def same(self, change: Callable[[nn.Module], None], layer: str = "") -> bool:
        """Is the outcome, of one layer or of all, what it is without the change?"""
        other = self.outcome(change)
        return all(
            torch.equal(other[name], tensor)
            for name, tensor in self.plain.items()
            if not layer or name.startswith(f"{layer}.")
        )
