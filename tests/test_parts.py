"""Processes that share a batch: their parts do not overlap, and together they are the whole."""

import json

import gymnasium as gym
import numpy as np
import pytest
from vectors import DEVICES, guesses, make

from credit_envs.streams import side_by_side

WORLD = 3
OPTIONS = {
    "plain": {},
    "payments": {"rewards": {"flip": 0.3, "noise": 0.5, "label_noise": 0.2, "regret": True}},
    "reversed": {"rewards": {"reverse_at": 200}},
    "reversing": {"rewards": {"reverse_every": 7}},
    "late": {"rewards": {"delay": 2, "noise": 0.1}},
    "staged": {"order": {"classes_per_stage": 3}},
    "twice": {"presentations": 2, "rewards": {"noise": 0.1}},
}


def parts(num_envs=16, **keywords):
    return [make(num_envs, part=(rank, WORLD), **keywords) for rank in range(WORLD)]


def joined(results):
    """What all parts showed or told, as the whole would have."""
    return np.concatenate([np.asarray(result) for result in results])


@DEVICES
@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_parts_of_a_batch_make_up_the_whole(device, options):
    keywords = options | {"device": device, "split": "test", "reveal_label": True}
    whole, shares = make(16 * WORLD, **keywords), parts(**keywords)
    images, _ = whole.reset(seed=4)
    assert np.array_equal(joined([env.reset(seed=4)[0] for env in shares]), images)
    actions = np.random.default_rng(0).integers(10, size=(20, WORLD, 16))  # two passes and more
    for row in actions:
        images, rewards, *_, info = whole.step(guesses(whole, row.ravel(), device))
        steps = [env.step(guesses(env, own, device)) for env, own in zip(shares, row, strict=True)]
        assert np.array_equal(joined([step[0] for step in steps]), images)
        assert np.array_equal(joined([step[1] for step in steps]), rewards)
        for key, told in info.items():
            assert np.array_equal(joined([step[4][key] for step in steps]), told)
        assert {env.position for env in shares} == {whole.position}
    assert len(np.unique(rewards)) > 1


@DEVICES
def test_a_part_goes_on_at_the_position_of_the_whole(device):
    whole, part = make(48, device=device), make(16, device=device, part=(1, WORLD))
    images, _ = whole.reset(seed=1, options={"position": 96})
    again, _ = part.reset(seed=1, options={"position": 96})
    assert np.array_equal(again, images[16:32])


def test_no_image_of_a_pass_is_shown_twice():
    shares, seen = parts(40, split="test"), []
    images = [env.reset(seed=0)[0] for env in shares]
    for _ in range(3):  # a pass of 360
        seen += [image.tobytes() for batch in images for image in batch]
        images = [env.step(np.zeros(40, int))[0] for env in shares]
    every = [image.tobytes() for image in shares[0].unwrapped.task.images]
    assert sorted(seen) == sorted(every)


def test_a_bad_action_is_told_by_its_trial_in_the_whole():
    env = make(16, part=(2, WORLD))
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"trial 33 is outside 0\.\.9"):
        env.step(np.where(np.arange(16) == 1, 10, 0))


def test_gymnasium_makes_a_part_again_from_its_spec():
    env = make(16, part=(1, WORLD))
    again = gym.make_vec(type(env.spec).from_json(env.spec.to_json()))
    assert json.loads(env.spec.to_json())["kwargs"]["part"] == [1, WORLD]
    assert np.array_equal(env.reset(seed=3)[0], again.reset(seed=3)[0])


@pytest.mark.parametrize(
    ("part", "error", "sentence"),
    [
        ((2, 2), ValueError, "0 <= which < how many"),
        ((-1, 2), ValueError, "0 <= which < how many"),
        ((0, 0), ValueError, "0 <= which < how many"),
        ((0, 1, 2), TypeError, "two ints"),
        ((0, 2.0), TypeError, "two ints"),
        ((True, 2), TypeError, "two ints"),
        (2, TypeError, "two ints"),
    ],
)
def test_what_is_no_part_is_refused(part, error, sentence):
    with pytest.raises(error, match=sentence):
        make(part=part)


def test_a_batch_with_all_its_parts_fits_a_pass():
    with pytest.raises(ValueError, match=r"num_envs=121 is not in 1\.\.120, .* each of 3 parts"):
        make(121, split="test", part=(0, WORLD))


def test_a_part_without_a_seed_is_refused():
    with pytest.raises(ValueError, match=r"reset\(seed=\.\.\.\) them alike"):
        make(part=(0, 2)).reset()


def test_streams_side_by_side_have_whole_batches():
    with pytest.raises(ValueError, match=r"whole batches, not part=\(0, 2\)"):
        side_by_side(make(part=(0, 2)).unwrapped, [0, 1])
