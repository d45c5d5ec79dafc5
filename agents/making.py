"""From a name, or settings, or a file, to an agent."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import gymnasium as gym
import torch
from gymnasium.spaces import Box, Discrete
from gymnasium.vector import VectorEnv

from agents import checkpoint
from agents.algorithms import Algorithm
from agents.fit import check_made
from agents.importing import imported
from agents.learner import Agent
from agents.own import Maker, check_methods
from agents.settings import Settings, is_own, settings_from, settings_of
from credit_envs.stream import ALONE, Part
from credit_envs.tensors import find_device


def make_agent(
    agent: str | Settings | Maker, env: gym.Env | VectorEnv, *, seed: int = 0, device: str = "auto"
) -> Any:
    """An agent for the images and classes of `env`.

    `agent` is a name in AGENTS, a cell of the grid written "signal+credit", Settings, or one
    of your own: a class, as itself or as "module:Class", or any function, called with the spaces
    of one trial as (observation_space, action_space, seed). `device` is "auto"
    (a GPU if there is one), "cpu", "cuda" or "cuda:<i>". For an environment that shows part of
    each batch, the agent learns together with those of the other parts (`parallel`).
    """
    check_made(env)
    vector = isinstance(env, VectorEnv)
    seen = env.single_observation_space if vector else env.observation_space
    choice = env.single_action_space if vector else env.action_space
    if isinstance(agent, str) and is_own(agent):
        agent = own_class(agent)
    if callable(agent):
        made = agent(seen, choice, seed)
        check_methods(made, type(made).__name__)
        return made
    settings = agent if isinstance(agent, Settings) else settings_of(agent)
    if not isinstance(seen, Box) or len(seen.shape) != 3 or seen.shape[2] > 4:
        raise ValueError(
            f"agents look at images (H, W, C), this environment shows {seen}: "
            "make it with layout='HWC', without wrappers that change what is seen"
        )
    if not isinstance(choice, Discrete):
        raise ValueError(f"agents choose one of K classes, this environment wants {choice}")
    facts = {"shape": seen.shape, "classes": int(choice.n), "seed": seed}
    facts["lanes"] = cast(VectorEnv, env).num_envs if vector else 1
    return _build(settings, facts, pick_device(device), getattr(env.unwrapped, "part", ALONE))


def _build(settings: Settings, facts: Mapping[str, Any], device: torch.device, part: Part) -> Any:
    """The agent of these settings: of our own engine, or one of Stable-Baselines3's."""
    shape, classes, seed = tuple(facts["shape"]), facts["classes"], facts["seed"]
    if not isinstance(settings, Algorithm):
        if part == ALONE:
            return Agent(settings, shape, classes, seed=seed, device=device)
        from agents.parallel import Parallel  # few need it

        return Parallel(settings, shape, classes, part, seed=seed, device=device)
    if part != ALONE:
        raise ValueError(f"{settings.signal} learns in one process: leave part out")
    from agents.sb3.rollouts import SB3_AGENTS  # SB3 takes seconds to import: only when needed

    kind = SB3_AGENTS[settings.signal]
    return kind(settings, shape, classes, facts["lanes"], seed=seed, device=device)


def load_agent(path: str | Path, *, device: str = "auto", part: Part = ALONE) -> Any:
    """The agent that `agent.save(path)` wrote: it goes on as the saved one would have.

    With a `part` of each batch together with other processes, however many saved it.
    """
    place = pick_device(device)
    tensors, facts = checkpoint.read(path)
    try:
        agent = _build(settings_from(facts["settings"]), facts, place, part)
        agent.restore(tensors)
        agent.trials = facts["trials"]
    except (KeyError, TypeError, RuntimeError) as fault:
        raise ValueError(
            f"{path} holds an agent that this version does not know ({fault}): train it again, or "
            "load it with the version that saved it"
        ) from fault
    return agent


def own_class(name: str) -> Any:
    """The class of an agent behind "module:Class". Raises ValueError, TypeError."""
    found = imported(name)
    check_methods(found, name)
    return found


def pick_device(name: str) -> torch.device:
    """The torch device of that name; "auto" is a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return find_device(name)
