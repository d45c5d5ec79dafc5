"""What a full run needs of the machine, said before it begins."""

from pathlib import Path

import torch

from agents.presets.figure import Figure

GIB = 1 << 30
INSTEAD = "--quick does a small part of it on any machine"


def check(figure: Figure, device: torch.device, insists: bool) -> None:
    """Refuse a full run for which this machine is too small. Raises ValueError.

    `insists`: the user has asked for the CPU by name.
    """
    if figure.gpu and device.type == "cpu" and not insists:
        raise ValueError(
            f"{figure.name} in full needs a GPU with {figure.memory:g} GiB for about "
            f"{figure.hours:g} hours, and there is none here: {INSTEAD}, and --device cpu insists"
        )
    free = memory(device)
    if free is not None and free < figure.memory:
        raise ValueError(
            f"{figure.name} in full needs {figure.memory:g} GiB of memory, {device} has "
            f"{free:.1f} GiB to give: {INSTEAD}"
        )


def memory(device: torch.device) -> float | None:
    """GiB that can still be had there; None: nobody knows."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0] / GIB
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        (available,) = (line for line in lines if line.startswith("MemAvailable:"))
        return int(available.split()[1]) * 1024 / GIB
    except (OSError, ValueError):  # no Linux
        return None
