"""Images that stay in the host's memory, against the same ones held on the device.

On a GPU a side brings what the other has there. On a CPU both read the same memory: what is left is
what the thread costs that brings them.
"""

from collections.abc import Callable
from functools import partial

import torch

from agents.settings import Settings
from agents.speed.case import Case, Sample, Side, race, side
from agents.speed.images import Scale
from agents.speed.learning import conv, dense, trials
from agents.speed.stepping import stepping

RESIDENT = "the same, all images on the device"


def _sides(make: Callable[[Scale, bool], Side], scale: Scale) -> Sample:
    return race(make(scale, False), make(scale, True), scale)


def _stepping(scale: Scale, resident: bool) -> Side:
    return stepping(scale.colour, scale.size(1024), device=scale.device, resident=resident)


def _learning(
    settings: Callable[[Scale], Settings], colour: bool, scale: Scale, resident: bool
) -> Side:
    env_id, batch = scale.colour if colour else scale.gray, scale.size(128)
    _, trial = trials(settings(scale), env_id, batch, scale.device, resident=resident)
    return side(trial, batch, torch.cuda.synchronize if scale.device == "cuda" else lambda: None)


def _case(name: str, what: str, make: Callable[[Scale, bool], Side]) -> Case:
    return Case(f"host-{name}", what, RESIDENT, "images/s", partial(_sides, make))


CASES = (
    _case("step", "images from the host: 1024 x 32x32 RGB, stepped", _stepping),
    _case("conv", "q_agrel, conv, batch 128", partial(_learning, conv, True)),
    _case(
        "dense", "q_agrel, dense, batch 128", partial(_learning, partial(dense, "backprop"), False)
    ),
)
