"""One agent, one trial: see images, choose classes, be answered, learn.

output = net(images)                  acting uses this pass and its graph
action = explore(output)              the world answers with a reward, or with a label
cost   = signal(output, action, answer)
credit.assign, credit.learn           errors come down; the feedback may learn
optimiser.step                        error x activity
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from agents import checkpoint
from agents.credit import Trial
from agents.explore import EXPLORE
from agents.layers import weighted
from agents.networks import NETWORKS, Shape, initialise
from agents.settings import OPTIMIZERS, Settings
from agents.signals import SIGNALS

GENERATORS = ("weights", "feedback", "exploration", "dropout", "noise")


class Diverged(FloatingPointError):
    """A cost is no longer finite: the run has diverged, after `trials` trials."""

    def __init__(self, trials: int):
        super().__init__(f"the cost is not finite after {trials} trials: the run has diverged")
        self.trials = trials


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

    def __init__(
        self, settings: Settings, shape: Shape, classes: int, *, seed: int = 0,
        device: str | torch.device = "cpu",
    ):  # fmt: skip
        self.settings, self.shape, self.classes = settings, tuple(shape), classes
        self.seed, self.device = seed, torch.device(device)
        self.trials = 0  # learned from
        self.generators = _generators(seed, self.device)
        self.signal = SIGNALS[settings.signal]().to(self.device)
        self.rule = settings.rule
        self.explore = EXPLORE[settings.explore or self.signal.explore]
        build = NETWORKS[settings.network]
        self.net = build(self.shape, classes, settings.sizes, self.generators["dropout"])
        initialise(self.net, settings.init, self.generators["weights"])
        self.rule.prepare(self.net, self.generators["feedback"])
        self.net.to(self.device)
        self.optimizer = _optimizer(self.net, settings)
        self._open: Open | None = None

    @property
    def learns_from(self) -> str:
        """What `learn` takes: "reward" or "label"."""
        return self.signal.learns_from

    def act(self, images: Any) -> Any:
        """Choose a class for each image (B, H, W, C), or for one (H, W, C), and await the answer.

        NumPy in, NumPy out; torch in, torch out; one image gives an int.
        """
        batch = self._batch(images)
        output = self.net(batch)
        draws = torch.rand(
            (len(batch), 1 + self.classes),
            generator=self.generators["exploration"],
            device=self.device,
        )
        action = self.explore(output.detach(), self.settings.epsilon, draws)
        self._open = Open(batch, output, action)
        return _like(images, action)

    def learn(self, answer: Any) -> None:
        """Settle the open `act` with its rewards or labels, (B,) or a number, and learn.

        Raises RuntimeError without an open act, ValueError for a wrong length or a value that is
        not finite, Diverged when the cost is no longer finite.
        """
        if self._open is None:
            raise RuntimeError(
                "learn() settles the trial that act() opened: call act(images) first"
            )
        images, output, action = self._open
        cost = self.signal(output, action, self._answer(answer, len(images)))
        self._open = None
        trial = Trial(images, output, cost, cost(output), self.generators["noise"])
        if not trial.costs.isfinite().all():
            raise Diverged(self.trials)
        self.optimizer.zero_grad()
        self.rule.assign(self.net, trial)
        self.rule.learn(self.net, trial)
        self.optimizer.step()
        self.trials += len(images)

    @torch.no_grad()
    def predict(self, images: Any) -> Any:
        """The class with the largest output: no exploration, no learning. Shapes as in `act`."""
        self.net.eval()
        try:
            return _like(images, self.net(self._batch(images)).argmax(1))
        finally:
            self.net.train()

    def save(self, path: str | Path) -> None:
        """Write the agent to one safetensors file, from which `load_agent` goes on bit for bit.

        An open trial is not part of it.
        """
        facts = {
            "settings": self.settings.to_dict(), "shape": self.shape, "classes": self.classes,
            "seed": self.seed, "trials": self.trials,
        }  # fmt: skip
        checkpoint.write(path, self.tensors(), facts)

    def _batch(self, images: Any) -> Tensor:
        batch = torch.as_tensor(images).to(self.device, non_blocking=True)
        if batch.shape == self.shape:
            batch = batch[None]
        if batch.shape[1:] != self.shape or batch.dim() != 4:
            raise ValueError(
                f"this agent sees images of shape (B, {', '.join(map(str, self.shape))}), "
                f"got {tuple(batch.shape)}"
            )
        return batch

    def _answer(self, answer: Any, trials: int) -> Tensor:
        dtype = torch.float32 if self.learns_from == "reward" else torch.int64
        tensor = torch.as_tensor(answer).to(self.device, dtype, non_blocking=True).reshape(-1)
        if len(tensor) != trials:
            raise ValueError(f"act() saw {trials} images, learn() got {len(tensor)} answers")
        if not tensor.isfinite().all():
            raise ValueError(f"a {self.learns_from} is not finite: {answer!r}")
        return tensor

    def tensors(self) -> dict[str, Tensor]:
        """All state as named tensors: weights, feedback, optimiser, generators."""
        named = {f"net.{k}": v for k, v in self.net.state_dict().items()}
        named |= {f"signal.{k}": v for k, v in self.signal.state_dict().items()}
        named |= {f"generator.{k}": g.get_state() for k, g in self.generators.items()}
        for index, state in self.optimizer.state_dict()["state"].items():
            named |= {
                f"optimizer.{index}.{k}": torch.as_tensor(v)
                for k, v in state.items()
                if v is not None
            }
        return named

    def restore(self, named: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        self.net.load_state_dict(_under("net", named))
        self.signal.load_state_dict(_under("signal", named))
        for name, state in _under("generator", named).items():
            self.generators[name].set_state(state.cpu())
        states: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer", named).items():
            index, key = name.split(".")
            states.setdefault(int(index), {})[key] = value
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": states, "param_groups": groups})


def _generators(seed: int, device: torch.device) -> dict[str, torch.Generator]:
    children = np.random.SeedSequence(seed).spawn(len(GENERATORS))
    places = ["cpu", "cpu", device, device, device]  # weights are drawn alike for every device
    return {
        name: torch.Generator(place).manual_seed(int(child.generate_state(1, np.uint64)[0] >> 1))
        for name, child, place in zip(GENERATORS, children, places, strict=True)
    }


def _optimizer(net: torch.nn.Module, settings: Settings) -> torch.optim.Optimizer:
    kernels = {id(p) for layer in weighted(net) for p in (layer.weight, layer.feedback)}
    learning = [p for p in net.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learning if id(p) in kernels]},
        {"params": [p for p in learning if id(p) not in kernels], "weight_decay": 0.0},
    ]
    options = {"momentum": settings.momentum} if settings.optimizer == "sgd" else {}
    return OPTIMIZERS[settings.optimizer](
        groups, lr=settings.lr, weight_decay=settings.weight_decay, **options
    )


def _like(images: Any, action: Tensor) -> Any:
    """The action in the form the images came in."""
    if isinstance(images, Tensor):
        return action if images.dim() == 4 else int(action)
    actions = action.cpu().numpy()
    return actions if np.ndim(images) == 4 else int(actions[0])


def _under(prefix: str, named: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{prefix}."
    return {k.removeprefix(start): v for k, v in named.items() if k.startswith(start)}
