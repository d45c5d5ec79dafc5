"""Images of one's own, from wherever they are, make an environment like the suite's own."""

import copy
import pickle
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest
import torch
import toy as toys
from gymnasium.envs.registration import EnvSpec
from pictures import CLASSES, COUNT, HUB, SHAPE, pictures, write_folder, write_hub

import credit_envs
from agents import evaluate, make_agent, train
from credit_envs.datasets import describe, is_at_hand, load, open_data, verify
from credit_envs.own import Own
from credit_envs.testing import check_reward_env

IMAGE = "ImageReward-v0"
TEST = COUNT // 5
SOURCES = pytest.mark.parametrize("source", ["arrays", "folder", "hub"])


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The same images by each source; those of the folder and the Hub in an empty cache."""
    made = pictures()
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "mirror"))
    write_hub(tmp_path / "mirror" / HUB / "data" / "train-00000-of-00001.parquet", made)
    return {
        "arrays": credit_envs.from_arrays(*made, class_names=CLASSES),
        "folder": {"folder": write_folder(tmp_path / "pictures", made)},
        "hub": {"hub": HUB},
    }


@pytest.fixture
def registry(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))


def test_the_same_images_are_the_same_data_set_from_every_source(own):
    opened = [open_data(dataset) for dataset in own.values()]
    assert len({one.row.key() for one in opened}) == 1
    for split in opened[0].splits:
        for images, labels in (one.splits[split] for one in opened):
            np.testing.assert_array_equal(images, opened[0].splits[split].images)
            np.testing.assert_array_equal(labels, opened[0].splits[split].labels)
            assert (images.dtype, labels.dtype) == (np.uint8, np.int64)
            assert not images.flags.writeable


@SOURCES
def test_they_are_all_there_once(own, source):
    made, parts = pictures(), [load(own[source], name) for name in ("train+validation", "test")]
    assert [len(part.labels) for part in parts] == [COUNT - TEST, TEST]
    found = [(x.tobytes(), y) for part in parts for x, y in zip(*part, strict=True)]
    assert sorted(found) == sorted((x.tobytes(), y) for x, y in zip(*made, strict=True))
    assert len(load(own[source], "validation").labels) == (COUNT - TEST) // 10


@SOURCES
def test_the_public_check_finds_no_fault(own, source):
    check_reward_env(gym.make(IMAGE, dataset=own[source]))
    check_reward_env(gym.make(IMAGE, dataset=own[source], layout="CHW", split="validation"))


@SOURCES
def test_the_names_of_the_classes_are_kept(own, source):
    assert gym.make(IMAGE, dataset=own[source]).unwrapped.class_names == CLASSES
    assert gym.make_vec(IMAGE, 2, dataset=own[source]).class_names == CLASSES


@pytest.mark.parametrize("source", ["folder", "hub"])
def test_they_are_read_once_and_what_they_are_is_said(own, source, capsys):
    load(own[source], "train")
    said = capsys.readouterr().err
    assert "(once, then cached)" in said
    assert "72 training and 18 test images (6, 5, 3) of 3 classes: bird, cat, dog" in said
    open_data.__globals__["_opened"].cache_clear()  # as another process would
    load(own[source], "train")
    assert capsys.readouterr().err == ""
    verify(own[source])


def test_a_test_set_is_taken_as_it_is():
    made, others = pictures(), pictures(20, seed=1)
    dataset = credit_envs.from_arrays(*made, test=others)
    assert len(load(dataset, "train+validation").labels) == COUNT
    assert sorted(load(dataset, "test").labels) == sorted(others.labels)
    known = {(bytes(x), y) for one in (made, others) for x, y in zip(*one, strict=True)}
    for split in ("train+validation", "test"):
        found = [(bytes(x), y) for x, y in zip(*load(dataset, split), strict=True)]
        assert known.issuperset(found)
        digests = [toys.digest(*pair) for pair in found]
        assert digests == sorted(digests)


def test_what_is_held_out_does_not_depend_on_the_order():
    made, order = pictures(), np.random.default_rng(5).permutation(COUNT)
    shuffled = credit_envs.from_arrays(made.images[order], made.labels[order])
    assert shuffled == credit_envs.from_arrays(*made)


@pytest.mark.parametrize("shape", [(1, 2), (7, 3), (7, 3, 1), (2, 9, 3), (70, 40, 3)])
def test_any_size_gray_or_colour(shape):
    dataset = credit_envs.from_arrays(*pictures(shape=shape))
    full = shape if len(shape) == 3 else (*shape, 1)
    env = gym.make(IMAGE, dataset=dataset, render_mode="rgb_array")
    assert env.reset(seed=0)[0].shape == full
    height, width, channels = env.render().shape
    assert min(height, width) >= 256
    assert channels == 3


@pytest.mark.parametrize("device", [None, "cpu"])
def test_labels_above_255_are_not_clipped(device):
    made = pictures(900, (2, 2, 1), 300)
    dataset = credit_envs.from_arrays(*made, test=made)
    env = gym.make_vec(IMAGE, 900, dataset=dataset, split="test", reveal_label=True, device=device)
    env.reset(seed=0)
    *_, info = env.step(np.zeros(900, int) if device is None else torch.zeros(900, dtype=int))
    assert sorted(info["label"].tolist()) == sorted(made.labels.tolist())
    assert env.single_action_space.n == 300
    env.reset(seed=0)
    _, rewards, *_ = env.step(info["label"])
    assert (rewards == 1).all()


def test_arrays_are_held_once_and_no_spec_copies_them():
    made = pictures(1000, (30, 30, 3))
    dataset = credit_envs.from_arrays(*made)
    assert credit_envs.from_arrays(*map(np.copy, made)) == dataset
    single, vector = gym.make(IMAGE, dataset=dataset), gym.make_vec(IMAGE, 3, dataset=dataset)
    assert np.shares_memory(single.unwrapped.task.images, vector.task.images)
    for env in (single, vector):
        assert len(pickle.dumps(env.unwrapped.spec)) < 1000
        assert copy.deepcopy(env.unwrapped.spec) == env.unwrapped.spec
        assert EnvSpec.from_json(env.unwrapped.spec.to_json()) == env.unwrapped.spec


def test_arrays_need_no_cache_file_and_no_download():
    dataset = credit_envs.from_arrays(*pictures())
    assert is_at_hand(dataset)
    assert describe(dataset).classes == 3
    with pytest.raises(FileNotFoundError, match="is in memory, and has no cache file"):
        verify(dataset)


def test_whoever_gave_the_arrays_may_change_them():
    made = pictures(seed=9)
    dataset = credit_envs.from_arrays(*made)
    before = load(dataset, "train").images.copy()
    made.images[:] = 0
    assert np.array_equal(load(dataset, "train").images, before)


def test_another_process_does_not_have_the_arrays_and_says_so():
    dataset = credit_envs.from_arrays(*pictures())
    code = f"import gymnasium, credit_envs; gymnasium.make({IMAGE!r}, dataset={dataset})"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "are not in this process's memory: call from_arrays here" in other.stderr


@SOURCES
@pytest.mark.parametrize("mode", ["sync", "async"])
def test_gymnasiums_own_vector_forms_take_them(own, source, mode):
    env = gym.make_vec(IMAGE, 2, vectorization_mode=mode, dataset=own[source])
    images, _ = env.reset(seed=1)
    single = gym.make(IMAGE, dataset=own[source])
    for seed, image in ((1, images[0]), (2, images[1])):
        assert np.array_equal(single.reset(seed=seed)[0], image)
    env.close()


@SOURCES
def test_a_spec_makes_the_same_environment_again(own, source):
    env = gym.make(IMAGE, dataset=Own(**own[source]))
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert np.array_equal(env.reset(seed=3)[0], again.reset(seed=3)[0])


@SOURCES
def test_an_id_of_ones_own_is_known_to_all_of_the_suite(own, source, registry):
    credit_envs.register("MineReward-v0", own[source])
    spec = gym.spec("MineReward-v0")
    assert EnvSpec.from_json(spec.to_json()) == spec
    check_reward_env("MineReward-v0")
    env = gym.make_vec("MineReward-v0", num_envs=8)
    agent = make_agent("supervised_mse", gym.make_vec("MineReward-v0", 8, reveal_label=True))
    train(make_agent("q_agrel", env), env, 100, progress_bar=False)
    accuracies = [evaluate(agent, one) for one in ("MineReward-v0", env, gym.make(env.spec.id))]
    assert accuracies[0] == accuracies[1] == accuracies[2]


def test_a_module_that_registers_an_id_is_imported_from_the_current_folder(tmp_path):
    """In another process, as a sweep's workers are."""
    (tmp_path / "my_pictures.py").write_text(
        "import credit_envs\ncredit_envs.register('TheseReward-v0', {'folder': 'somewhere'})\n"
    )
    code = (
        "import sys; from credit_envs.registration import find_spec; path = sys.path.copy()\n"
        "print(find_spec('my_pictures:TheseReward-v0').kwargs['dataset'], path == sys.path)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout == f"{{'folder': '{tmp_path}/somewhere'}} True\n", done.stderr


def test_no_environment_shows_more_than_the_image(own):
    env = gym.make(IMAGE, dataset=own["folder"])
    assert env.reset(seed=0)[1] == {}
    assert env.step(0)[-1] == {}
    assert env.observation_space.shape == SHAPE
