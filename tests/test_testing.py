"""The public check passes our environments, and names what is wrong with broken ones."""

import gymnasium as gym
import pytest
from broken import FAULTS
from broken_rewards import REWARD_FAULTS

from credit_envs.env import RewardEnv
from credit_envs.testing import check_reward_env
from credit_envs.vector import RewardVectorEnv


@pytest.mark.parametrize(("broken", "sentence"), (FAULTS | REWARD_FAULTS).items())
def test_a_broken_environment_is_named(broken, sentence, monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))
    vector = issubclass(broken, RewardVectorEnv)
    gym.register(
        "BrokenReward-v0",
        entry_point=RewardEnv if vector else broken,
        vector_entry_point=broken if vector else RewardVectorEnv,
        kwargs={"dataset": "Digits", **getattr(broken, "asked", {})},
    )
    with pytest.raises(AssertionError, match=sentence):
        check_reward_env("BrokenReward-v0")


def test_every_data_set_passes(dataset):
    check_reward_env(f"{dataset}Reward-v0")


@pytest.mark.parametrize("layout", ["HWC", "CHW", "flat"])
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_an_environment_passes_in_every_form(layout, dtype, split):
    check_reward_env(gym.make("DigitsReward-v0", layout=layout, dtype=dtype, split=split))


@pytest.mark.parametrize(
    "rewards",
    [
        {"matrix": "-1/+1", "flip": 0.3, "noise": 0.2, "label_noise": 0.4},
        {"matrix": [[0, 1, 3]] * 5 + [[3, 1, 0]] * 5},
    ],
)
def test_an_environment_passes_with_rewards_of_its_own(rewards):
    check_reward_env(gym.make("DigitsReward-v0", split="test", rewards=rewards))


def test_a_colour_image_passes_channels_first(dataset):
    if dataset.startswith("CIFAR"):
        check_reward_env(gym.make(f"{dataset}Reward-v0", layout="CHW", split="test"))


def test_an_environment_without_a_spec_is_refused():
    with pytest.raises(ValueError, match="make it with gym.make"):
        check_reward_env(RewardEnv("Digits"))


def test_a_vector_environment_is_checked_by_its_id():
    with pytest.raises(TypeError, match="vector forms are checked, too; got RewardVectorEnv"):
        check_reward_env(gym.make_vec("DigitsReward-v0", 4))
