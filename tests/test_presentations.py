"""Presentations of the same image in a row: what each form of the environment shows and pays."""

import gymnasium as gym
import numpy as np
import pytest
import torch

from credit_envs.testing import check_reward_env

DIGITS = "DigitsReward-v0"
FORMS = pytest.mark.parametrize("form", ["single", "numpy", "tensor"])
BATCH = 5


class Shown:
    """One environment in any of its forms: what it shows next, and where it stands."""

    def __init__(self, form, presentations, **keywords):
        keywords |= {"presentations": presentations}
        self.single = form == "single"
        if self.single:
            self.env = gym.make(DIGITS, **keywords).unwrapped
        else:
            device = None if form == "numpy" else "cpu"
            self.env = gym.make_vec(DIGITS, BATCH, device=device, **keywords)
        self.tensors = form == "tensor"

    def reset(self, **keywords):
        return np.asarray(self.env.reset(**keywords)[0])

    def step(self):
        """Guess class 0; the images shown before the guess, and the rewards."""
        images = np.asarray(self.env.reset()[0])
        guess = torch.zeros(BATCH, dtype=torch.int64) if self.tensors else np.zeros(BATCH, int)
        _, reward, *_ = self.env.step(0 if self.single else guess)
        return images, np.asarray(reward)


@FORMS
@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_image_is_shown_so_many_times_in_a_row(form, times):
    shown, once = Shown(form, times), Shown(form, 1)
    shown.reset(seed=4)
    once.reset(seed=4)
    previous = None
    for trial in range(300):  # passes of 1294 images, in batches of 5
        images, reward = once.step()
        assert previous is None or not np.array_equal(images, previous)
        previous = images
        for presentation in range(times):
            batch = 1 if shown.single else BATCH
            assert shown.env.position == trial * batch  # counts first presentations
            again, rewarded = shown.step()
            assert np.array_equal(again, images), presentation
            assert np.array_equal(rewarded, reward)  # each presentation has a reward of its own


@FORMS
def test_a_step_shows_the_same_images_again_before_the_next(form):
    shown = Shown(form, 2)
    first = shown.reset(seed=0)
    guess = 0 if shown.single else torch.zeros(BATCH, dtype=int) if shown.tensors else [0] * BATCH
    again = np.asarray(shown.env.step(guess)[0])
    assert np.array_equal(again, first)
    shown.reset()
    after = np.asarray(shown.env.step(guess)[0])
    assert np.array_equal(after, first) == shown.single  # its terminal observation


@FORMS
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("again", [{"seed": 7}, {"options": {"position": 10}}])
def test_a_restart_in_the_middle_of_a_trial_is_clean(form, steps, again):
    shown, fresh = Shown(form, 2), Shown(form, 2)
    shown.reset(seed=7)
    for _ in range(steps):
        shown.step()
    first = shown.reset(**again)
    assert np.array_equal(first, fresh.reset(**{"seed": 7} | again))
    for _ in range(6):  # no presentation of the trial that was left is owed
        assert shown.env.position == fresh.env.position
        assert np.array_equal(shown.step()[0], fresh.step()[0])


@FORMS
def test_a_reset_without_arguments_goes_on_in_the_middle_of_a_trial(form):
    shown = Shown(form, 2)
    first = shown.reset(seed=7)
    for presented in (1, 2):
        shown.step()
        assert np.array_equal(shown.reset(), first) == (presented < 2)


@FORMS
@pytest.mark.parametrize(
    ("presentations", "error"),
    [(0, ValueError), (-1, ValueError), (True, TypeError), (1.5, TypeError), ("2", TypeError)],
)
def test_bad_presentations_are_refused(form, presentations, error):
    with pytest.raises(error, match=f"presentations must be .*not {presentations!r}"):
        Shown(form, presentations)


def test_the_public_check_passes_it():
    check_reward_env(gym.make(DIGITS, split="test", presentations=2))
