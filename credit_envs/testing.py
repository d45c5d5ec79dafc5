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
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from credit_envs.expectations import LEAST, Maker, check_pass, flushed

SEED = 0
BATCH = LEAST  # small and odd, so that batches straddle passes
TRIALS = 50  # enough to see every kind of image; whole passes are counted apart
DEVICES = (None, "cpu")


def check_reward_env(env_or_id: str | gym.Env[Any, Any]) -> None:
    """Raise AssertionError, with a sentence, if a reward environment breaks its contract.

    `env_or_id` is a registered id or an environment that `gym.make` made. The checks run on new
    environments with its keywords, labels revealed or not, in single, NumPy and tensor form, and
    over two whole passes.
    """
    maker = Maker(env_or_id)
    _check_pixels(maker)
    _check_gymnasium(maker)
    _check_trial(maker)
    _check_rewards(maker)
    _check_passes(maker)
    for device in DEVICES:
        _check_vector(maker, device)
        _check_vector_is_fresh(maker, device)
        _check_vector_refusals(maker, device)


def _check_pixels(maker: Maker) -> None:
    space = maker.single().observation_space
    shape, box = space.shape or (), gym.spaces.Box
    spaces = [box(0, 255, shape, np.uint8), box(0, 1, shape, np.float32)]
    assert space in spaces, f"The pixels must be uint8 in 0..255 or float32 in 0..1, not {space}."
    high = 255 if space.dtype == np.uint8 else 1
    seen = np.array([image for image, _ in _trials(maker.single(), TRIALS)])
    assert seen.min() >= 0, "A pixel is below 0: were bytes read as signed?"
    bright = np.mean(maker.data.images.reshape(len(maker.data.images), -1).max(1) > 127)
    least = high / 2 if bright > 0.5 else 0  # one's own images may be dark
    assert least <= seen.max() <= high, f"No pixel is above half of {high}: is 255 still white?"


def _check_gymnasium(maker: Maker) -> None:
    try:
        with warnings.catch_warnings(action="error"):
            check_env(maker.single())
    except Exception as error:
        raise AssertionError(f"Gymnasium's check_env refuses it: {error}") from error


def _check_trial(maker: Maker) -> None:
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
    assert set(info) == maker.told, f"Step's info must be {maker.told or 'empty'}: {info}."
    _check_refusal(env, 0, ResetNeeded, "A second guess on the same image must be refused.")


def _check_rewards(maker: Maker) -> None:
    """Guess with the labels of a revealing twin, right and wrong in turn."""
    env, guesses = maker.single(), []
    paid: list[float] = []
    trials: list[int] = []
    env.reset(seed=SEED)
    for step, (twins, info) in enumerate(_trials(maker.teacher(), TRIALS)):
        image, _ = env.reset()
        assert np.array_equal(image, twins), "What is shown must not depend on the guesses."
        revealed = set(info) - maker.told
        assert revealed == {"label"}, f"With reveal_label, info must have the label: {info}."
        guesses.append((info["label"], maker.payments.guess(info["label"], step % 2 == 0)))
        _, reward, _, _, info = env.step(guesses[-1][1])
        paid.append(reward)
        trials.append(info.get("trial", step // maker.presentations))
    if maker.rewards.delay:
        paid, trials = flushed(env, paid, trials, maker.rewards.delay * maker.presentations)
    assert trials == [step // maker.presentations for step in range(TRIALS)], (
        "Each trial must be paid once, in order, and info['trial'] must name it."
    )
    for (label, action), reward in zip(guesses, paid, strict=True):
        maker.payments.check(label, action, reward)


def _check_vector(maker: Maker, device: str | None) -> None:
    """Guess with the labels of the single form, the first guess wrong."""
    env, twin = maker.vector(BATCH, device), maker.vector(BATCH, device, reveal_label=True)
    mode = env.metadata.get("autoreset_mode")
    assert mode is AutoresetMode.SAME_STEP, f"The vector form's autoreset mode is {mode}."
    images, info = env.reset(seed=SEED)
    assert info == {}, f"Reset's info must be empty in the vector form: {info}."
    assert np.asarray(images) in env.observation_space, "A batch is not in its observation space."
    shown = _trials(maker.teacher(), BATCH * maker.presentations)
    labels = [info["label"] for _, info in shown][:: maker.presentations]
    guesses = [maker.payments.guess(label, right=row > 0) for row, label in enumerate(labels)]
    _, rewards, terminated, truncated, info = env.step(_guesses(device, guesses))
    told = maker.told
    assert set(info) == told, f"Step's info must be {told or 'empty'} in the vector form: {info}."
    if maker.rewards.delay:
        rewards = env.flush()[0][0]
    for label, action, reward in zip(labels, guesses, np.asarray(rewards).tolist(), strict=True):
        maker.payments.check(label, action, reward)
    assert np.asarray(terminated).all(), "Every trial must terminate."
    assert not np.asarray(truncated).any(), "No trial may truncate."
    twin.reset(seed=SEED)
    info = twin.step(_guesses(device))[-1]
    revealed = twin.flush()[1]["label"][0] if maker.rewards.delay else info["label"]
    assert revealed.tolist() == labels, "A batch must reveal the single form's labels."


def _check_vector_is_fresh(maker: Maker, device: str | None) -> None:
    env = maker.vector(BATCH, device)
    first = [env.reset(seed=SEED)[0], *env.step(_guesses(device))[:4]]
    later = env.step(_guesses(device))[:4]
    for held, new in product(first, later):
        shared = np.shares_memory(np.asarray(held), np.asarray(new))
        assert not shared, "The vector form must return new arrays at each step."


def _check_vector_refusals(maker: Maker, device: str | None) -> None:
    env = maker.vector(BATCH, device)
    images = env.reset(seed=SEED)[0]
    rest, sentence = [0] * (BATCH - 1), "A batch must refuse the actions"
    for actions in ([0.0, *rest], [True] * BATCH):
        _check_refusal(env, _guesses(device, actions), TypeError, f"{sentence} {actions}.")
    for actions in (rest, [-1, *rest], [maker.payments.actions, *rest]):
        _check_refusal(env, _guesses(device, actions), ValueError, f"{sentence} {actions}.")
    assert np.array_equal(env.reset()[0], images), "A refused batch must stay open."


def _check_passes(maker: Maker) -> None:
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
        env, vector = maker.vector(BATCH, device), []
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
