"""Options of the reward: what each pays, how often, and alike in every form."""

import numpy as np
import pytest
import torch
from played import BATCH, FORMS, make, play, trials

from credit_envs.datasets import load

LONG = 7 * 400  # trials: more than two passes
TABLE = np.random.default_rng(3).normal(size=(10, 10))


def random_actions(count, among=10):
    return np.random.default_rng(1).integers(among, size=count)


@FORMS
@pytest.mark.parametrize(
    ("matrix", "wrong", "right"), [("0/1", 0, 1), ("-1/+1", -1, 1), (np.eye(10) * 3 - 1, -1, 2)]
)
def test_a_right_and_a_wrong_guess_are_paid_what_the_matrix_says(form, matrix, wrong, right):
    rewards, info = trials(form, 140, 3, reveal_label=True, rewards={"matrix": matrix})
    assert np.array_equal(rewards, np.where(info["label"] == 3, right, wrong))


@FORMS
def test_a_table_pays_by_class_and_action(form):
    actions = random_actions(280)
    rewards, info = trials(form, 280, actions, reveal_label=True, rewards={"matrix": TABLE})
    np.testing.assert_allclose(rewards, TABLE[info["label"], actions], rtol=1e-6)


@FORMS
def test_a_table_has_as_many_actions_as_columns(form):
    parity = np.eye(2)[np.arange(10) % 2]  # odd or even?
    env = make(form, rewards={"matrix": parity}, reveal_label=True)
    assert getattr(env, "single_action_space", env.action_space).n == 2
    played = play(env, form, [1] * 20, seed=0)
    assert np.array_equal(played.rewards, played.info["label"] % 2)
    with pytest.raises(ValueError, match=r"outside 0\.\.1"):
        play(env, form, [2])


@FORMS
def test_flips_mirror_so_many_rewards(form):
    actions = random_actions(LONG)
    options = {"matrix": "-1/+1", "flip": 0.2}
    rewards, info = trials(form, LONG, actions, reveal_label=True, rewards=options)
    honest = np.where(info["label"] == actions, 1, -1)
    assert set(rewards.tolist()) == {-1.0, 1.0}
    flipped = rewards != honest
    assert abs(flipped.mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / LONG)
    right = honest == 1  # right and wrong guesses alike
    assert abs(flipped[right].mean() - 0.2) < 4 * np.sqrt(0.2 * 0.8 / right.sum())


def test_every_reward_can_be_flipped_and_a_table_keeps_its_range():
    actions = random_actions(140)
    rewards, info = trials(
        "numpy", 140, actions, reveal_label=True, rewards={"matrix": TABLE, "flip": 1}
    )
    mirrored = TABLE.min() + TABLE.max() - TABLE[info["label"], actions]
    np.testing.assert_allclose(rewards, mirrored)


@FORMS
def test_noise_is_gaussian_and_of_the_spread_asked_for(form):
    rewards, info = trials(form, LONG, 3, reveal_label=True, rewards={"noise": 0.5})
    noise = (rewards - (info["label"] == 3)) / 0.5
    assert abs(noise.mean()) < 4 / np.sqrt(LONG)
    assert abs(noise.std() - 1) < 4 / np.sqrt(2 * LONG)
    assert abs((noise**4).mean() - 3) < 4 * np.sqrt(96 / LONG)
    assert abs(np.corrcoef(noise[1:], noise[:-1])[0, 1]) < 4 / np.sqrt(LONG)
    assert len(set(noise.tolist())) == LONG


@FORMS
def test_label_noise_is_fixed_per_image_and_spares_no_class(form):
    size = 1294 if form == "single" else -(-1294 // BATCH) * BATCH
    keywords = {"reveal_label": True, "rewards": {"label_noise": 0.3}}
    env, passes = make(form, **keywords), []
    images, classes = load("Digits", "train")
    honest = {image.tobytes(): label for image, label in zip(images, classes, strict=True)}
    for start in (0, 1294):
        batch = 1 if form == "single" else BATCH
        played = play(env, form, [3] * (size // batch), seed=0, options={"position": start})
        keys = [image.tobytes() for image in played.images.reshape(-1, 8, 8)]
        labels = played.info["label"].ravel()
        assert np.array_equal(played.rewards.ravel(), labels == 3)  # the wrong label is paid
        passes.append(dict(zip(keys[:1294], labels[:1294].tolist(), strict=True)))
    assert passes[0] == passes[1]
    true = np.array([honest[key] for key in passes[0]])
    steps = (np.array(list(passes[0].values())) - true) % 10
    share = (steps > 0).mean()
    assert abs(share - 0.3) < 4 * np.sqrt(0.3 * 0.7 / 1294)
    counts = np.bincount(steps, minlength=10)[1:]
    assert (abs(counts - counts.mean()) < 4 * np.sqrt(counts.mean())).all()


@FORMS
def test_a_wrong_label_is_never_the_right_one(form):
    honest = trials(form, 700, 3, reveal_label=True)[1]["label"]
    wrong = trials(form, 700, 3, reveal_label=True, rewards={"label_noise": 1})[1]["label"]
    assert (honest != wrong).all()


@FORMS
@pytest.mark.parametrize("option", [{"flip": 0.5}, {"noise": 1.0}])
def test_each_presentation_has_its_own_chance(form, option):
    env = make(form, presentations=2, rewards=option)
    played = play(env, form, [3] * 60, seed=0).rewards.reshape(30, 2, -1)
    assert not np.array_equal(played[:, 0], played[:, 1])


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64])
def test_actions_of_any_integer_type_are_paid_alike(kind):
    env, actions = make("numpy", rewards={"matrix": TABLE}), np.arange(BATCH)
    paid = []
    for dtype in (kind, np.int64):
        env.reset(seed=0)
        paid.append(env.step(actions.astype(dtype))[1])
    assert np.array_equal(*paid)


def test_a_bad_action_that_is_told_later_does_not_stop_the_device():
    env = make("tensor", rewards={"matrix": TABLE})
    env._batch._no_class._patience = 1000  # as on a GPU
    env.reset(seed=0)
    env.step(torch.full((BATCH,), 10**6))
    with pytest.raises(ValueError, match=r"trial 0 is outside 0\.\.9"):
        env.check_actions()


COMBINED = {"matrix": TABLE, "flip": 0.3, "noise": 1.0, "label_noise": 0.2}


@pytest.mark.parametrize("presentations", [1, 2])
def test_the_forms_pay_alike(presentations):
    keywords = {"presentations": presentations, "reveal_label": True, "rewards": COMBINED}
    paid, steps = {}, 200 * presentations
    for form in ("single", "numpy", "tensor"):
        env = make(form, **keywords)
        count = steps * BATCH if form == "single" else steps
        played = play(env, form, [4] * count, seed=5)
        batch = 1 if form == "single" else BATCH
        rows = played.rewards.reshape(-1, presentations, batch).swapaxes(1, 2)
        paid[form] = rows.reshape(-1, presentations)  # by trial and presentation
    assert np.array_equal(paid["single"], paid["numpy"])
    assert np.array_equal(paid["single"].astype(np.float32), paid["tensor"])
    assert presentations == 1 or (paid["single"][:, 0] != paid["single"][:, 1]).all()


@FORMS
def test_a_seed_fixes_the_rewards_and_a_resumed_run_is_paid_the_same(form):
    env, resumed = (make(form, rewards=COMBINED) for _ in range(2))
    first = play(env, form, [4] * 300, seed=5).rewards
    other = play(env, form, [4] * 300, seed=6).rewards
    assert not np.array_equal(other, first)
    assert np.array_equal(play(env, form, [4] * 300, seed=5).rewards, first)
    assert np.array_equal(play(make(form, rewards=COMBINED), form, [4] * 300, seed=6)[1], other)
    start = 250 * first.shape[1]
    again = play(resumed, form, [4] * 50, seed=5, options={"position": start}).rewards
    assert np.array_equal(again, first[250:])


@FORMS
def test_options_do_not_change_what_is_shown_nor_each_other(form):
    plain = play(make(form), form, [0] * 50, seed=2)
    noisy = play(make(form, rewards={"noise": 1.0}), form, [0] * 50, seed=2)
    both = play(make(form, rewards={"noise": 1.0, "flip": 0.0}), form, [0] * 50, seed=2)
    assert np.array_equal(plain.images, noisy.images)
    assert np.array_equal(both.rewards, noisy.rewards)
