"""Image classification as direct-reward Gymnasium environments: see an image, guess, get paid.

Importing registers `<data set>Reward-v0` for every row of the table of data sets.
"""

from importlib.util import find_spec
from pathlib import Path

import gymnasium as gym

from credit_envs.datasets import DATASETS

__all__ = ["require_agents"]

for _name in DATASETS:
    gym.register(
        id=f"{_name}Reward-v0",
        entry_point="credit_envs.env:RewardEnv",
        vector_entry_point="credit_envs.vector:RewardVectorEnv",
        kwargs={"dataset": _name},
    )


def require_agents() -> None:
    """Raise ImportError unless the package `agents` that Python finds is this project's.

    The distribution openai-agents on PyPI installs a package of the same name.
    """
    found = find_spec("agents")
    if found is None:
        raise ImportError("The package `agents` of credit-envs is missing: install credit-envs.")
    folders = [Path(folder) for folder in found.submodule_search_locations or ()]
    if not any((folder / "learner.py").is_file() for folder in folders):
        raise ImportError(
            f"Python finds a foreign module `agents` at {found.origin or folders}: uninstall the "
            "distribution it belongs to (openai-agents installs one of that name), or put the "
            "folder of credit-envs first on PYTHONPATH."
        )
