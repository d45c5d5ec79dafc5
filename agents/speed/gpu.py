"""Epochs on a GPU at three precisions, and how throughput grows with batch and width.

An epoch and growth are those of trials that are replayed as a graph (`agents.captured`). The ratio
is that of plain trials, as the yardstick's steps are plain, and of replayed ones beside it.

Model FLOP utilisation is the trial's products (a multiply-add is two operations) over what the
GPU's maker says that it can do at that precision.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import torch

from agents.precision import PRECISIONS, precision
from agents.products import Products
from agents.settings import AGENTS, Settings
from agents.speed.case import Case, Missing, Reading, Sample, race, side
from agents.speed.images import DRY, Scale
from agents.speed.learning import CELL, YARDSTICK, dense, hidden, trials, yardstick
from credit_envs.registration import row_of

# TFLOP/s at these precisions, dense, SXM.
PEAKS = {"H100": (66.9, 494.7, 989.4), "H200": (66.9, 494.7, 989.4), "A100": (19.5, 156.0, 312.0)}
BATCHES = (32, 128, 512, 2048, 8192)
WIDTHS = (128, 256, 512, 1024, 2048, 4096)


def deep(scale: Scale) -> Settings:
    """The largest net of the paper, initialised as there."""
    return replace(AGENTS["brainprop"], network="deep", lr=0.01)


def wide(width: int, scale: Scale) -> Settings:
    """Three equal hidden layers."""
    return replace(CELL, sizes=hidden(width, width, width, scale=scale))


def compared(
    settings: Settings, env_id: str, batch: int, scale: Scale, replay: bool = True
) -> Sample:
    """The agent's trials against the yardstick's steps, on the scale's device."""
    task = settings, env_id, batch, scale.device
    wait = torch.cuda.synchronize if scale.device == "cuda" else lambda: None
    ours, step = trials(*task, replay)[1], yardstick(*task)[1]

    def theirs() -> None:
        with precision(settings.precision, torch.device(scale.device)):
            step()

    return race(side(ours, batch, wait), side(theirs, batch, wait), scale)


Task = tuple[Settings, str, int, Scale]  # what `compared` takes
Figure = Callable[[Task], Callable[[Reading], float]]


def epoch(task: Task) -> Callable[[Reading], float]:
    """Seconds for all training images, validation's among them."""
    images = row_of(task[1]).train
    return lambda reading: images / reading.ours


def ratio(task: Task) -> Callable[[Reading], float]:
    """Of the two sides."""
    return lambda reading: reading.figure


def utilisation(task: Task) -> Callable[[Reading], float]:
    """Part of the GPU's peak, in percent."""
    settings, env_id, batch, scale = task
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
    peaks = [
        peak[PRECISIONS.index(settings.precision)] for known, peak in PEAKS.items() if known in gpu
    ]
    _, trial = trials(settings, env_id, batch, scale.device)
    with Products() as made:
        trial()
    if not peaks:
        raise Missing(f"the peak of {gpu or 'no GPU'} is not in the table of agents/speed/gpu.py")
    return lambda reading: 100 * reading.ours * made.total / batch / (peaks[0] * 1e12)


def _on_gpu(
    settings: Callable[[Scale], Settings],
    colour: bool,
    name: str,
    figure: Figure,
    replay: bool,
    scale: Scale,
) -> Sample:
    if scale.device != "cuda" and scale.largest > DRY.largest:
        raise Missing("it needs a GPU")
    env_id = scale.colour if colour else scale.gray
    task = replace(settings(scale), precision=name), env_id, scale.size(128), scale
    both, told = compared(*task, replay), figure(task)

    def sample() -> Reading:
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
            partial(prepare, epoch, True), most=target, figure="s",
        )  # fmt: skip
        for replay, least in ((False, part), (True, None)):
            form = "-replayed" * replay
            yield Case(
                f"gpu-{net}-{name}-ratio{form}", what + form.replace("-", ", "), YARDSTICK,
                "images/s", partial(prepare, ratio, replay), least,
            )  # fmt: skip
        yield Case(
            f"gpu-{net}-{name}-mfu", f"{what}: FLOP utilisation", YARDSTICK, "images/s",
            partial(prepare, utilisation, True), figure="%",
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
