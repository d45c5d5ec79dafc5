"""A check of what Gymnasium cannot: that a reward environment is complete, honest and whole."""

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from credit_envs.datasets import DATASETS, load
from credit_envs.expectations import Payments, check_pass

SEED = 0
BATCH = 7  # small and odd, so that batches straddle passes
TRIALS = 50  # enough to see every kind of image; whole passes are counted apart
DEVICES = (None, "cpu")


def check_reward_env(env_or_id: str | gym.Env[Any, Any]) -> None:
    """Raise AssertionError, with a sentence, if a reward environment breaks its contract.

    `env_or_id` is a registered id or an environment that `gym.make` made. The checks run on new
    environments with its keywords, in single, NumPy and tensor form, and over two whole passes.
    """
    maker = _Maker(env_or_id)
    _check_pixels(maker)
    _check_gymnasium(maker)
    _check_trial(maker)
    _check_rewards(maker)
    _check_passes(maker)
    for device in DEVICES:
        _check_vector(maker, device)
        _check_vector_is_fresh(maker, device)
        _check_vector_refusals(maker, device)


class _Maker:
    """Makes an environment anew in each form, and knows the data set behind it."""

    def __init__(self, env_or_id: str | gym.Env[Any, Any]) -> None:
        spec = gym.spec(env_or_id) if isinstance(env_or_id, str) else env_or_id.spec
        if spec is None:
            raise ValueError("The environment has no spec: make it with gym.make.")
        self._spec, self._layout = spec, spec.kwargs.get("layout", "HWC")
        name, split = spec.kwargs["dataset"], spec.kwargs.get("split", "train")
        self._shape, self.data = DATASETS[name].shape, load(name, split)
        self.presentations = spec.kwargs.get("presentations", 1)
        env: Any = self.single()
        self.payments, self.order = Payments(env), env.order
        self.pass_length = env.task.pass_length

    def single(self, reveal_label: bool = False) -> gym.Env[Any, Any]:
        return gym.make(self._spec, disable_env_checker=True, reveal_label=reveal_label).unwrapped

    def vector(self, device: str | None, reveal_label: bool = False) -> VectorEnv[Any, Any, Any]:
        return gym.make_vec(self._spec, BATCH, reveal_label=reveal_label, device=device)

    def keys(self, observations: Any, count: int) -> list[int]:
        """Return a key per image, from its pixels as the data set has them."""
        images = np.asarray(observations).reshape(count, -1)
        if images.dtype == np.float32:
            images = np.rint(images * 255).astype(np.uint8)
        if self._layout == "CHW":
            images = images.reshape(count, self._shape[2], -1).swapaxes(1, 2)
        return [hash(image.tobytes()) for image in images]


def _check_pixels(maker: _Maker) -> None:
    space = maker.single().observation_space
    shape, box = space.shape or (), gym.spaces.Box
    spaces = [box(0, 255, shape, np.uint8), box(0, 1, shape, np.float32)]
    assert space in spaces, f"The pixels must be uint8 in 0..255 or float32 in 0..1, not {space}."
    high = 255 if space.dtype == np.uint8 else 1
    seen = np.array([image for image, _ in _trials(maker.single(), TRIALS)])
    assert seen.min() >= 0, "A pixel is below 0: were bytes read as signed?"
    assert high / 2 < seen.max() <= high, f"No pixel is above half of {high}: is 255 still white?"


def _check_gymnasium(maker: _Maker) -> None:
    try:
        with warnings.catch_warnings(action="error"):
            check_env(maker.single())
    except Exception as error:
        raise AssertionError(f"Gymnasium's check_env refuses it: {error}") from error


def _check_trial(maker: _Maker) -> None:
    env = maker.single()
    _check_refusal(env, 0, ResetNeeded, "A step before the first reset must be refused.")
    image, info = env.reset(seed=SEED)
    assert info == {}, f"Reset's info must be empty, as labels leak there: {info}."
    for action in (1.5, None, "1", True):
        _check_refusal(env, action, TypeError, f"Action {action!r} must be refused.")
    for action in (-1, maker.payments.actions):
        _check_refusal(env, action, ValueError, f"Action {action} must be refused.")
    assert np.array_equal(env.reset()[0], image), "Without a guess, reset must show the same image."
    terminal, reward, terminated, _, info = env.step(np.int64(0))
    assert np.array_equal(terminal, image), "The terminal observation must be the image classified."
    assert type(reward) is float, f"The reward must be a float, not {type(reward).__name__}."
    assert terminated is True, "Every step must terminate, with Python's True."
    assert info == {}, f"Step's info must be empty unless labels are revealed: {info}."
    _check_refusal(env, 0, ResetNeeded, "A second guess on the same image must be refused.")


def _check_rewards(maker: _Maker) -> None:
    """Guess with the labels of a revealing twin, right and wrong in turn."""
    env = maker.single()
    env.reset(seed=SEED)
    for trial, (twins, info) in enumerate(_trials(maker.single(reveal_label=True), TRIALS)):
        image, _ = env.reset()
        assert np.array_equal(image, twins), "What is shown must not depend on the guesses."
        assert set(info) == {"label"}, f"With reveal_label, info must be the label alone: {info}."
        action = maker.payments.guess(info["label"], right=trial % 2 == 0)
        maker.payments.check(info["label"], action, float(env.step(action)[1]))


def _check_vector(maker: _Maker, device: str | None) -> None:
    """Guess with the labels of the single form, the first guess wrong."""
    env, twin = maker.vector(device), maker.vector(device, reveal_label=True)
    mode = env.metadata.get("autoreset_mode")
    assert mode is AutoresetMode.SAME_STEP, f"The vector form's autoreset mode is {mode}."
    images, info = env.reset(seed=SEED)
    assert info == {}, f"Reset's info must be empty in the vector form: {info}."
    assert np.asarray(images) in env.observation_space, "A batch is not in its observation space."
    shown = _trials(maker.single(reveal_label=True), BATCH * maker.presentations)
    labels = [info["label"] for _, info in shown][:: maker.presentations]
    guesses = [maker.payments.guess(label, right=row > 0) for row, label in enumerate(labels)]
    _, rewards, terminated, truncated, info = env.step(_guesses(device, guesses))
    assert info == {}, f"Step's info must be empty in the vector form: {info}."
    for label, action, reward in zip(labels, guesses, np.asarray(rewards).tolist(), strict=True):
        maker.payments.check(label, action, reward)
    assert np.asarray(terminated).all(), "Every trial must terminate."
    assert not np.asarray(truncated).any(), "No trial may truncate."
    twin.reset(seed=SEED)
    info = twin.step(_guesses(device))[-1]
    assert info["label"].tolist() == labels, "A batch must reveal the single form's labels."


def _check_vector_is_fresh(maker: _Maker, device: str | None) -> None:
    env = maker.vector(device)
    first = [env.reset(seed=SEED)[0], *env.step(_guesses(device))[:4]]
    later = env.step(_guesses(device))[:4]
    for held, new in product(first, later):
        shared = np.shares_memory(np.asarray(held), np.asarray(new))
        assert not shared, "The vector form must return new arrays at each step."


def _check_vector_refusals(maker: _Maker, device: str | None) -> None:
    env = maker.vector(device)
    images = env.reset(seed=SEED)[0]
    rest, sentence = [0] * (BATCH - 1), "A batch must refuse the actions"
    for actions in ([0.0, *rest], [True] * BATCH):
        _check_refusal(env, _guesses(device, actions), TypeError, f"{sentence} {actions}.")
    for actions in (rest, [-1, *rest], [maker.payments.actions, *rest]):
        _check_refusal(env, _guesses(device, actions), ValueError, f"{sentence} {actions}.")
    assert np.array_equal(env.reset()[0], images), "A refused batch must stay open."


def _check_passes(maker: _Maker) -> None:
    """Over two passes, each form shows the same images in each pass, and all in the same order."""
    size, times = maker.pass_length, maker.presentations  # the first of each is looked at
    shown = _trials(maker.single(), 2 * size * times)
    single = [maker.keys(image, 1)[0] for image, _ in shown][::times]
    passes = Counter(single[:size]), Counter(single[size:])
    for seen in passes:
        check_pass(maker.order, maker.data.images, seen)
    assert passes[0] == passes[1], "Every pass must show the same images."
    assert single[:size] != single[size:], "The second pass must be shuffled anew."
    for device in DEVICES:
        env, vector = maker.vector(device), []
        images, _ = env.reset(seed=SEED)
        while len(vector) < 2 * size:
            vector += maker.keys(images, BATCH)
            images = [env.step(_guesses(device))[0] for _ in range(times)][-1]
        assert vector[: 2 * size] == single, "The vector form must show the single one's order."


def _trials(env: gym.Env[Any, Any], count: int) -> Iterator[tuple[NDArray[Any], dict[str, Any]]]:
    """Yield each image with the info of a guess at it."""
    env.reset(seed=SEED)
    for _ in range(count):
        image, _ = env.reset()
        yield image, env.step(0)[-1]


def _guesses(device: str | None, actions: Sequence[float] = (0,) * BATCH) -> Any:
    return np.array(actions) if device is None else torch.tensor(actions, device=device)


def _check_refusal(env: Any, action: Any, error: type[Exception], sentence: str) -> None:
    try:
        env.step(action)
    except error:
        return
    except Exception as other:
        raise AssertionError(f"{sentence} Not by {other!r}.") from other
    raise AssertionError(sentence)
