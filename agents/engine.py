"""One trial: see images, choose classes, be answered, learn.

output = net(images)                  acting uses this pass and its graph
action = explore(output)              the world answers with a reward, or with a label
cost   = signal(output, action, answer)
credit.assign, credit.learn           errors come down; the feedback may learn
optimiser.step                        error x activity
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from agents import whole
from agents.chance import Source, uniform
from agents.credit import CreditRule, Trial
from agents.exchange import answers_of, like, pixels_of, unusable
from agents.networks import Shape
from agents.precision import precision
from agents.settings import Settings
from agents.signals import Signal
from credit_envs.tensors import FirstBad


class Open(NamedTuple):
    """A trial that waits for its answer."""

    images: Tensor  # (B, H, W, C)
    output: Tensor  # (B, K), with its graph
    action: Tensor  # (B,)


class Engine:
    """What acts and learns: a net, or several of them at once (`agents.together`)."""

    nets = 1  # each has as many trials of a batch, and those of one stand together
    settings: Settings
    shape: Shape  # (H, W, C)
    classes: int
    device: torch.device
    trials: int  # that each net has learned from
    generators: Mapping[str, Source]
    signal: Signal
    rule: CreditRule
    explore: Callable[[Tensor, float, Tensor], Tensor]
    net: nn.Module
    optimizer: Any  # with `zero_grad`
    watch: Callable[[nn.Module, Trial], None] | None = None
    """Called with the net and the trial once every weight has its change in `.grad`."""
    _no_answer: FirstBad
    _open: Open | None = None
    _before: Trial | None = None  # the first of two presentations

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
        batch = pixels_of(images, self.shape, self.device)
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
            whole.average(p.grad for p in self.net.parameters() if p.grad is not None)
            self.rule.learn(self.net, trial)
        if self.watch is not None:
            self.watch(self.net, trial)
        self._take_step()
        self._look_after(trial.costs.detach())
        self.trials += whole.size(trial.images) // self.nets

    @property
    def _now(self) -> int | Tensor:
        """The trials learned from, as flags are told."""
        return self.trials

    def _precision(self) -> AbstractContextManager[None]:
        return precision(self.settings.precision, self.device)

    def _settle(self, opened: Open, answer: Any) -> Trial:
        images, output, action = opened
        answers = self._answers(answer, len(images))
        cost = self.signal(output, action, answers)
        return Trial(
            images, output, cost, cost(output), self.generators["noise"], self.signal.meaning,
            answers if self.learns_from == "reward" else None, self._before, self.nets,
        )  # fmt: skip

    def _answers(self, answer: Any, trials: int) -> Tensor:
        answers = answers_of(answer, trials, self.learns_from, self.device)
        unused = unusable(whole.together(answers), self.learns_from, self.classes)
        self._no_answer.note(unused, self._now)
        if self.learns_from == "label":  # a GPU tells later, and is lost to the process by then
            return answers.clamp(0, self.classes - 1)
        return answers

    def _take_step(self) -> None:
        """Let the optimiser take its step."""
        raise NotImplementedError

    def _look_after(self, costs: Tensor) -> None:
        """Note costs (B,) that are not finite."""
        raise NotImplementedError
