"""What is learned in one process or in several: run as a program it is one of them, under torchrun.

torchrun --nproc-per-node 2 tests/together.py FOLDER
"""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch

import credit_envs  # noqa: F401, registers the environments
from agents import checkpoint
from agents.cell import Settings
from agents.credit import RULES, LearnedFeedback, StrongDFC
from agents.credit.base import CreditRule, random_feedback, upper
from agents.making import make_agent
from agents.parallel import joined
from agents.settings import settings_of
from agents.training import train

WHOLE, BATCHES = 32, 6


def dense(signal, credit, **more):
    return Settings(signal, credit, sizes=(12, 8), **{"lr": 0.02} | more)


def served(rule):
    return (RULES[rule].signals or ("reward_prediction",))[0]


CASES = {f"{served(rule)}+{rule}": dense(served(rule), rule) for rule in RULES} | {
    "kolen_pollack by adamw": dense("label", "kolen_pollack", optimizer="adamw", weight_decay=0.1),
    "momentum": dense("agrel", "backprop", momentum=0.9),
    "likelihood": dense("reward_likelihood", "backprop"),
    "running mean": dense("policy_gradient", "backprop"),
    "rates that drop": dense("label", "backprop", drops=(WHOLE, 3 * WHOLE)),
    "two phases": dense("label", StrongDFC(phases=2), network="tanh"),
    "noise that carries far": dense("reward_prediction", StrongDFC(noise=0.3)),
    "conv": replace(settings_of("q_agrel"), network="conv"),
    "taught conv": Settings("label", LearnedFeedback(noise=0.01), network="conv"),
    "perturbed conv": Settings("label", "node_perturbation", network="conv", lr=1e-4),
    "resnet": Settings("policy_gradient", "weight_mirror", network="resnet18", sizes=(2,)),
}


def world_of(settings, part=(0, 1), seed=3):
    """The agent, and its part of the environment."""
    env = gym.make_vec(
        "DigitsReward-v0", num_envs=WHOLE // part[1], part=part, device="cpu",
        presentations=settings.rule.presentations,
        reveal_label=settings.learns_from == "label", rewards={"noise": 0.1},
    )  # fmt: skip
    env.reset(seed=seed)
    return make_agent(settings, env, seed=seed, device="cpu"), env


def learned(settings, part=(0, 1), batches=BATCHES):
    """All that an agent knows after some batches."""
    agent, env = world_of(settings, part)
    train(agent, env, batches * WHOLE, progress_bar=False)
    assert agent.trials == batches * WHOLE
    return agent.tensors()


@dataclass(frozen=True)
class OwnTrialsOnly(CreditRule):
    """A user's rule whose feedback learns from whatever this process sees."""

    name = "own_trials_only"

    def prepare(self, net, generator):
        for layer in upper(net):
            random_feedback(layer, generator, learns=False)

    def learn(self, net, trial):
        for layer in upper(net):
            layer.feedback += trial.costs.mean().detach()


def spoilt(part, what):
    """The second batch's image or answer of trial 53 is none."""
    agent, env = world_of(settings_of("q_agrel"), part)
    images, _ = env.reset()
    for _ in range(2):
        shown = images / 255
        if agent.trials and part[0] and what != "answer":
            shown[5] = {"image": np.nan, "pixel": 2}[what]
        images, answer, *_ = env.step(agent.act(shown))
        answer[5] /= what != "answer" or not agent.trials or not part[0]
        agent.learn(answer)


def unequal(part):
    agent, env = world_of(settings_of("q_agrel"), part)
    images, _ = env.reset()
    agent.act(images[part[0] :])


def growing(part):
    agent, env = world_of(settings_of("q_agrel"), part)
    images, _ = env.reset()
    agent.act(images)
    agent.act(images[1:])


def different(part):
    agent, env = world_of(settings_of("q_agrel"), part, seed=part[0])
    agent.act(env.reset()[0])


def watched(part):
    agent, env = world_of(settings_of("q_agrel"), part)
    agent.watch = lambda net, trial: None
    agent.act(env.reset()[0])
    agent.learn(np.zeros(WHOLE // part[1]))


def apart(part):
    RULES[OwnTrialsOnly.name] = OwnTrialsOnly
    learned(dense("label", OwnTrialsOnly()), part, batches=1)


def elsewhere(part):
    world_of(settings_of("q_agrel"), (part[0], part[1] + 2))


def alone_on_a_part(part):
    agent, env = world_of(settings_of("q_agrel"))
    _, shared = world_of(settings_of("q_agrel"), part)
    train(agent, shared, WHOLE, progress_bar=False)


FAULTS = {  # what goes wrong, and a part of the sentence that every process says
    "no answer": (lambda part: spoilt(part, "answer"), "reward of trial 53 is not a finite"),
    "out of range": (lambda part: spoilt(part, "pixel"), "float images lie in 0..1, got 0..2"),
    "diverged": (lambda part: spoilt(part, "image"), "at trial 53 are not finite"),
    "unequal": (unequal, r"parts of a batch are equal, these have \[16, 15\] trials"),
    "growing": (growing, "each part had 16 trials so far, this one has 15"),
    "different": (different, "agents differ: make all of them with the same settings and seed"),
    "watched": (watched, "cannot be watched"),
    "apart": (apart, "own_trials_only learns something from its own trials alone"),
    "elsewhere": (elsewhere, r"this process has part \(\d, 2\) of each batch, not \(\d, 4\)"),
    "alone on a part": (alone_on_a_part, r"sees part \(0, 1\) of each batch"),
}


def said_of(fault, part):
    """What goes wrong, as it is said."""
    try:
        fault(part)
    except (ValueError, RuntimeError, FloatingPointError) as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


def main(folder):
    torch.set_num_threads(1)
    with joined("cpu") as place:
        said = {name: said_of(fault, place.part) for name, (fault, _) in FAULTS.items()}
        torch.set_default_dtype(torch.float64)
        for name, settings in CASES.items():
            tensors = learned(settings, place.part)
            checkpoint.write(folder / str(place.part[0]) / name, tensors, said)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
