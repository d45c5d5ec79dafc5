"""How a batch is asked for: how many, as what, and which part of a larger one."""

from collections.abc import Sequence
from typing import Any

from gymnasium.vector import AutoresetMode

from credit_envs.arrays import NumpyBatch
from credit_envs.stream import Part
from credit_envs.task import Task


def make_batch(task: Task, size: int, device: str | None, resident: bool | None) -> Any:
    """Return the task's trials as NumPy arrays, or as tensors on the device."""
    if resident not in (None, True, False):
        raise TypeError(f"resident must be True, False or None, not {resident!r}.")
    if device is None:
        if resident is not None:
            raise ValueError(f"resident={resident} is said of tensors: give a device, too.")
        return NumpyBatch(task, size)
    from credit_envs.tensors import TorchBatch  # torch takes a second to import: only when needed

    return TorchBatch(task, size, device, resident)


def checked_num_envs(num_envs: int, trials: int, parts: int) -> int:
    """Return the batch size, or raise if it is no int or a pass has not that many trials."""
    if not isinstance(num_envs, int) or isinstance(num_envs, bool):
        raise TypeError(f"num_envs must be an int, not {num_envs!r}.")
    most = trials // parts
    if not 1 <= num_envs <= most:
        each = f" in each of {parts} parts" if parts > 1 else ""
        raise ValueError(f"num_envs={num_envs} is not in 1..{most}, the trials of a pass{each}.")
    return num_envs


def checked_part(part: Sequence[int]) -> Part:
    """Return which part of a batch is shown, of how many, or raise if that is no (r, W)."""
    numbers = tuple(part) if isinstance(part, list | tuple) else ()
    if len(numbers) != 2 or not all(type(number) is int for number in numbers):
        raise TypeError(f"part must be two ints, (which, of how many), not {part!r}.")
    if not 0 <= numbers[0] < numbers[1]:
        raise ValueError(
            f"part={part!r} is none: give (which, of how many), 0 <= which < how many."
        )
    return numbers


def check_autoreset_mode(mode: AutoresetMode) -> None:
    """Raise a sentence if the mode is not SAME_STEP."""
    if mode != AutoresetMode.SAME_STEP:
        raise ValueError(
            f"autoreset_mode={mode!r}: the native vector environment knows SAME_STEP only, as the "
            'others waste steps on one-step episodes; vectorization_mode="sync" offers them.'
        )
