"""Streams side by side show and pay what as many environments do."""

import gymnasium as gym
import numpy as np
import pytest

import credit_envs  # noqa: F401
from credit_envs.streams import side_by_side

SEEDS, BATCH = (3, 0, 7), 500  # a pass of the digits ends in the third batch

OPTIONS = [
    {},
    {"reveal_label": True, "rewards": {"flip": 0.3, "label_noise": 0.2, "regret": True}},
    {"order": {"classes_per_stage": 3, "imbalance": 4.0}},
    {"presentations": 2, "rewards": {"noise": 1.0}},
]


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("position", [0, 700])
def test_each_stream_is_that_of_its_seed_across_the_ends_of_passes(options, device, position):
    env = gym.make_vec("DigitsReward-v0", num_envs=BATCH, device=device, **options)
    many = side_by_side(env, SEEDS, position)
    assert many.num_envs == many.observation_space.shape[0] == len(SEEDS) * BATCH
    singles = []
    for seed in SEEDS:
        single = gym.make_vec("DigitsReward-v0", num_envs=BATCH, device=device, **options)
        single.reset(seed=seed, options={"position": position})
        singles.append(single)
    images, _ = many.reset()
    shown = [single.reset()[0] for single in singles]
    for _ in range(8):
        np.testing.assert_array_equal(images, np.concatenate(shown))
        actions = many.action_space.sample() % 10
        guesses = actions if device is None else images.new_tensor(actions).long()
        images, reward, _, _, info = many.step(guesses)
        outcomes = [
            single.step(guess)
            for single, guess in zip(singles, guesses.reshape(len(SEEDS), -1), strict=True)
        ]
        shown = [outcome[0] for outcome in outcomes]
        np.testing.assert_array_equal(reward, np.concatenate([o[1] for o in outcomes]))
        assert info.keys() == outcomes[0][4].keys()
        for key, values in info.items():
            np.testing.assert_array_equal(values, np.concatenate([o[4][key] for o in outcomes]))
    assert many.position == singles[0].position > position


def test_the_environment_itself_stays_where_it_is():
    env = gym.make_vec("DigitsReward-v0", num_envs=4)
    images, _ = env.reset(seed=0)
    many = side_by_side(env, SEEDS)
    many.reset()
    many.step(np.zeros(12, int))
    assert env.position == 0
    assert env.observation_space.shape[0] == 4
    np.testing.assert_array_equal(env.reset()[0], images)


def test_new_seeds_draw_every_stream_anew():
    many = side_by_side(gym.make_vec("DigitsReward-v0", num_envs=4), (0, 0))
    same, _ = many.reset()
    np.testing.assert_array_equal(same[:4], same[4:])
    other, _ = many.reset(seed=1)
    assert not np.array_equal(other[:4], other[4:])
