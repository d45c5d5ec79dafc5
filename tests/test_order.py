"""What a pass is made of: imbalanced classes, and classes that come in stages."""

import gymnasium as gym
import numpy as np
import pytest
from played import BATCH, FORMS, make, play
from vectors import make as make_vector

from credit_envs.datasets import load
from credit_envs.testing import check_reward_env

IMAGES, LABELS = load("Digits", "train")
COUNTS = np.bincount(LABELS)
CLASS = {image.tobytes(): int(label) for image, label in zip(IMAGES, LABELS, strict=True)}


def shown(form, count, order, seed=0, position=0):
    """The images, as bytes, of `count` trials."""
    env = make(form, order=order)
    steps = count if form == "single" else -(-count // BATCH)
    played = play(env, form, [0] * steps, seed=seed, options={"position": position})
    return [image.tobytes() for image in played.images.reshape(-1, 8, 8)][:count]


def classes(images):
    return np.array([CLASS[image] for image in images])


@FORMS
def test_classes_grow_geometrically_rarer(form):
    kept = np.rint(COUNTS * 100.0 ** (-np.arange(10) / 9)).astype(int)
    size = kept.sum()
    passes = shown(form, 2 * size, {"imbalance": 100})
    first, second = passes[:size], passes[size:]
    assert np.array_equal(np.bincount(classes(first)), kept)
    assert (kept[0], kept[9]) == (COUNTS[0], round(COUNTS[9] / 100))
    assert sorted(first) == sorted(second)  # the same images in each pass,
    assert first != second  # shuffled anew,
    assert len(set(first)) == size  # each once
    other = shown(form, size, {"imbalance": 100}, seed=1)
    assert sorted(other) != sorted(first)  # the seed draws them


@FORMS
def test_each_class_keeps_its_share(form):
    shares = [0, 1, 0.5, 1e-9, 0.25, 0, 0, 0, 0, 1]
    kept = np.rint(COUNTS * shares).astype(int)
    kept[3] = 1  # a share, however small, is an image
    assert make(form, order={"imbalance": shares}).unwrapped.task.pass_length == kept.sum()
    seen = shown(form, kept.sum(), {"imbalance": np.array(shares)})
    assert np.array_equal(np.bincount(classes(seen)), kept)


@FORMS
@pytest.mark.parametrize(("step", "times"), [(2, 1), (4, 3), (10, 1)])
def test_classes_come_in_stages(form, step, times):
    order = {"classes_per_stage": step, "stage_passes": times}
    size = times * len(LABELS)
    seen = shown(form, size + 100, order)
    labels = classes(seen)
    start, together = 0, []
    while start < size:
        here = set(labels[start : start + 30 * step])  # enough to meet each of the stage
        stage = sum(COUNTS[label] for label in here)
        for _ in range(times):
            part = seen[start : start + stage]
            assert len(set(part)) == stage  # each image once
            assert set(classes(part)) == here
            start += stage
        together.append(here)
    assert sorted(np.concatenate([list(here) for here in together])) == list(range(10))
    assert [len(here) for here in together[:-1]] == [step] * (len(together) - 1)
    assert set(labels[size:]) <= together[0]  # the next pass begins with the first stage
    assert seen[size:] != seen[:100]


def test_stages_are_drawn_by_the_seed():
    orders = {tuple(classes(shown("numpy", 140, {"classes_per_stage": 1}, s))) for s in range(5)}
    assert len(orders) > 1


@pytest.mark.parametrize("position", [0, 100, 1000])
def test_the_forms_show_alike_and_a_run_resumes(position):
    order = {"classes_per_stage": 3, "imbalance": 5.0, "stage_passes": 2}
    whole = shown("single", 1500, order)
    for form in ("single", "numpy", "tensor"):
        assert shown(form, 500, order, position=position) == whole[position : position + 500]


@FORMS
def test_without_options_the_order_is_what_it_was(form):
    assert shown(form, 1400, None) == shown(form, 1400, {"imbalance": 1})


def test_the_public_check_passes_it():
    for order in ({"imbalance": 10}, {"classes_per_stage": 3, "stage_passes": 2}):
        check_reward_env(gym.make("DigitsReward-v0", split="test", order=order))


@FORMS
@pytest.mark.parametrize(
    ("order", "error", "sentence"),
    [
        ("sorted", TypeError, r"order='sorted' must be a dict of options, or Order\(...\)"),
        ({"imbalanced": 2}, ValueError, "order has no option 'imbalanced', only imbalance"),
        ({"imbalance": 0.5}, ValueError, "imbalance=0.5 is no ratio of 1 or more"),
        ({"imbalance": "10"}, ValueError, "imbalance='10' is no ratio"),
        ({"imbalance": np.array(3.0)}, ValueError, r"imbalance=array\(3.\) is no ratio"),
        ({"imbalance": [1, 1]}, ValueError, "imbalance has 2 shares for 10 classes"),
        ({"imbalance": [2] * 10}, ValueError, r"has the share 2, which is not in 0\.\.1"),
        ({"imbalance": [0] * 10}, ValueError, "keeps no image of this split"),
        ({"classes_per_stage": 0}, ValueError, "classes_per_stage=0 must be an int, 1 or more"),
        ({"classes_per_stage": 11}, ValueError, "=11 is more than the 10 classes"),
        ({"stage_passes": 2}, ValueError, "stage_passes=2 needs stages: give classes_per_stage"),
        ({"stage_passes": None}, ValueError, "stage_passes=None must be an int, 1 or more"),
        ({"classes_per_stage": 1, "stage_passes": 0}, ValueError, "stage_passes=0 must be"),
    ],
)
def test_a_bad_option_is_refused_in_a_sentence(form, order, error, sentence):
    with pytest.raises(error, match=sentence):
        make(form, order=order)


def test_a_batch_larger_than_the_pass_is_refused():
    with pytest.raises(ValueError, match=r"num_envs=100 is not in 1\.\.72, the trials of a pass"):
        make_vector(100, order={"imbalance": [0.5] + [0] * 8 + [0.1]})
