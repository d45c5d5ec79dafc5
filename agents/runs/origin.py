"""Where a run comes from: versions, commit, command and machine, for its config.json."""

import platform
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "torch": "torch", "numpy": "numpy", "gymnasium": "gymnasium", "credit_envs": "credit-envs",
}  # fmt: skip


def origin() -> dict[str, Any]:
    """Versions, commit and command of this process."""
    commit, dirty = _commit()
    versions = {"python": platform.python_version()}
    versions |= {name: _version(package) for name, package in PACKAGES.items()}
    command = shlex.join(sys.argv)
    return {"versions": versions, "commit": commit, "dirty": dirty, "command": command}


def now() -> str:
    """The time as config.json has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def device_name(device: torch.device) -> str:
    """What the device is called by its maker."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


@cache
def _commit() -> tuple[str | None, bool | None]:
    """The commit of this checkout and whether it was changed since; None, None outside of one."""
    if not (ROOT / ".git").exists():
        return None, None
    try:
        return _git("rev-parse", "HEAD"), bool(_git("status", "--porcelain"))
    except (OSError, subprocess.SubprocessError):
        return None, None


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    return subprocess.run(
        command, check=True, capture_output=True, text=True, timeout=30
    ).stdout.strip()
