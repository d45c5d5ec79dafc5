"""Images from an environment, what a saved agent chose for each, and the reward it got."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from agents.making import load_agent
from agents.report.gather import Entry
from agents.report.tables import Table
from agents.runs.folder import CHECKPOINT
from credit_envs.datasets import is_at_hand
from credit_envs.registration import find_spec

SHOWN = 12


@dataclass(frozen=True)
class Trial:
    """One image, the agent's choice and the world's answer."""

    source: str  # data: URL
    label: int
    action: int
    reward: float

    @property
    def alt(self) -> str:
        """The picture in words."""
        return f"Image of class {self.label}: the agent chose {self.action}, reward {self.reward:g}"


@dataclass(frozen=True)
class Gallery:
    """The figure."""

    caption: str
    trials: tuple[Trial, ...]
    table: Table


def gallery(env_id: str, entries: Sequence[Entry]) -> Gallery | str:
    """The first validation trials of the best agent that was saved, or why there are none."""
    saved = [entry for entry in entries if _checkpoints(entry)]
    if not saved:
        return "No example images: no finished run here has a saved agent."
    best = max(saved, key=_final)
    dataset = find_spec(env_id).kwargs["dataset"]
    if not is_at_hand(dataset):
        return f"No example images: {dataset} is not on this machine, and a report downloads none."
    record = _checkpoints(best)[0]
    try:
        trials = _trials(env_id, str(record.folder / CHECKPOINT))
    except (ValueError, OSError) as fault:
        return f"No example images: {fault}."
    right = sum(trial.reward > 0 for trial in trials)
    caption = (
        f"The first {SHOWN} validation images as {best.name} saw them at the end of the run with "
        f"seed {record.config['seed']}, without exploration: {right} of {SHOWN} rewarded."
    )
    rows = tuple(
        (str(i + 1), str(trial.label), str(trial.action), f"{trial.reward:g}")
        for i, trial in enumerate(trials)
    )
    table = Table(("image", "class", "action", "reward"), rows, "Example images", 0)
    return Gallery(caption, tuple(trials), table)


def _checkpoints(entry: Entry) -> list:
    return [
        record
        for record in entry.finished
        if record.status == "done" and (record.folder / CHECKPOINT).exists()
    ]


def _final(entry: Entry) -> tuple[bool, float]:
    """Those that learn from reward first, then by accuracy."""
    finals = [record.rows[-1].validation_accuracy for record in _checkpoints(entry)]
    return entry.learns_from == "reward", float(np.mean(finals))


def _trials(env_id: str, checkpoint: str) -> list[Trial]:
    agent = load_agent(checkpoint, device="cpu")
    env = gym.make(find_spec(env_id), split="validation", reveal_label=True)
    trials = []
    image, _ = env.reset(seed=0)
    for _ in range(SHOWN):
        action = agent.predict(image)
        _, reward, _, _, info = env.step(action)
        trials.append(Trial(_png(image), info["label"], action, float(reward)))
        image, _ = env.reset()
    return trials


def _png(image: NDArray[np.uint8]) -> str:
    """An image (H, W, C) as a data: URL."""
    file = io.BytesIO()
    Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image).save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
