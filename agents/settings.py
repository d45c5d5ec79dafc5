"""The agents by name, and settings from names and files."""

from typing import Any

from agents.algorithms import A2C, ALGORITHMS, DQN, PPO
from agents.cell import Settings
from agents.credit import CreditRule
from agents.importing import imported

AGENTS: dict[str, Settings] = {
    "supervised": Settings("label", "backprop"),
    "supervised_mse": Settings("label_mse", "backprop"),
    "readout_only": Settings("label", "readout_only"),
    "weight_mirror": Settings("label", "weight_mirror"),
    "kolen_pollack": Settings("label", "kolen_pollack"),
    "feedback_alignment": Settings("label", "feedback_alignment"),
    "direct_feedback_alignment": Settings("label", "direct_feedback_alignment"),
    "sign_symmetry": Settings("label", "sign_symmetry"),
    "dfc": Settings("label", "dfc"),
    "strong_dfc": Settings("label", "strong_dfc"),
    "q_agrel": Settings("reward_prediction", "backprop"),
    "brainprop": Settings("reward_prediction", "backprop", init="paper", lr=0.1),
    "agrel": Settings("agrel", "backprop"),
    "reinforce": Settings("policy_gradient", "backprop"),
    "lansdell": Settings("label", "learned_feedback"),
    "learned_feedback": Settings("reward_prediction", "learned_feedback"),
    "ppo": PPO(),
    "a2c": A2C(),
    "dqn": DQN(),
}


def settings_of(agent: str) -> Settings:
    """Settings of a named agent, or of a cell written "signal+credit"."""
    if not isinstance(agent, str):
        raise TypeError(
            f"an agent is a name, Settings, or a class or function that makes one, got {agent!r}"
        )
    if agent in AGENTS:
        return AGENTS[agent]
    signal, plus, credit = agent.partition("+")
    if not plus:
        raise ValueError(
            f"unknown agent {agent!r}: choose one of {', '.join(AGENTS)}, a cell written "
            "signal+credit, or your own as module:Class (the credit rule of a cell, too)"
        )
    return Settings(signal, _own_rule(credit) if ":" in credit else credit)


def is_own(agent: str) -> bool:
    """Is it an agent of the user's own, "module:Class"?"""
    return ":" in agent and "+" not in agent


def _own_rule(name: str) -> CreditRule:
    """The rule behind "module:Class"."""
    kind = imported(name)
    if not (isinstance(kind, type) and issubclass(kind, CreditRule)):
        raise TypeError(f"{name} is no credit rule: let it inherit from agents.credit.CreditRule")
    return kind()


def name_of(signal: str, credit: str) -> str:
    """How a cell of the grid is called: its agent's name, or "signal+credit"."""
    cell = Settings(signal, credit)
    named = [name for name, settings in AGENTS.items() if settings == cell]
    return named[0] if named else f"{signal}+{credit}"


def settings_from(plain: dict[str, Any]) -> Settings:
    """Read what the `to_dict` of any settings wrote. Raises KeyError, TypeError, ValueError."""
    return ALGORITHMS.get(plain["signal"], Settings).from_dict(plain)


__all__ = ["AGENTS", "Settings", "is_own", "name_of", "settings_from", "settings_of"]
