"""Image classification as direct-reward Gymnasium environments: see an image, guess, get paid.

Importing registers `<data set>Reward-v0` for every row of the table of data sets, and
`ImageReward-v0` for images of one's own.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from credit_envs.datasets import DATASETS
from credit_envs.memory import from_arrays
from credit_envs.registration import register

__all__ = ["from_arrays", "register", "require_agents"]

for _name in DATASETS:
    register(f"{_name}Reward-v0", _name)
register("ImageReward-v0")


def require_agents() -> None:
    """End a script with a sentence unless the package `agents` is this project's (SystemExit).

    The distribution openai-agents on PyPI installs a package of the same name. A script calls this
    before it imports anything from `agents`.
    """
    found = find_spec("agents")
    if found is None:
        sys.exit("error: the package `agents` of credit-envs is missing: install credit-envs.")
    folders = [Path(folder) for folder in found.submodule_search_locations or ()]
    if not any((folder / "learner.py").is_file() for folder in folders):
        sys.exit(
            f"error: Python finds a foreign module `agents` at {found.origin or folders}: "
            "uninstall the distribution it belongs to (openai-agents installs one of that name), "
            "or put the folder of credit-envs first on PYTHONPATH."
        )
