"""What the world and an agent hand each other: arrays, tensors or numbers, checked coming in."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from agents import whole
from agents.networks import Shape
from credit_envs.tensors import not_finite

SLACK = 1e-6  # by which interpolated pixels may leave their range


def batch_of(images: Any, shape: Shape, device: torch.device) -> Tensor:
    """One image (H, W, C) or a batch as a tensor (B, H, W, C), uint8 or float32, on the device.

    NumPy images are copied, for their owner may reuse them before the trial is settled; tensors
    are taken as they are. Raises TypeError or ValueError for anything else.
    """
    if not isinstance(images, Tensor):
        images = np.array(images)
        if images.dtype.kind not in "uif":
            raise TypeError(f"images are arrays of pixels, got {images.dtype}")
        images = torch.from_numpy(images)
    batch = images[None] if images.shape == shape else images
    if batch.dim() != 4 or batch.shape[1:] != shape or not len(batch):
        raise ValueError(
            f"this agent sees images of shape (B, {', '.join(map(str, shape))}), "
            f"got {tuple(images.shape)}"
        )
    if batch.dtype != torch.uint8 and not batch.is_floating_point():
        raise TypeError(f"images are uint8 (0..255) or float (0..1), got {batch.dtype}")
    dtype = torch.uint8 if batch.dtype == torch.uint8 else torch.float32
    return batch.to(device, dtype, non_blocking=True)


def pixels_of(images: Any, shape: Shape, device: torch.device) -> Tensor:
    """`batch_of`, whose floats are in 0..1. Raises ValueError; a GPU's would make the host wait."""
    batch = batch_of(images, shape, device)
    if batch.is_floating_point() and batch.is_cpu:
        low, high = batch.aminmax()
        below, above = whole.largest(torch.stack([-low, high])).tolist()  # alike in all processes
        if below > SLACK or above > 1 + SLACK:  # NaN passes: what it leads to is told
            raise ValueError(
                f"float images lie in 0..1, got {-below:g}..{above:g}: divide bytes by 255, and "
                "leave what the pixels are standardised by to Settings(pixels=(mean, deviation))"
            )
    return batch


def answers_of(answer: Any, trials: int, what: str, device: torch.device) -> Tensor:
    """Rewards as float32 or labels as int64, (B,), on the device; a number for a single trial.

    Raises TypeError for what is no number (or no integer, for labels), ValueError for a wrong
    shape. Values are not looked at: on a GPU that would make the host wait.
    """
    if not isinstance(answer, Tensor):
        array = np.array(answer)
        if array.dtype.kind not in "buif":
            raise TypeError(f"a {what} is a number, got {answer!r}")
        answer = torch.from_numpy(array)
    if what == "label" and (answer.is_floating_point() or answer.dtype == torch.bool):
        raise TypeError(f"labels are integers, got {answer.dtype}")
    if answer.shape != (trials,) and not (answer.dim() == 0 and trials == 1):
        raise ValueError(
            f"act() saw {trials} images, learn() got answers of shape {tuple(answer.shape)}"
        )
    dtype = torch.int64 if what == "label" else torch.float32
    return answer.to(device, dtype, non_blocking=True).reshape(trials)


def unusable(answers: Tensor, what: str, classes: int) -> Tensor:
    """Which rewards are not finite, or which labels are no class, (B,)."""
    if what == "label":
        return (answers < 0) | (answers >= classes)
    return not_finite(answers)


def no_answer(what: str, classes: int) -> Callable[[int], ValueError]:
    """Makes the error of a trial whose answer is unusable."""
    wanted = f"one of the classes 0..{classes - 1}" if what == "label" else "a finite number"
    return partial(_no_answer, what, wanted)


def _no_answer(what: str, wanted: str, trial: int) -> ValueError:
    return ValueError(f"the {what} of trial {trial} is not {wanted}")


def like(images: Any, action: Tensor) -> Any:
    """Actions (B,) as the images came: a tensor where they are, an array, an int for one image."""
    if np.ndim(images) == 3:
        return int(action)
    return action.to(images.device) if isinstance(images, Tensor) else action.cpu().numpy()
