"""The environments among others' tools: Python's import, Gymnasium, Stable-Baselines3."""

import subprocess
import sys
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

import credit_envs
from credit_envs.datasets import DATASETS

FORMS = [
    {},
    {"layout": "CHW"},
    {"layout": "flat"},
    {"dtype": "float32"},
    {"layout": "flat", "dtype": "float32", "split": "test"},
    {"layout": "CHW", "dtype": "float32", "reveal_label": True, "render_mode": "rgb_array"},
]


def make(**keywords):
    return gym.make("DigitsReward-v0", **keywords).unwrapped


def run(code, folder=None, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, env=environment
    )


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set_is_registered(name):
    spec = gym.spec(f"{name}Reward-v0")
    assert spec.max_episode_steps is None
    assert spec.kwargs == {"dataset": name}
    assert gym.envs.registration.EnvSpec.from_json(spec.to_json()) == spec


def test_importing_is_cheap():
    heavy = "torch", "pyarrow", "PIL", "sklearn", "huggingface_hub", "stable_baselines3"
    code = "import credit_envs, sys; credit_envs.require_agents(); print(*sys.modules)"
    imported = run(code).stdout.split()
    assert "credit_envs.datasets" in imported
    assert not set(imported) & set(heavy)


def test_an_id_can_name_the_module_to_import():
    code = "import gymnasium; print(gymnasium.make('credit_envs:MNISTReward-v0', split='x'))"
    assert "unknown split 'x'" in run(code).stderr


def test_a_foreign_agents_module_is_named(tmp_path):
    (tmp_path / "agents").mkdir()
    foreign = tmp_path / "agents" / "__init__.py"
    foreign.touch()
    code = "import credit_envs; credit_envs.require_agents()"
    failure = run(code, tmp_path, PYTHONPATH=str(tmp_path)).stderr
    assert failure.startswith("error: Python finds a foreign module `agents`")
    assert str(foreign) in failure
    assert "openai-agents" in failure
    credit_envs.require_agents()


@pytest.mark.parametrize("keywords", FORMS)
def test_gymnasium_finds_no_fault(keywords):
    check_env(make(**keywords))


def test_stable_baselines3_finds_small_images_only(dataset):
    from stable_baselines3.common.env_checker import check_env as check_env_for_sb3

    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        check_env_for_sb3(gym.make(f"{dataset}Reward-v0").unwrapped)
    assert all("minimal resolution" in str(warning.message) for warning in found)


@pytest.mark.parametrize("form", [SyncVectorEnv, AsyncVectorEnv])
def test_gymnasiums_own_vector_forms_take_it(form):
    env = form([make] * 2, autoreset_mode=AutoresetMode.SAME_STEP)
    images, _ = env.reset(seed=1)
    assert np.array_equal(images, [make().reset(seed=1)[0], make().reset(seed=2)[0]])
    following, _, terminated, truncated, info = env.step(np.array([0, 1]))
    assert np.array_equal(np.stack(list(info["final_obs"])), images)
    assert terminated.all()
    assert not truncated.any()
    assert not np.array_equal(following, images)
    env.close()


def test_gymnasium_records_its_statistics():
    env = gym.wrappers.RecordEpisodeStatistics(gym.make("DigitsReward-v0"))
    env.reset(seed=0)
    _, reward, _, _, info = env.step(0)
    assert (info["episode"]["r"], info["episode"]["l"]) == (reward, 1)
