"""What the scripts' command lines have in common."""

from dataclasses import dataclass, replace

import gymnasium as gym

from agents.settings import Settings, settings_of
from credit_envs.datasets import load


@dataclass(frozen=True)
class Cells:
    """Agents on one environment and network."""

    env: str = "DigitsReward-v0"
    """Id of a reward environment."""
    agents: str = "supervised,q_agrel,reinforce,learned_feedback,readout_only"
    """Names, cells "signal+credit", or classes "module:Class", separated by commas."""
    network: str = "dense"
    """dense, conv, loccon or deep."""
    sizes: str = "500,300"
    """Hidden sizes of the dense network, separated by commas."""
    epochs: int = 10
    """Budget of every run, in passes over the training images."""
    batch: int = 128
    """Trials per learning step."""
    device: str = "auto"
    """auto (a GPU if there is one), cpu, cuda or cuda:<i>."""

    def cells(self) -> dict[str, Settings | None]:
        """Each agent's untuned settings on this network; None for a class of the user's own."""
        return {
            agent: None
            if ":" in agent
            else replace(settings_of(agent), network=self.network, sizes=self.hidden_sizes())
            for agent in self.agents.split(",")
        }

    def hidden_sizes(self) -> tuple[int, ...]:
        """`sizes` as numbers. Raises ValueError."""
        try:
            sizes = tuple(int(size) for size in self.sizes.split(","))
        except ValueError:
            sizes = ()
        if not sizes or min(sizes) < 1:
            raise ValueError(f"sizes {self.sizes!r}: give whole numbers such as 500,300")
        return sizes


def epoch_of(env: str) -> int:
    """Training images of an environment."""
    return len(load(gym.spec(env).kwargs["dataset"], "train").labels)
