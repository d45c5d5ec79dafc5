"""Reversals: from some trial on, or again and again, every label is another one."""

import numpy as np
import pytest
from played import FORMS, guess, make, trials

LONG = 7 * 40


def steps(form, count, seed=0, **rewards):
    """Each trial's class, and its label."""
    true = trials(form, count, 3, seed, reveal_label=True)[1]["label"]
    rewards = {"matrix": "0/1", **rewards}
    paid, info = trials(form, count, 3, seed, reveal_label=True, rewards=rewards)
    assert np.array_equal(paid, info["label"] == 3)  # the label that is revealed is paid
    return true, info["label"]


def mapping(true, labels):
    """The label of each class, if it has but one."""
    pairs = set(zip(true.tolist(), labels.tolist(), strict=True))
    assert len(pairs) == len(set(true.tolist())) == len(set(labels.tolist())) == 10
    return np.array([label for _, label in sorted(pairs)])


@FORMS
@pytest.mark.parametrize("start", [0, 100, 103])
def test_labels_are_others_from_a_trial_on(form, start):
    true, labels = steps(form, LONG, reverse_at=start)
    assert np.array_equal(labels[:start], true[:start])
    assert (labels[start:] != true[start:]).all()
    mapping(true[start:], labels[start:])


@FORMS
def test_labels_move_along_one_cycle_again_and_again(form):
    every = 150  # no multiple of the batch
    true, labels = steps(form, 7 * 250, reverse_every=every)
    blocks = [slice(start, start + every) for start in range(0, 1650, every)]
    maps = [mapping(true[block], labels[block]) for block in blocks]
    assert np.array_equal(maps[0], np.arange(10))
    for number, one in enumerate(maps[:-1]):
        assert np.array_equal(maps[1][one], maps[number + 1])
        assert (maps[number + 1] != one).all()
    assert np.array_equal(maps[10], maps[0])  # the cycle goes through all classes


def test_the_seed_draws_the_cycle_and_the_forms_share_it():
    others = [steps(form, LONG, seed=4, reverse_every=30)[1] for form in ("single", "tensor")]
    mine = steps("numpy", LONG, seed=4, reverse_every=30)[1]
    assert all(np.array_equal(other, mine) for other in others)
    true, labels = steps("numpy", LONG, seed=5, reverse_at=0)
    assert not np.array_equal(
        mapping(true, labels), mapping(*steps("numpy", LONG, seed=6, reverse_at=0))
    )


@FORMS
@pytest.mark.parametrize("option", [{"reverse_at": 10**20}, {"reverse_every": 10**20}])
def test_far_reversals_and_far_positions_are_reached_at_once(form, option):
    for position in (0, 10**20 - 3, 10**30):
        env = make(form, rewards=option)
        env.reset(seed=0, options={"position": position})
        env.step(guess(env, form, 0))


@pytest.mark.parametrize(
    ("rewards", "sentence"),
    [
        ({"reverse_at": 3, "reverse_every": 3}, "contradict each other: choose one"),
        ({"reverse_at": -1}, "reverse_at=-1 must be an int, 0 or more"),
        ({"reverse_every": 0}, "reverse_every=0 must be an int, 1 or more"),
        ({"reverse_every": 1.5}, "reverse_every=1.5 must be an int"),
    ],
)
@FORMS
def test_a_bad_option_is_refused_in_a_sentence(form, rewards, sentence):
    with pytest.raises(ValueError, match=sentence):
        make(form, rewards=rewards)
