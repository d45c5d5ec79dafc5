"""The order of images: shuffled passes without replacement, the same however it is read."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from credit_envs.stream import Stream, checked_seed, requested_position


def make_stream(size, batch=1, seed=0, position=None):
    stream = Stream(size, batch, np.asarray)
    stream.reset(np.random.default_rng(seed), anew=True, position=position)
    return stream


def read(stream, steps):
    shown = []
    for _ in range(steps):
        shown += stream.indices().tolist()
        stream.advance()
    return shown


sizes = st.integers(1, 60)
seeds = st.integers(0, 2**32)


@given(size=sizes, seed=seeds, data=st.data())
def test_a_batch_shows_what_the_single_form_shows(size, seed, data):
    batch = data.draw(st.integers(1, size))
    steps = 3 * size // batch + 1
    assert read(make_stream(size, batch, seed), steps) == read(
        make_stream(size, 1, seed), steps * batch
    )


@given(size=sizes, seed=seeds)
def test_each_pass_shows_each_image_once(size, seed):
    shown = np.array(read(make_stream(size, 1, seed), 3 * size)).reshape(3, size)
    assert (np.sort(shown) == np.arange(size)).all()


@given(size=sizes, seed=seeds, position=st.integers(0, 200), data=st.data())
def test_a_seek_shows_what_replaying_shows(size, seed, position, data):
    batch = data.draw(st.integers(1, size))
    replayed = read(make_stream(size, 1, seed), position + 2 * batch)[position:]
    assert read(make_stream(size, batch, seed, position), 2) == replayed


def test_a_far_position_is_reached_at_once():
    far = 10**30 + 8
    assert read(make_stream(10, 4, position=far), 1) == read(make_stream(10, 1, position=far), 4)


def test_passes_differ_and_so_do_seeds():
    shown = read(make_stream(100), 200)
    assert shown[:100] != shown[100:]
    assert shown[:100] != read(make_stream(100, seed=1), 100)


def test_an_order_is_placed_once_per_pass_and_a_batch_of_two_passes_by_itself():
    placed = []
    stream = Stream(10, 4, lambda order: placed.append(order) or order)
    stream.reset(np.random.default_rng(0), anew=True, position=None)
    read(stream, 25)
    # Ten passes of ten images in batches of four: every second pass ends within a batch.
    assert [len(order) for order in placed] == [10, 4, 10] * 5


def test_reset_without_a_seed_goes_on():
    stream, rng = make_stream(10), np.random.default_rng(0)
    shown = read(stream, 5)
    stream.reset(rng, anew=False, position=None)
    assert sorted(shown + read(stream, 5)) == list(range(10))


@pytest.mark.parametrize(
    ("position", "error"), [(-1, ValueError), (1.0, TypeError), (True, TypeError), ("3", TypeError)]
)
def test_a_bad_position_is_refused(position, error):
    with pytest.raises(error, match="position must be"):
        requested_position({"position": position})


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (-1, ValueError),
        (1.0, TypeError),
        (True, TypeError),
        ("3", TypeError),
        (np.int64(3), TypeError),
        ([1, 2], TypeError),
    ],
)
def test_a_bad_seed_is_refused(seed, error):
    with pytest.raises(error, match="seed must be"):
        checked_seed(seed)
