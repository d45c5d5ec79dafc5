"""A run's curves for TensorBoard, which the extra `tensorboard` brings."""

import shutil
from pathlib import Path
from typing import Any

from agents.runs.rows import Row

FOLDER = "tensorboard"


class Board:
    """Writes a run's rows to event files in its folder, anew whenever the run is taken up."""

    def __init__(self, folder: Path, wanted: bool = True):
        self._writer: Any = None
        if wanted:
            shutil.rmtree(folder / FOLDER, ignore_errors=True)
            self._writer = writer_class()(str(folder / FOLDER))

    def __enter__(self) -> "Board":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer:
            self._writer.close()

    def add(self, row: Row) -> None:
        """Show an evaluation point."""
        if self._writer:
            self._writer.add_scalar("accuracy/validation", row.validation_accuracy, row.trials)
            self._writer.add_scalar("accuracy/running", row.running_accuracy, row.trials)
            if row.change_angle is not None:
                self._writer.add_scalar("angle to backprop", row.change_angle, row.trials)


def writer_class() -> Any:
    """PyTorch's writer of event files. Raises ValueError if TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as fault:
        raise ValueError(
            f"TensorBoard is not there ({fault}): pip install 'credit-envs[tensorboard]'"
        ) from fault
    return SummaryWriter
