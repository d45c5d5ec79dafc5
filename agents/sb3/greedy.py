"""How a model of Stable-Baselines3 is measured."""

from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm


class Greedy:
    """A model as `evaluate` asks it: the likeliest class of each image, without exploration.

    SB3's `evaluate_policy` samples episodes; this sees every image of a split once.
    """

    def __init__(self, model: BaseAlgorithm) -> None:
        self.model = model

    def act(self, images: Any) -> np.ndarray:
        """Choose classes (B,) for images (B, H, W, C)."""
        return self.model.predict(images, deterministic=True)[0]
