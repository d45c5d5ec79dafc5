"""One agent, one trial: see images, choose classes, be answered, learn.

output = net(images)                  acting uses this pass and its graph
action = explore(output)              the world answers with a reward, or with a label
cost   = signal(output, action, answer)
credit.assign, credit.learn           errors come down; the feedback may learn
optimiser.step                        error x activity
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from agents import checkpoint, whole
from agents.chance import uniform
from agents.credit import Trial
from agents.exchange import answers_of, batch_of, like, no_answer, unusable
from agents.explore import EXPLORE
from agents.networks import NETWORKS, Shape, initialise
from agents.plasticity import make_optimizer, take_step
from agents.precision import precision
from agents.seeding import generators
from agents.settings import Settings
from agents.signals import SIGNALS
from credit_envs.stream import ALONE, Part
from credit_envs.tensors import FirstBad, not_finite


class Diverged(FloatingPointError):
    """The cost or the weights at trial `trial` are no longer finite: the run has diverged."""

    def __init__(self, trial: int):
        super().__init__(
            f"the cost or the weights at trial {trial} are not finite: the run has diverged"
        )
        self.trial = trial


class Open(NamedTuple):
    """A trial that waits for its answer."""

    images: Tensor  # (B, H, W, C)
    output: Tensor  # (B, K), with its graph
    action: Tensor  # (B,)


class Agent:
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
        self.seed, self.device = seed, torch.device(device)
        self.trials = 0  # learned from
        self.generators = generators(seed, self.device)
        self.signal = SIGNALS[settings.signal]().to(self.device)
        self.rule = settings.rule
        self.explore = EXPLORE[settings.explore or self.signal.explore]
        build = NETWORKS[settings.network]
        self.net = build(self.shape, classes, settings.sizes, self.generators["dropout"])
        initialise(self.net, settings.init, self.generators["weights"])
        self.rule.check(self.net, settings.signal)
        self.rule.prepare(self.net, self.generators["feedback"])
        # Images come channels-last; weights in the same order save convolutions half their time.
        self.net.to(device=self.device, memory_format=torch.channels_last)  # pyright: ignore
        self.optimizer = make_optimizer(
            self.net, settings.optimizer, settings.lr, settings.momentum, settings.weight_decay
        )
        self._precision = partial(precision, settings.precision, self.device)
        self._not_finite = FirstBad(self.device, Diverged)
        self._no_answer = FirstBad(self.device, no_answer)
        self._learning = [p for p in self.net.parameters() if p.requires_grad]
        self.clock: Tensor | None = None
        """Tells `trials` on the device while a graph is made of a trial (`agents.captured`)."""
        self._open: Open | None = None
        self._before: Trial | None = None  # the first of two presentations
        self.watch: Callable[[nn.Module, Trial], None] | None = None
        """Called with the net and the trial once every weight has its change in `.grad`."""

    @property
    def presentations(self) -> int:
        """How often an image is shown in a row for one trial: 1, or 2 for rules that need it."""
        return self.rule.presentations

    @property
    def learns_from(self) -> str:
        """What `learn` takes: "reward" or "label"."""
        return self.signal.learns_from

    def act(self, images: Any) -> Any:
        """Choose a class for each image (B, H, W, C), or for one (H, W, C), and await the answer.

        NumPy in, NumPy out; torch in, torch out; one image gives an int.
        """
        batch = batch_of(images, self.shape, self.device)
        with self._precision():
            output = self.rule.look(self.net, batch, self.generators["noise"], self._before)
        if self.settings.precision == "bf16":
            output = output.float()  # costs are float32
        draws = uniform(
            torch.empty(len(batch), 1 + self.classes, device=self.device),
            self.generators["exploration"],
        )
        action = self.explore(output.detach(), self.settings.epsilon, draws)
        self._open = Open(batch, output, action)
        return like(images, action)

    def learn(self, answer: Any) -> None:
        """Settle the open `act` with its rewards or labels, (B,) or a number, and learn.

        Raises RuntimeError without an open act, TypeError or ValueError for an answer that is
        none (the act stays open), Diverged when the cost is no longer finite.
        """
        if self._open is None:
            raise RuntimeError(
                "learn() settles the trial that act() opened: call act(images) first"
            )
        trial = self._settle(self._open, answer)
        self._open = None
        if self.presentations == 2 and self._before is None:
            self._before = trial
            return
        self._before = None
        self.optimizer.zero_grad()
        with self._precision():
            self.rule.assign(self.net, trial)
            whole.average(p.grad for p in self._learning if p.grad is not None)
            self.rule.learn(self.net, trial)
        if self.watch is not None:
            self.watch(self.net, trial)
        take_step(self.optimizer, self.settings.rate(self.trials))
        self._not_finite.note(not_finite(whole.together(trial.costs.detach())), self._now)
        self.trials += whole.size(trial.images)

    def passed(self, trials: int) -> None:
        """Count trials that a graph has replayed; raise what `learn` does, in time."""
        self.trials += trials
        self._no_answer.passed(trials)
        self._not_finite.passed(trials)

    @property
    def _now(self) -> int | Tensor:
        return self.trials if self.clock is None else self.clock

    def _settle(self, opened: Open, answer: Any) -> Trial:
        images, output, action = opened
        answers = self._answers(answer, len(images))
        cost = self.signal(output, action, answers)
        return Trial(
            images, output, cost, cost(output), self.generators["noise"], self.signal.meaning,
            answers if self.learns_from == "reward" else None, self._before,
        )  # fmt: skip

    @torch.no_grad()
    def predict(self, images: Any) -> Any:
        """The class with the largest output: no exploration, no learning. Shapes as in `act`."""
        self.check()
        self.net.eval()
        try:
            batch = batch_of(images, self.shape, self.device)
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

    def save(self, path: str | Path) -> None:
        """Write the agent to one safetensors file, from which `load_agent` goes on bit for bit.

        An open trial is not part of it.
        """
        checkpoint.write(path, self.tensors(), self.facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What `load_agent` needs to know beside the tensors."""
        return {
            "settings": self.settings.to_dict(), "shape": self.shape, "classes": self.classes,
            "seed": self.seed, "trials": self.trials,
        }  # fmt: skip

    def _answers(self, answer: Any, trials: int) -> Tensor:
        answers = answers_of(answer, trials, self.learns_from, self.device)
        unused = unusable(whole.together(answers), self.learns_from, self.classes)
        self._no_answer.note(unused, self._now)
        return answers

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
        """Take over what `tensors` gave."""
        parts = checkpoint.nested(tensors)
        self.net.load_state_dict(parts["net"])
        self.signal.load_state_dict(parts.get("signal", {}))
        for name, state in parts["generator"].items():
            self.generators[name].set_state(state)
        states = {int(index): state for index, state in parts.get("optimizer", {}).items()}
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})
