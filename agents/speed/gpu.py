"""Epochs on a GPU at three precisions, and how throughput grows with batch and width.

    strict   float32 products
    tf32     their factors rounded to 10 bits of mantissa, on the tensor cores
    bf16     to 7, by autocast; weights and what they learn stay float32

Model FLOP utilisation is the trial's products (a multiply-add is two operations) over what the
GPU's maker says that it can do at that precision.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from agents.products import Products
from agents.settings import AGENTS, Settings
from agents.speed.case import Case, Missing, Reading, Sample, race, side
from agents.speed.images import DRY, Scale
from agents.speed.learning import CELL, YARDSTICK, dense, hidden, trials, yardstick
from credit_envs.registration import row_of

PRECISIONS = ("strict", "tf32", "bf16")
# TFLOP/s at these precisions, dense, SXM.
PEAKS = {"H100": (66.9, 494.7, 989.4), "H200": (66.9, 494.7, 989.4), "A100": (19.5, 156.0, 312.0)}
BATCHES = (32, 128, 512, 2048, 8192)
WIDTHS = (128, 256, 512, 1024, 2048, 4096)


@contextmanager
def precision(name: str, device: str) -> Iterator[None]:
    """Products inside are made at that precision."""
    products: Any = torch.backends.cuda.matmul
    convolutions: Any = torch.backends.cudnn
    before = products.allow_tf32, convolutions.allow_tf32
    products.allow_tf32 = convolutions.allow_tf32 = name != "strict"
    try:
        with torch.autocast(device, torch.bfloat16, enabled=name == "bf16"):
            yield
    finally:
        products.allow_tf32, convolutions.allow_tf32 = before


def deep(scale: Scale) -> Settings:
    """The largest net of the paper, initialised as there."""
    return replace(AGENTS["brainprop"], network="deep", lr=0.01)


def wide(width: int, scale: Scale) -> Settings:
    """Three equal hidden layers."""
    return replace(CELL, sizes=hidden(width, width, width, scale=scale))


def compared(settings: Settings, env_id: str, batch: int, scale: Scale) -> Sample:
    """The agent's trials against the yardstick's steps, on the scale's device."""
    task = settings, env_id, batch, scale.device
    wait = torch.cuda.synchronize if scale.device == "cuda" else lambda: None
    ours, theirs = (side(step, batch, wait) for step in (trials(*task)[1], yardstick(*task)[1]))
    return race(ours, theirs, scale)


Task = tuple[Settings, str, int, Scale]  # what `compared` takes
Figure = Callable[[str, Task], Callable[[Reading], float]]  # of a precision's reading


def epoch(name: str, task: Task) -> Callable[[Reading], float]:
    """Seconds for all training images, validation's among them."""
    images = row_of(task[1]).train
    return lambda reading: images / reading.ours


def ratio(name: str, task: Task) -> Callable[[Reading], float]:
    """Of the two sides."""
    return lambda reading: reading.figure


def utilisation(name: str, task: Task) -> Callable[[Reading], float]:
    """Part of the GPU's peak, in percent."""
    settings, env_id, batch, scale = task
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peaks = [peak[PRECISIONS.index(name)] for known, peak in PEAKS.items() if known in gpu]
    _, trial = trials(settings, env_id, batch, scale.device)
    with Products() as made:
        trial()
    if not peaks:
        raise Missing(f"the peak of {gpu or 'no GPU'} is not in the table of agents/speed/gpu.py")
    return lambda reading: 100 * reading.ours * made.total / batch / (peaks[0] * 1e12)


def _on_gpu(
    settings: Callable[[Scale], Settings], colour: bool, name: str, figure: Figure, scale: Scale
) -> Sample:
    if scale.device != "cuda" and scale.largest > DRY.largest:
        raise Missing("it needs a GPU")
    env_id = scale.colour if colour else scale.gray
    task = settings(scale), env_id, scale.size(128), scale
    with precision(name, scale.device):
        both, told = compared(*task), figure(name, task)

    def sample() -> Reading:
        with precision(name, scale.device):
            reading = both()
        return reading._replace(figure=told(reading))

    return sample


def _growing(settings: Callable[[Scale], Settings], batch: int, scale: Scale) -> Sample:
    return compared(settings(scale), scale.gray, scale.size(batch), scale)


def _cases(net: str, settings: Callable[[Scale], Settings], colour: bool, most: float):
    """Epoch, ratio and utilisation of a net, at each precision."""
    for name in PRECISIONS:
        what = f"q_agrel, {net}, batch 128, {name}"
        target, part = (most, 0.95) if name == "tf32" else (None, None)
        prepare = partial(_on_gpu, settings, colour, name)
        yield Case(
            f"gpu-{net}-{name}", f"{what}: epoch", YARDSTICK, "images/s",
            partial(prepare, epoch), most=target, figure="s",
        )  # fmt: skip
        yield Case(
            f"gpu-{net}-{name}-ratio", what, YARDSTICK, "images/s", partial(prepare, ratio), part
        )
        yield Case(
            f"gpu-{net}-{name}-mfu", f"{what}: FLOP utilisation", YARDSTICK, "images/s",
            partial(prepare, utilisation), figure="%",
        )  # fmt: skip


CASES = (
    *_cases("deep", deep, colour=True, most=0.5),
    *_cases("dense", partial(dense, "backprop"), colour=False, most=0.15),
)

GROWTH = (
    *(
        Case(
            f"batch-{batch}", f"q_agrel, dense, batch {batch}", YARDSTICK, "images/s",
            partial(_growing, partial(dense, "backprop"), batch),
        )
        for batch in BATCHES
    ),
    *(
        Case(
            f"width-{width}", f"q_agrel, three layers of {width}, batch 128", YARDSTICK,
            "images/s", partial(_growing, partial(wide, width), 128),
        )
        for width in WIDTHS
    ),
)  # fmt: skip
