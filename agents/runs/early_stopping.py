"""The papers' own count (protocol 7): epochs until validation has not risen for 45 of them.

As their code stops, by Keras' EarlyStopping: the wait itself is counted, so that ratios of this
count lie nearer 1 than ratios of hitting times. The last rise is `patience` epochs earlier.
"""

import math
from collections.abc import Sequence

PATIENCE = 45  # epochs
LEAST_RISE = 0.001  # of the best accuracy so far, 0..1; a smaller one does not count


def epoch_points(trials_per_epoch: int, epochs: int, batch: int) -> tuple[int, ...]:
    """Trials at the end of each epoch, in whole batches; none where no run could stop in time."""
    if epochs <= PATIENCE:
        return ()
    return tuple(batch * math.ceil(k * trials_per_epoch / batch) for k in range(1, epochs + 1))


def epochs_to_stop(accuracies: Sequence[float], patience: int = PATIENCE) -> int | None:
    """Epochs run, given validation after each; None: the run is too short to say."""
    best, last_rise = -math.inf, 0
    for epoch, accuracy in enumerate(accuracies, 1):
        if accuracy - LEAST_RISE > best:
            best, last_rise = accuracy, epoch
        elif epoch - last_rise >= patience:
            return epoch
    return None
