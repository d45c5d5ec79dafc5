"""What no environment could show is refused in one sentence."""

import gymnasium as gym
import pytest
from pictures import COUNT, pictures

import credit_envs
from agents import evaluate
from credit_envs.registration import find_spec
from credit_envs.testing import check_reward_env

IMAGES, LABELS = pictures()
FEW = pictures(9)


@pytest.mark.parametrize(
    ("images", "labels", "error", "said"),
    [
        (IMAGES / 255, LABELS, TypeError, "training images must be uint8 in 0..255, not float64"),
        (IMAGES.astype(int), LABELS, TypeError, "must be uint8 in 0..255, not int64"),
        (IMAGES > 9, LABELS, TypeError, "must be uint8 in 0..255, not bool"),
        (IMAGES.reshape(COUNT, -1), LABELS, ValueError, r"must be .N, H, W., .* not .90, 90."),
        (IMAGES.swapaxes(1, 3), LABELS, ValueError, r"\(N, H, W, 3\), not .90, 3, 5, 6."),
        (IMAGES[..., :2], LABELS, ValueError, r"not .90, 6, 5, 2."),
        (IMAGES[:, :0], LABELS, ValueError, r"not .90, 0, 5, 3."),
        (IMAGES[:0], LABELS[:0], ValueError, "0 images are too few: .* need 10 or more"),
        (*FEW, ValueError, "9 images are too few"),
        (IMAGES, LABELS[1:], ValueError, r"labels must be one per image, .90,., not .89,."),
        (IMAGES, LABELS[:, None], ValueError, r"one per image, .90,., not .90, 1."),
        (IMAGES, LABELS / 1, TypeError, "training labels must be integers, not float64"),
        (IMAGES, LABELS > 0, TypeError, "must be integers, not bool"),
        (IMAGES, LABELS.astype(str), TypeError, "must be integers, not <U"),
        (IMAGES, LABELS - 1, ValueError, r"labels are in -1..1, but those of the 2 classes"),
        (IMAGES, LABELS * 0, ValueError, "2 to 65536 classes can be told apart, not 1"),
        (IMAGES, LABELS * 70000, ValueError, "2 to 65536 classes can be told apart, not 140001"),
        (IMAGES, LABELS + 1, ValueError, "labels are 0..K-1, the least of these is 1: subtract it"),
    ],
)
def test_arrays(images, labels, error, said):
    with pytest.raises(error, match=said) as raised:
        credit_envs.from_arrays(images, labels)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("test", "error", "said"),
    [
        ((IMAGES / 255, LABELS), TypeError, "the test images must be uint8"),
        (
            (IMAGES[:, 1:], LABELS),
            ValueError,
            r"test images are .5, 5, 3., and the training images",
        ),
        ((IMAGES[:0], LABELS[:0]), ValueError, "there are no test images: leave them out"),
        (
            (IMAGES, LABELS + 1),
            ValueError,
            r"test labels are in 1..3, but those of the 3 classes to",
        ),
        (IMAGES, TypeError, "test must be a pair .images, labels."),
    ],
)
def test_test_arrays(test, error, said):
    with pytest.raises(error, match=said):
        credit_envs.from_arrays(IMAGES, LABELS, test=test)


def test_names_that_are_too_few_or_none():
    with pytest.raises(ValueError, match=r"labels are in 0..2, but those of the 2 classes named"):
        credit_envs.from_arrays(IMAGES, LABELS, class_names=("cat", "dog"))
    with pytest.raises(TypeError, match="class_names must be a list of names, not 3"):
        credit_envs.from_arrays(IMAGES, LABELS, class_names=3)


@pytest.mark.parametrize(
    ("dataset", "error", "said"),
    [
        (None, ValueError, "unknown data set None: choose one of Digits, .* or give .'folder': .."),
        ("photos", ValueError, "unknown data set 'photos'"),
        (IMAGES, ValueError, "unknown data set"),
        ({}, ValueError, "has one source, arrays, folder or hub, not none"),
        ({"folder": "x", "hub": "a/b"}, ValueError, "has one source, .* not folder and hub"),
        ({"arrays": "0", "folder": "x"}, ValueError, "not arrays and folder"),
        ({"folder": "x", "label": "y"}, ValueError, "label='y' is for hub, not folder"),
        ({"arrays": "0", "size": (3, 3)}, ValueError, "resize arrays yourself"),
        ({"folder": "x", "sise": 3}, ValueError, "dataset has no option 'sise', only arrays, "),
        ({"folder": "x", "size": 32}, ValueError, r"size=32 must be .H, W."),
        (
            {"folder": "x", "size": (32, 0)},
            ValueError,
            "a side of size=0 must be an int, 1 or more",
        ),
        ({"folder": 3}, ValueError, "folder=3 is no path"),
        ({"hub": "mnist"}, ValueError, "hub='mnist' is no id on the Hub, such as"),
        ({"hub": "a/b", "label": 3}, ValueError, "label=3 must be a string"),
        ({"arrays": "0123"}, ValueError, "the arrays 0123 are not in this process's memory"),
    ],
)
def test_options(dataset, error, said):
    for make in (gym.make, gym.make_vec):
        with pytest.raises(error, match=said):
            make("ImageReward-v0", dataset=dataset)


def test_an_id_whose_options_are_none_is_not_registered():
    with pytest.raises(ValueError, match="has one source"):
        credit_envs.register("NoneReward-v0", {"folder": "x", "hub": "a/b"})
    assert "NoneReward-v0" not in gym.registry


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ("PhotosReward-v0", 'unknown .*: choose one of DigitsReward-v0, .*own .* as "module:id"'),
        ("nowhere:PhotosReward-v0", "names a module that cannot be imported .No module named"),
        ("json:PhotosReward-v0", "unknown environment 'json:PhotosReward-v0'"),
        ("ImageReward-v0", "unknown environment 'ImageReward-v0': .* or register an id for"),
        ("CartPole-v1", "unknown environment 'CartPole-v1'"),
    ],
)
def test_ids(env, said):
    for use in (find_spec, check_reward_env, lambda env: evaluate(None, env)):
        with pytest.raises(ValueError, match=said):
            use(env)


def test_a_check_of_too_few_trials():
    dataset = credit_envs.from_arrays(*pictures(20))
    with pytest.raises(ValueError, match="A pass has 1 trials, the check needs 7"):
        check_reward_env(gym.make("ImageReward-v0", dataset=dataset, split="validation"))


def test_superclasses_of_ones_own_classes():
    dataset = credit_envs.from_arrays(IMAGES, LABELS)
    with pytest.raises(ValueError, match="needs classes in groups, .*not arrays-"):
        gym.make("ImageReward-v0", dataset=dataset, rewards={"matrix": "superclass"})
