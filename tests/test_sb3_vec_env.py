"""The VecEnv shows SB3 what the native vector environment shows, and nothing else."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecCheckNan, VecMonitor, VecNormalize
from vectors import make

import credit_envs  # noqa: F401
from agents.sb3 import RewardVecEnv

LANES = 6


def vec_env(stats_window_size=100, **keywords):
    return RewardVecEnv(make(LANES, **keywords), stats_window_size)


@pytest.mark.parametrize("layout", ["HWC", "CHW"])
def test_images_and_rewards_are_those_of_the_vector_environment(layout):
    ours, native = vec_env(layout=layout), make(LANES)
    ours.seed(3)
    images = ours.reset()
    shown, _ = native.reset(seed=3)
    rewarded = 0
    for action in range(40):
        assert images.shape == (LANES, 1, 8, 8)
        assert images.dtype == ours.observation_space.dtype == np.uint8
        np.testing.assert_array_equal(images[:, 0], shown[..., 0])
        guesses = np.full(LANES, action % 10)
        images, rewards, dones, _ = ours.step(guesses)
        shown, expected, *_ = native.step(guesses)
        assert (rewards.dtype, dones.dtype, dones.all()) == (np.float32, np.bool_, True)
        np.testing.assert_array_equal(rewards, expected)
        rewarded += rewards.sum()
    assert rewarded > 0


def test_spaces_are_those_of_one_channel_first_image_and_one_guess():
    env = RewardVecEnv(make(LANES, rewards={"abstain": 0.5}))
    assert env.observation_space == gym.spaces.Box(0, 255, (1, 8, 8), np.uint8)
    assert env.action_space == gym.spaces.Discrete(11)


def test_a_seed_and_options_count_at_the_next_reset_and_only_there():
    env = vec_env()
    env.seed(1)
    first = env.reset()
    env.seed(9)
    images, *_ = env.step(np.zeros(LANES, int))
    np.testing.assert_array_equal(images, _at(make(LANES), LANES, seed=1))
    seeded = env.reset()
    np.testing.assert_array_equal(seeded, _at(make(LANES), 0, seed=9))
    np.testing.assert_array_equal(env.reset(), seeded)  # open still, and not seeded again
    env.set_options({"position": 60})
    np.testing.assert_array_equal(env.reset(), _at(make(LANES), 60, seed=9))
    assert not np.array_equal(first, seeded)


def _at(env, position, seed=None):
    env.reset(seed=seed)
    return env.reset(options={"position": position})[0].transpose(0, 3, 1, 2)


def test_infos_are_one_empty_dict_but_for_the_lanes_that_tell_their_episode():
    env = vec_env(stats_window_size=2)
    env.reset()
    _, rewards, _, infos = env.step(np.arange(LANES))
    assert [info["episode"]["r"] for info in infos[:2]] == rewards[:2].tolist()
    assert all(info["episode"]["l"] == 1 and info["episode"]["t"] >= 0 for info in infos[:2])
    assert infos[2:] == [{}] * (LANES - 2)
    assert len({id(info) for info in infos[2:]}) == 1
    assert not any(
        "TimeLimit.truncated" in info or "terminal_observation" in info for info in infos
    )
    assert env.step(np.arange(LANES))[3][2] is not infos[2]


def test_what_the_environment_would_tell_in_info_does_not_reach_the_agent():
    env = vec_env(stats_window_size=0, rewards={"regret": True})
    env.reset()
    assert env.step(np.arange(LANES))[3] == [{}] * LANES


def test_nothing_that_was_handed_out_is_written_again():
    env = vec_env()
    kept, copies = [], []
    images = env.reset()
    for action in range(5):
        _, rewards, dones, _ = step = env.step(np.full(LANES, action))
        kept += [images, rewards, dones]
        copies += [images.copy(), rewards.copy(), dones.copy()]
        images = step[0]
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert not any(np.shares_memory(a, b) for i, a in enumerate(kept) for b in kept[:i])


def test_attributes_and_methods_are_the_one_environments_and_all_lanes():
    env = vec_env(rewards={"delay": 0}, render_mode="rgb_array")
    env.reset()
    assert env.get_attr("num_envs") == [LANES] * LANES
    assert env.get_attr("render_mode", indices=[1, 3]) == ["rgb_array"] * 2
    assert env.has_attr("position")
    assert not env.has_attr("nothing")
    env.set_attr("note", 5)
    assert env.get_attr("note", 2) == [5]
    assert env.env_method("check_actions") == [None] * LANES
    assert env.env_is_wrapped(Monitor, [0, 1]) == [False, False]
    frame = env.render()
    assert (frame.dtype, frame.shape[2]) == (np.uint8, 3)
    for call in (
        lambda: env.set_attr("note", 5, indices=0),
        lambda: env.env_method("reset", indices=[0, 1]),
    ):
        with pytest.raises(ValueError, match="the 6 lanes are one environment"):
            call()
    env.close()


def test_vec_monitor_counts_every_episode():
    env = VecMonitor(vec_env(stats_window_size=0))
    env.reset()
    _, rewards, _, infos = env.step(np.arange(LANES))
    assert [info["episode"]["r"] for info in infos] == rewards.tolist()
    assert [info["episode"]["l"] for info in infos] == [1] * LANES


@pytest.mark.parametrize("wrapper", [VecCheckNan, lambda env: VecNormalize(env, norm_obs=False)])
def test_sb3s_other_wrappers_pass_it_on(wrapper):
    env = wrapper(vec_env())
    env.seed(2)
    np.testing.assert_array_equal(env.reset(), _at(make(LANES), 0, seed=2))
    images, _, dones, _ = env.step(np.arange(LANES))
    assert (images.shape, dones.all()) == ((LANES, 1, 8, 8), True)


@pytest.fixture(scope="module")
def model():
    return PPO("MlpPolicy", vec_env(), n_steps=2, batch_size=LANES, n_epochs=1, seed=0)


def test_evaluate_policy_measures_what_the_test_split_pays(model):
    env = VecMonitor(RewardVecEnv(make(60, split="test")))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mean, _ = evaluate_policy(model, env, n_eval_episodes=360)
    native = make(60, split="test")
    images, _ = native.reset(seed=0)
    right = 0
    for _ in range(6):
        images, rewards, *_ = native.step(model.predict(images, deterministic=True)[0])
        right += rewards.sum()
    assert mean == pytest.approx(right / 360)  # a pass: each image once, in whatever order


def test_sb3s_running_mean_is_of_the_last_hundred_rewards(model):
    model.learn(24)
    assert len(model.ep_info_buffer) == 24
    assert {episode["l"] for episode in model.ep_info_buffer} == {1}


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"reveal_label": True}, "learn from rewards alone: make it without reveal_label"),
        ({"rewards": {"delay": 3}}, "come 3 trials late: make the environment without a delay"),
        ({"device": "cpu"}, "tensors on 'cpu': make it without device"),
        ({"dtype": "float32"}, "not dtype='float32' with layout='HWC': leave both out"),
        ({"layout": "flat"}, "not dtype='uint8' with layout='flat': leave both out"),
    ],
)
def test_what_sb3_cannot_learn_from_is_refused_in_a_sentence(keywords, sentence):
    with pytest.raises(ValueError, match=sentence):
        vec_env(**keywords)


@pytest.mark.parametrize(
    "make_other",
    [
        lambda: gym.make("DigitsReward-v0"),
        lambda: gym.make_vec("DigitsReward-v0", 2, vectorization_mode="sync"),
        lambda: DummyVecEnv([lambda: gym.make("DigitsReward-v0")]),
        lambda: "DigitsReward-v0",
    ],
)
def test_another_kind_of_environment_is_refused_in_a_sentence(make_other):
    with pytest.raises(TypeError, match=r"make it with gym\.make_vec\(id, num_envs=B\)"):
        RewardVecEnv(make_other())
