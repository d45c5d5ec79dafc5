"""One agent: a net with its settings and its seed, which can be saved, and goes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from agents import checkpoint, whole
from agents.engine import Engine
from agents.exchange import like, no_answer, pixels_of
from agents.explore import EXPLORE
from agents.networks import NETWORKS, Shape, initialise, standardise
from agents.plasticity import make_optimizer, take_step
from agents.seeding import generators, go_on, plain_seed
from agents.settings import Settings
from credit_envs.stream import ALONE, Part
from credit_envs.tensors import FirstBad, not_finite


class Diverged(FloatingPointError):
    """The cost or the weights at trial `trial` are no longer finite: the run has diverged."""

    def __init__(self, trial: int):
        super().__init__(
            f"the cost or the weights at trial {trial} are not finite: the run has diverged"
        )
        self.trial = trial


class Agent(Engine):
    """Learns to choose the class of an image from the answers it gets.

    `shape` is (H, W, C), `classes` K. The seed fixes the initial weights, the exploration and all
    noise, each by its own generator; the weights are the same on every device.
    """

    part: Part = ALONE
    """Which part of each batch it sees, of how many; the others are other processes'."""

    def __init__(
        self, settings: Settings, shape: Shape, classes: int, *, seed: int = 0,
        device: str | torch.device = "cpu",
    ):  # fmt: skip
        self.settings, self.shape, self.classes = settings, shape, classes
        self.seed, self.device = plain_seed(seed), torch.device(device)
        self.trials = 0
        self.generators: Any = generators(self.seed, self.device)
        self.signal = settings.make_signal().to(self.device)
        self.rule = settings.rule
        self.explore = EXPLORE[settings.explore or self.signal.explore]
        build = NETWORKS[settings.network]
        self.net = build(self.shape, classes, settings.sizes, self.generators["dropout"])
        initialise(self.net, settings.init, self.generators["weights"])
        standardise(self.net, *settings.pixels)
        self.rule.check(self.net, settings.signal)
        self.rule.prepare(self.net, self.generators["feedback"])
        # Images come channels-last; weights in the same order save convolutions half their time.
        self.net.to(device=self.device, memory_format=torch.channels_last)  # pyright: ignore
        self.optimizer = make_optimizer(
            self.net, settings.optimizer, settings.lr, settings.weight_decay, **settings.constants
        )
        self._not_finite = FirstBad(self.device, Diverged)
        self._no_answer = FirstBad(self.device, no_answer(self.learns_from, classes))
        self._learning = [p for p in self.net.parameters() if p.requires_grad]
        self.clock: Tensor | None = None
        """Tells `trials` on the device while a graph is made of a trial (`agents.captured`)."""

    def passed(self, trials: int) -> None:
        """Count trials that a graph has replayed; raise what `learn` does, in time."""
        self.trials += trials
        self._no_answer.passed(trials)
        self._not_finite.passed(trials)

    @torch.no_grad()
    def predict(self, images: Any) -> Any:
        """The class with the largest output: no exploration, no learning. Shapes as in `act`."""
        self.check()
        self.net.eval()
        try:
            batch = pixels_of(images, self.shape, self.device)
            with self._precision():
                return like(images, self.net(batch).argmax(1))
        finally:
            self.net.train()

    def check(self) -> None:
        """Raise the error of weights that are not finite, or that a GPU still keeps to itself."""
        self._no_answer.read()
        weights = torch.stack([weight.detach().sum() for weight in self._learning]).sum()
        self._not_finite.note(not_finite(weights[None]), self.trials)
        self._not_finite.read()

    def mark_diverged(self, trial: int) -> None:
        """Let `check` raise that the run diverged at this trial."""
        self._not_finite.mark(trial)

    def save(self, path: str | Path) -> None:
        """Write the agent to one safetensors file, from which `load_agent` goes on bit for bit.

        On another kind of device it goes on from the same weights with other draws. An open trial
        is not part of it.
        """
        checkpoint.write(path, self.tensors(), self.facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What `load_agent` needs to know beside the tensors."""
        return {
            "settings": self.settings.to_dict(), "shape": self.shape, "classes": self.classes,
            "seed": self.seed, "trials": self.trials,
        }  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All state as named tensors: weights, feedback, baselines, optimiser, generators."""
        return checkpoint.flat(
            {
                "net": self.net.state_dict(),
                "signal": self.signal.state_dict(),
                "generator": {name: g.get_state() for name, g in self.generators.items()},
                "optimizer": self.optimizer.state_dict()["state"],
            }
        )

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave; they stay the giver's."""
        parts = checkpoint.nested({name: tensor.clone() for name, tensor in tensors.items()})
        self.net.load_state_dict(parts["net"])
        self.signal.load_state_dict(parts.get("signal", {}))
        for name, state in parts["generator"].items():
            go_on(self.generators[name], state)
        states = {int(index): state for index, state in parts.get("optimizer", {}).items()}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})

    def _take_step(self) -> None:
        take_step(self.optimizer, self.settings.rate(self.trials))

    def _look_after(self, costs: Tensor) -> None:
        self._not_finite.note(not_finite(whole.together(costs)), self._now)

    @property
    def _now(self) -> int | Tensor:
        return self.trials if self.clock is None else self.clock
