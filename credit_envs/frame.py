"""A trial as a picture for people and video codecs: the image, and below it what came of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from credit_envs.task import Task

SIDE = 256  # pixels; a 28-pixel image is too small for the eye and for video codecs
STRIP = 32  # pixels below the image
TEXT = 16  # pixels
SHADE = 64  # of the strip, 0..255: it is seen below black images

NAMES = {
    "FashionMNIST": (
        "T-shirt/top", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag",
        "ankle boot",
    ),
    "CIFAR10": (
        "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
    ),
}  # fmt: skip
"""What the classes are called, where a number does not tell."""


def frame(image: NDArray[np.uint8], said: str = "") -> NDArray[np.uint8]:
    """Return an image (H, W, C) as RGB, enlarged by a whole factor, with a strip that says it."""
    height, width, channels = image.shape
    scale = -(-SIDE // min(height, width))
    if scale * height % 2 or scale * width % 2:
        scale += 1  # video codecs want even sides
    large = image.repeat(scale, 0).repeat(scale, 1).repeat(3 // channels, 2)
    return np.concatenate([large, _strip(large.shape[1], said)])


def said_of(task: Task, action: int, reward: float, info: Mapping[str, Any]) -> str:
    """Say which action was chosen, and what was paid for it, or for the trial that info names.

    Never the label, whatever else info has.
    """
    paid = f"reward {reward:.3g}"
    if "trial" in info:
        paid = f"{paid} of trial {info['trial']}" if info["trial"] >= 0 else "no reward yet"
    return f"{_name(task, action)}: {paid}"


def _name(task: Task, action: int) -> str:
    guesses = task.actions - (task.rewards.abstain is not None)
    if action == guesses:
        return "abstains"
    if guesses != task.classes:  # a table of rewards, whose actions are not the classes
        return f"action {action}"
    names = task.class_names or NAMES.get(task.dataset)
    return names[action] if names else str(action)


def _strip(width: int, text: str) -> NDArray[np.uint8]:
    blank = np.full((STRIP, width, 3), SHADE, np.uint8)
    if not text:
        return blank
    from PIL import Image, ImageDraw, ImageFont  # only those who look need it

    strip = Image.fromarray(blank)
    place = (STRIP - TEXT) // 2
    ImageDraw.Draw(strip).text((place, place), text, "white", ImageFont.load_default(TEXT))
    return np.asarray(strip)
