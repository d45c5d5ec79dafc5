"""The papers' count of epochs, against curves whose early stop is known by construction."""

import pytest

from agents.runs.early_stopping import PATIENCE, epoch_points, epochs_to_stop


def climbing(steps: int, every: int, epochs: int, rise: float = 0.01):
    """Validation that rises once in `every` epochs, the last time in epoch steps * every."""
    return [0.1 + rise * min(epoch // every, steps) for epoch in range(1, epochs + 1)]


@pytest.mark.parametrize(("steps", "every"), [(1, 1), (18, 1), (4, 5), (3, 20), (2, 45)])
def test_a_run_stops_45_epochs_after_its_last_rise(steps, every):
    stop = steps * every + 45
    assert epochs_to_stop(climbing(steps, every, 200)) == stop
    assert epochs_to_stop(climbing(steps, every, stop)) == stop
    assert epochs_to_stop(climbing(steps, every, stop - 1)) is None  # too short to say


def test_a_pause_as_long_as_the_patience_stops_for_good():
    assert epochs_to_stop(climbing(5, every=46, epochs=300)) == 46 + 45
    assert epochs_to_stop(climbing(5, every=47, epochs=300)) == 1 + 45
    assert epochs_to_stop([0.1] * 45) is None
    assert epochs_to_stop([]) is None


def test_rises_below_a_thousandth_count_only_together():
    # .0004 an epoch: every third epoch the best is beaten by more than .001.
    creeping = [0.5 + 0.0004 * epoch for epoch in range(100)]
    assert epochs_to_stop(creeping) is None
    assert epochs_to_stop([0.5] + [0.5009] * 99) == 46
    assert epochs_to_stop([0.5] + [0.5011] * 99) == 47


def test_a_fall_is_no_rise_even_from_below():
    assert epochs_to_stop([0.9, 0.2, *[0.2 + 0.005 * k for k in range(100)]]) == 46


@pytest.mark.parametrize("batch", [1, 32, 128])
def test_epochs_end_in_whole_batches(batch):
    points = epoch_points(1294, 46, batch)
    assert len(set(points)) == 46
    assert all(p % batch == 0 and 0 <= p - k * 1294 < batch for k, p in enumerate(points, 1))


def test_no_epochs_are_read_where_no_run_could_stop():
    assert epoch_points(1294, PATIENCE, 32) == ()
