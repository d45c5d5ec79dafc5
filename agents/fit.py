"""Whether an agent and an environment fit: what does not is refused in a sentence."""

from typing import Any

import gymnasium as gym
from gymnasium.spaces import Discrete
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from agents.settings import Settings
from agents.signals import SIGNALS
from credit_envs.stream import ALONE
from credit_envs.task import Task


def check_made(env: Any) -> None:
    """Raise TypeError if `env` is not an environment: its id, say, of which nothing is known."""
    if not isinstance(env, gym.Env | VectorEnv):
        raise TypeError(
            f"env is an environment, as gym.make(id) or gym.make_vec(id, num_envs=B) makes one, "
            f"got {env!r}"
        )


def check_environment(env: gym.Env | VectorEnv, from_label: bool, presentations: int) -> None:
    """Refuse an environment whose trials are not the agent's. Raises ValueError, TypeError."""
    check_made(env)
    silent = isinstance(env.unwrapped, SyncVectorEnv | AsyncVectorEnv)
    if silent and (from_label or presentations > 1):
        raise ValueError(
            "this agent needs labels or presentations, which Gymnasium's own vector forms keep to "
            "themselves: use gym.make_vec(id, num_envs=B) without a vectorization_mode"
        )
    if getattr(env.unwrapped, "presentations", 1) != presentations:
        raise ValueError(
            f"this agent needs each image {presentations} times in a row: make the environment "
            f"with presentations={presentations}"
        )
    if from_label and not getattr(env.unwrapped, "reveal_label", False):
        raise ValueError(
            "this agent learns from labels: make the environment with reveal_label=True"
        )
    if isinstance(env, VectorEnv) and env.metadata["autoreset_mode"] != AutoresetMode.SAME_STEP:
        raise ValueError(
            "every step must be a trial: use gym.make_vec(id, num_envs=B), whose autoreset mode is "
            "SAME_STEP"
        )


def check_part(agent: Any, env: gym.Env | VectorEnv) -> None:
    """Refuse an environment that shows not the part of each batch that the agent sees."""
    part = getattr(env.unwrapped, "part", ALONE)
    if getattr(agent, "part", part) != part:
        raise ValueError(
            f"this agent sees part {agent.part} of each batch and the environment shows {part}: "
            "make_agent(..., env) and load_agent(..., part=...) make one that fits"
        )


def check_actions(agent: Any, env: Any) -> None:
    """Refuse an environment with other actions than the suite's agent was made for."""
    if not isinstance(getattr(agent, "settings", None), Settings):
        return
    choice = env.single_action_space if isinstance(env, VectorEnv) else env.action_space
    if isinstance(choice, Discrete) and agent.classes != choice.n:
        raise ValueError(
            f"this agent chooses among {agent.classes}, the environment has {choice.n} actions: "
            "make_agent(..., env) makes one that fits"
        )


def check_rewards(agent: Any, env: Any) -> None:
    """Refuse an environment whose rewards mean nothing to the agent's signal."""
    settings, task = getattr(agent, "settings", None), getattr(env.unwrapped, "task", None)
    if not isinstance(settings, Settings) or not isinstance(task, Task):
        return
    if settings.learns_from == "label" or settings.signal not in SIGNALS:
        return
    least, most = SIGNALS[settings.signal].rewards
    lowest, highest = task.payments.min(), task.payments.max()
    if not least <= lowest <= highest <= most:
        raise ValueError(
            f"the signal {settings.signal} is for rewards of {least} to {most}, the environment "
            f"pays {lowest:g} to {highest:g}: give it rewards in that range, or choose "
            "reward_prediction or policy_gradient"
        )


def check_in_time(info: dict[str, Any]) -> None:
    """Refuse rewards that come late. Raises ValueError."""
    if "trial" in info.get("final_info", info):  # Gymnasium's own vector forms put it there
        raise ValueError(
            "the rewards of this environment come late, but agents learn from the trial they have "
            "just run: make it without a delay, or write a loop that credits info['trial']"
        )
