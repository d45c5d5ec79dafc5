"""What else is read of a finished agent: angles, robustness to noise, the control it needs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import fmean

import numpy as np
import torch
from torch import Tensor, nn

from agents.credit import Trial
from agents.credit.base import upper
from agents.credit.circuit import Circuit
from agents.credit.control import Controlled
from agents.credit.noise import draw
from agents.credit.strong_dfc import StrongDFC
from agents.learner import Agent
from agents.metrics import angle, bare
from agents.training import evaluate
from agents.weighted import weighted
from credit_envs.datasets import load
from credit_envs.registration import find_spec

NOISES = (0.0, 0.1, 0.2, 0.4, 0.8)  # standard deviations, beside rates of -1..1
CONTROLLED = 1000  # test images that a controller works on

Measure = Callable[[Agent, str, int], dict[str, float]]  # agent, environment, images read (0: all)


def feedback_angle(agent: Agent, env: str, images: int) -> dict[str, float]:
    """Degrees between W and the feedback B in its place, mean of the layers."""
    angles = [
        float(angle(layer.feedback, layer.weight))
        for layer in upper(agent.net)
        if layer.feedback is not None and layer.reciprocal
    ]
    return {"angle of B to W": fmean(angles)} if angles else {}


def noise(agent: Agent, env: str, images: int) -> dict[str, float]:
    """Test accuracy, 0..1, with noise on the rate of every hidden unit."""
    accuracies = {}
    for s in NOISES:
        with noisy_rates(agent.net, s, torch.Generator(agent.device).manual_seed(0)):
            accuracies[f"noise {s:g}"] = evaluate(agent, env, "test", images)
    return accuracies


@contextmanager
def noisy_rates(net: nn.Module, s: float, generator: torch.Generator) -> Iterator[None]:
    """Passes inside have N(0, s^2) added to what each layer but the first is told."""

    def add(layer, inputs):
        return inputs[0] + draw(inputs[0], s, generator)

    hooks = [layer.register_forward_pre_hook(add) for layer in upper(net)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def control(agent: Agent, env: str, images: int) -> dict[str, float]:
    """The loss, and H = |Q u|^2 / 2 of control that holds the output at its target.

    u is where dynamics without noise come to, given ten times the time in which the rule learns.
    H with the Q that was learned, and with the ideal one: J^T, its mean over the images.
    """
    rule = agent.rule
    assert isinstance(rule, StrongDFC), f"{rule.name} clamps no target"
    data = load(find_spec(env).kwargs["dataset"], "test")
    count = images or CONTROLLED
    seen = torch.from_numpy(np.array(data.images[:count])).to(agent.device)
    labels = torch.from_numpy(np.array(data.labels[:count])).to(agent.device)
    output = agent.net(seen).detach()  # with a graph, so that the layers keep the pass for control
    cost = agent.signal(output, labels, labels)
    generator = agent.generators["noise"]
    trial = Trial(seen, output, cost, cost(output), generator, agent.signal.meaning, None)
    found = {"loss": float(trial.costs.mean()), "H": needed(rule, agent.net, trial)}
    with ideal_feedback(agent.net, seen):
        return found | {"H, ideal Q": needed(rule, agent.net, trial)}


@torch.no_grad()
def needed(rule: StrongDFC, net: nn.Module, trial: Trial) -> float:
    """H, mean of the trials whose control came nearer to the target than no control."""
    circuit, target = Circuit(net), rule.target(trial)
    start = target - trial.meaning(trial.output)
    holding = Controlled(alpha=rule.alpha)
    *_, last = holding.dynamics(circuit, lambda output: target - trial.meaning(output))
    sound = last.e.norm(dim=1) <= start.norm(dim=1)
    energy = 0.5 * (last.u @ circuit.feedback.T).square().sum(1)
    return float(energy[sound].mean())


@contextmanager
def ideal_feedback(net: nn.Module, images: Tensor) -> Iterator[None]:
    """Inside, each hidden layer's Q is J^T, the mean of its trials: dr_L / dv."""
    reference = bare(net)
    hidden = weighted(net)[:-1]
    learned = [layer.feedback.detach().clone() for layer in hidden]
    voltages: list[Tensor] = []

    def keep(layer, inputs, output):
        voltages.append(output)

    for layer in weighted(reference)[:-1]:
        layer.register_forward_hook(keep)
    with torch.enable_grad():
        output = reference(images)
        columns = [
            torch.autograd.grad(output[:, k].mean(), voltages, retain_graph=True)
            for k in range(output.shape[1])
        ]
    for i, layer in enumerate(hidden):
        layer.feedback.data = torch.stack([column[i].sum(0) for column in columns], dim=1)
    try:
        yield
    finally:
        for layer, feedback in zip(hidden, learned, strict=True):
            layer.feedback.data = feedback


MEASURES: dict[str, Measure] = {
    "feedback_angle": feedback_angle, "noise": noise, "control": control,
}  # fmt: skip
