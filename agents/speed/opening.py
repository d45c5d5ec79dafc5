"""What opening costs: imports, gym.make, memory. Each repeat is a new process."""

import subprocess
import sys
from functools import partial

from agents.speed.case import Case, Missing, Reading, Sample
from agents.speed.images import Scale

IMPORT = """
from time import {clock} as clock
began = clock()
import gymnasium
after = clock()
import credit_envs
print((clock() - after) * 1e3, (after - began) * 1e3)
"""

MAKE = """
from time import {clock} as clock
import gymnasium as gym, credit_envs
began = clock()
gym.make("{id}")
first = clock()
gym.make("{id}")
print((first - began) * 1e3, (clock() - first) * 1e3)
"""

MEMORY = """
from pathlib import Path
import gymnasium as gym, credit_envs

def private():
    rows = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return sum(int(row.split()[1]) for row in rows if row.startswith("Private")) * 1024 / 1e6

def shown():
    env = gym.make("{id}")
    env.reset(seed=0)
    env.step(0)
    return env

one = [shown()]
before = private()
more = [shown() for _ in range(8)]
print(private() - before, before)
"""


def _asked(code: str) -> list[float]:
    """The numbers that a new Python prints. Raises Missing."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise Missing((done.stderr.strip() or "the new process was ended").splitlines()[-1])
    return [float(number) for number in done.stdout.split()]


def _fresh(code: str, scale: Scale) -> Sample:
    code = code.replace("{id}", scale.cached).replace("{clock}", scale.clock.__name__)
    asking = partial(_asked, code)
    asking()  # the files are in memory from now on, and the images in their cache

    def sample() -> Reading:
        ours, theirs = asking()
        return Reading(ours, ours, theirs)

    return sample


CASES = (
    Case(
        "import", "import credit_envs after gymnasium", "import gymnasium", "ms",
        partial(_fresh, IMPORT), most=60, figure="ms",
    ),
    Case(
        "make", "gym.make of a cached CIFAR-100", "the second time", "ms",
        partial(_fresh, MAKE), most=50, figure="ms",
    ),
    Case(
        "memory", "8 more of it, shown and stepped", "the process before", "MB",
        partial(_fresh, MEMORY), most=5, figure="MB",
    ),
)  # fmt: skip
