"""Q-AGREL in one file: a deep network learns classes from rewards, with no autograd and no label.

Each output unit predicts the reward of choosing its class. The network chooses one, and what it is
paid beyond the prediction is one number that every synapse hears. Only the chosen unit sends
attention down, through the weights by which it was reached, so that a unit learns as much as it
had to do with the choice (Pozzi, Bohte & Roelfsema 2020).

    python scripts/examples/q_agrel.py --env MNISTReward-v0 --hidden 500 300 --trials 600000
"""

from dataclasses import dataclass

import gymnasium as gym
import torch
import tyro
from gymnasium.spaces.utils import flatdim
from torch import Generator, Tensor

import credit_envs  # noqa: F401, registers the environments
from credit_envs.datasets import load

Layer = tuple[Tensor, Tensor]  # weights (out, in), biases (out,)


@dataclass(frozen=True)
class Args:
    """Learn from rewards, and measure on the test images what was learned."""

    env: str = "DigitsReward-v0"
    """Id of a reward environment."""
    hidden: tuple[int, ...] = (64, 32)
    """Units of each hidden layer."""
    trials: int = 100_000
    """Images to guess."""
    batch: int = 32
    """Trials per learning step."""
    lr: float = 0.4
    """Learning rate, of the mean change of a batch."""
    epsilon: float = 0.02
    """Probability of choosing any class, to see what it pays."""
    report: int = 10_000
    """Trials between two lines of what is being earned."""
    seed: int = 0
    """Fixes the order of images, the initial weights and the choices."""
    device: str = "cpu"
    """cpu, cuda or cuda:<i>."""


def make_layers(sizes: list[int], generator: Generator) -> list[Layer]:
    """Random weights of He's scale, and biases of zero, for each pair of sizes."""
    layers = []
    for below, above in zip(sizes, sizes[1:], strict=False):
        weight = torch.randn(above, below, generator=generator, device=generator.device)
        layers.append((weight * (2 / below) ** 0.5, torch.zeros(above, device=generator.device)))
    return layers


def respond(layers: list[Layer], images: Tensor) -> list[Tensor]:
    """The activity of every layer: pixels (B, N), hidden units, predicted rewards (B, K)."""
    activities = [images]
    for weight, bias in layers[:-1]:
        activities.append((activities[-1] @ weight.T + bias).relu())
    weight, bias = layers[-1]
    return [*activities, activities[-1] @ weight.T + bias]


def choose(values: Tensor, epsilon: float, generator: Generator) -> Tensor:
    """The class of the largest prediction, (B,), or now and then any."""
    draws = torch.rand(2, len(values), generator=generator, device=values.device)
    guesses = (draws[0] * values.shape[1]).long()
    return torch.where(draws[1] < epsilon, guesses, values.argmax(1))


def learn(
    layers: list[Layer], activities: list[Tensor], actions: Tensor, rewards: Tensor, lr: float
) -> None:
    """Change every weight by reward prediction error x attention from above x activity below."""
    values = activities[-1]
    surprise = rewards - values.gather(1, actions[:, None])[:, 0]  # (B,), heard everywhere
    attention = torch.nn.functional.one_hot(actions, values.shape[1]).to(values)  # (B, K)
    for number in reversed(range(len(layers))):
        weight, bias = layers[number]
        below = activities[number]
        change = surprise[:, None] * attention  # (B, units)
        attention = attention @ weight * (below > 0)  # by the weights of the choice itself
        weight += lr / len(below) * change.T @ below
        bias += lr * change.mean(0)


def accuracy(layers: list[Layer], args: Args) -> float:
    """The share of test images, each seen once, whose class has the largest prediction."""
    test = load(gym.spec(args.env).kwargs["dataset"], "test")
    pixels = torch.tensor(test.images, device=args.device).flatten(1) / 255
    chosen = respond(layers, pixels)[-1].argmax(1)
    return float((chosen.cpu() == torch.tensor(test.labels)).float().mean())


def main(args: Args) -> None:
    """The loop: look, choose, be paid, learn."""
    env = gym.make_vec(
        args.env, num_envs=args.batch, device=args.device, layout="flat", dtype="float32"
    )
    generator = Generator(args.device).manual_seed(args.seed)
    pixels, classes = flatdim(env.single_observation_space), flatdim(env.single_action_space)
    layers = make_layers([pixels, *args.hidden, classes], generator)
    images, _ = env.reset(seed=args.seed)
    earned, every = torch.zeros((), device=args.device), args.report // args.batch
    for step in range(1, args.trials // args.batch + 1):
        activities = respond(layers, images)
        actions = choose(activities[-1], args.epsilon, generator)
        images, rewards, *_ = env.step(actions)
        learn(layers, activities, actions, rewards, args.lr)
        earned += rewards.mean()
        if step % every == 0:
            print(f"{step * args.batch:9,} trials  mean reward since {earned / every:.1%}")
            earned.zero_()
    print(f"test accuracy {accuracy(layers, args):.1%}")


if __name__ == "__main__":
    main(tyro.cli(Args))
