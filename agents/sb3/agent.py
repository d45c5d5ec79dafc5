"""An algorithm of Stable-Baselines3 behind `act` and `learn`, as a run of ours needs it.

SB3's `learn` steps an environment itself, to the end; runs here go to evaluation points, are put
down and taken up again. So its rollout loop is taken apart at the step: what comes before it is
`act`, what comes after `learn`. Choosing, storing and learning are SB3's own methods, called in its
order (`agents.sb3.rollouts`): after as many trials the weights are those of `model.learn`, bit for
bit (tests/test_sb3.py).

SB3 draws from the global generators of NumPy and PyTorch, which its constructor seeds: two such
agents that learn by turns in one process disturb each other.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from torch import Tensor, nn

from agents import checkpoint
from agents.algorithms import Algorithm
from agents.exchange import answers_of, batch_of, like, no_answer, unusable
from agents.learner import Diverged
from agents.networks import Shape
from agents.sb3 import state
from agents.sb3.features import Body
from agents.seeding import plain_seed


class Open(NamedTuple):
    """Trials that wait for their rewards."""

    shown: np.ndarray  # (B, C, H, W)
    action: np.ndarray  # (B,)
    beside: tuple[Tensor, ...] = ()  # what the algorithm keeps of them


class Sb3Agent:
    """Learns from rewards as SB3's algorithm does, with B trials at a time.

    `shape` is (H, W, C), `classes` K, `lanes` B. `model` is SB3's own object.
    """

    learns_from = "reward"
    algorithm: type[BaseAlgorithm]

    def __init__(
        self, settings: Algorithm, shape: Shape, classes: int, lanes: int, *, seed: int = 0,
        device: str | torch.device = "cpu",
    ):  # fmt: skip
        self.settings, self.shape, self.classes, self.lanes = settings, shape, classes, lanes
        self.seed, self.device = plain_seed(seed), torch.device(device)
        self.trials = 0  # learned from, or kept to learn from
        self.forward_passes = 0  # trials that went through the body, learning again included
        self.model = self._make()
        self._open: Open | None = None

    def _make(self) -> Any:
        body = {"network": self.settings.network, "sizes": self.settings.sizes}
        body |= {"init": self.settings.init, "seed": self.seed, "device": str(self.device)}
        given = {
            "net_arch": [],
            "features_extractor_class": Body,
            "features_extractor_kwargs": body,
        }
        kind: Any = self.algorithm
        model = kind(
            "CnnPolicy", None, learning_rate=self.settings.lr, policy_kwargs=given, seed=self.seed,
            device=self.device, _init_setup_model=False, **self.settings.keywords(self.lanes),
        )  # fmt: skip
        height, width, channels = self.shape
        model.observation_space = Box(0, 255, (channels, height, width), np.uint8)
        model.action_space, model.n_envs = Discrete(self.classes), self.lanes
        model._setup_model()  # as SB3 itself does for a model without an environment, in `load`
        model.set_logger(Logger(folder=None, output_formats=[]))
        for module in model.policy.modules():
            if isinstance(module, Body):
                module.register_forward_hook(self._count)
        return model

    def _count(self, body: nn.Module, seen: tuple[Tensor], features: Tensor) -> None:
        self.forward_passes += len(features)

    def act(self, images: Any) -> Any:
        """Choose a class for each image (B, H, W, C), or for one (H, W, C), and await the reward.

        NumPy in, NumPy out; torch in, torch out; one image gives an int.
        """
        seen = batch_of(images, self.shape, torch.device("cpu"))
        if len(seen) != self.lanes or seen.dtype != torch.uint8:
            raise ValueError(
                f"this agent was made for {self.lanes} uint8 images at a time, got {len(seen)} "
                f"of {seen.dtype}: make one for this environment"
            )
        shown = seen.permute(0, 3, 1, 2).numpy()
        self.model.policy.set_training_mode(False)
        with self._diverging():
            self._open = self._choose(shown)
        chosen = torch.from_numpy(self._open.action)
        return like(images, chosen.to(images.device) if isinstance(images, Tensor) else chosen)

    def learn(self, reward: Any) -> None:
        """Settle the open `act` with its rewards (B,), or a number, and learn when SB3 does.

        Raises RuntimeError without an open act, TypeError or ValueError for rewards that are none,
        Diverged when the weights are no longer finite.
        """
        if self._open is None:
            raise RuntimeError(
                "learn() settles the trial that act() opened: call act(images) first"
            )
        rewards = answers_of(reward, self.lanes, "reward", torch.device("cpu"))
        if unusable(rewards, "reward", self.classes).any():
            raise no_answer("reward", self.classes)(self.trials)
        opened, self._open = self._open, None
        self.model.num_timesteps += self.lanes
        if self._keep(opened, rewards.numpy()):
            self._improve()
        self.trials += self.lanes

    def _choose(self, shown: np.ndarray) -> Open:
        """Guess the classes of images (B, C, H, W), while exploring."""
        raise NotImplementedError

    def _keep(self, opened: Open, rewards: np.ndarray) -> bool:
        """Store the settled trials; is it time to learn?"""
        raise NotImplementedError

    def _train(self) -> None:
        """Let SB3 learn from what is stored."""
        raise NotImplementedError

    def _improve(self) -> None:
        with self._diverging():
            self._train()
        weights = list(self.model.policy.parameters())
        if not nn.utils.get_total_norm(weights, torch.inf).isfinite():
            raise Diverged(self.trials)

    @contextmanager
    def _diverging(self) -> Iterator[None]:
        """What is inside was checked: a ValueError is PyTorch's, of outputs that are not finite."""
        try:
            yield
        except ValueError as fault:
            raise Diverged(self.trials) from fault

    def predict(self, images: Any) -> Any:
        """The likeliest class, or that of the largest value: no exploration, no learning."""
        counted = self.forward_passes
        seen = batch_of(images, self.shape, torch.device("cpu"))
        if seen.dtype != torch.uint8:  # what SB3 divides by 255
            raise ValueError(f"this agent sees uint8 images, got {seen.dtype}")
        with self._diverging():
            shown = seen.permute(0, 3, 1, 2).numpy()
            action, _ = self.model.predict(shown, deterministic=True)
        self.forward_passes = counted
        return like(images, torch.from_numpy(action))

    def check(self) -> None:
        """Nothing is kept back: what is wrong is raised at once."""

    def save(self, path: str | Path) -> None:
        """Write the agent to one safetensors file, from which `load_agent` goes on bit for bit."""
        checkpoint.write(path, self.tensors(), self.facts)

    @property
    def facts(self) -> dict[str, Any]:
        """What `load_agent` needs to know beside the tensors."""
        return {
            "settings": self.settings.to_dict(), "shape": self.shape, "classes": self.classes,
            "lanes": self.lanes, "seed": self.seed, "trials": self.trials,
        }  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All state as named tensors."""
        return state.tensors(self)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over what `tensors` gave."""
        state.restore(self, tensors)
