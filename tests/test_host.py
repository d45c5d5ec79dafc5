"""Images that stay in the host's memory are shown as those on the device, and leave no thread."""

import threading
from contextlib import suppress

import gymnasium as gym
import numpy as np
import pytest
import torch
from vectors import make

from agents import make_agent, train
from credit_envs import tensors
from credit_envs.ahead import AHEAD, Ahead
from credit_envs.streams import side_by_side

OPTIONS = {
    "plain": {},
    "float": {"dtype": "float32", "layout": "CHW"},
    "twice": {"presentations": 2, "rewards": {"noise": 0.1}},
    "judged": {"rewards": {"label_noise": 0.2, "delay": 2, "regret": True}, "reveal_label": True},
    "staged": {"order": {"classes_per_stage": 3}},
    "part": {"part": (1, 2)},
}


@pytest.fixture
def both():
    """Environments on the device and on the host, which are closed."""
    made = []

    def both(num_envs=50, **keywords):
        made.extend(
            make(num_envs, device="cpu", split="test", resident=resident, **keywords)
            for resident in (True, False)
        )
        return made[-2:]

    yield both
    for env in made:
        env.close()


def same(one, other):
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    return torch.equal(one, other) and one.dtype == other.dtype and one.stride() == other.stride()


def stepped(envs, steps):
    for _ in range(steps):
        actions = torch.randint(10, (envs[0].num_envs,))
        for one, other in zip(*(env.step(actions) for env in envs), strict=True):
            assert same(one, other)


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_the_stream_is_the_same_bit_for_bit(both, options):
    envs = both(**options)
    for again in ({"seed": 3}, {}, {"options": {"position": 330}}, {"seed": 4}):
        assert same(*(env.reset(**again)[0] for env in envs))
        stepped(envs, 12)  # a pass and more
    assert same(*(env.reset()[0] for env in envs))
    stepped(envs, 3)


def test_what_was_handed_out_stays_as_it_was(both):
    _, env = both()
    first, _ = env.reset(seed=0)
    kept = first.clone()
    env.step(torch.zeros(50, dtype=torch.int64))[0].zero_()
    assert torch.equal(first, kept)
    again, _ = env.reset(seed=0)
    again.zero_()
    assert torch.equal(env.reset()[0], kept)


def test_an_agent_learns_the_same(both):
    agents = []
    for env in both():
        env.reset(seed=0)
        agents.append(make_agent("q_agrel", env, seed=0, device="cpu"))
        train(agents[-1], env, 500, progress_bar=False)
    one, other = (agent.tensors() for agent in agents)
    assert all(torch.equal(tensor, other[name]) for name, tensor in one.items())


class Gathers:
    """Images that note in which thread they are gathered, and fail when told to."""

    def __init__(self, images):
        self.images, self.threads, self.broken = images, [], False

    def index_select(self, axis, index):
        self.threads.append(threading.current_thread())
        if self.broken:
            raise OSError("the disk is gone")
        return self.images.index_select(axis, index)


@pytest.fixture
def gathers(both):
    """An environment on the host, and what its images tell."""
    _, env = both()
    ahead = env.unwrapped._batch._ahead
    ahead._images = Gathers(ahead._images)
    return env, ahead._images


def settled(images, count):
    """Wait until so many batches have been asked for."""
    for _ in range(1000):
        if len(images.threads) == count:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{len(images.threads)} batches were gathered, not {count}")


def test_batches_are_gathered_ahead_in_another_thread(gathers):
    env, images = gathers
    env.reset(seed=0)
    settled(images, 1 + AHEAD)
    env.step(torch.zeros(50, dtype=torch.int64))
    settled(images, 2 + AHEAD)
    assert len(set(images.threads)) == 1
    assert threading.current_thread() not in images.threads


def test_an_error_in_the_thread_reaches_the_caller_and_is_no_end(gathers):
    env, images = gathers
    first, _ = env.reset(seed=0)
    images.broken = True
    for _ in range(AHEAD):  # those that are on their way already may be whole
        with suppress(OSError):
            env.step(torch.zeros(50, dtype=torch.int64))
    with pytest.raises(OSError, match="the disk is gone"):
        env.step(torch.zeros(50, dtype=torch.int64))
    images.broken = False
    assert torch.equal(env.reset(seed=0)[0], first)


def test_no_thread_is_left_behind(gathers):
    env, images = gathers
    env.reset(seed=0)
    settled(images, 1 + AHEAD)
    (thread,) = set(images.threads)
    assert thread.is_alive()
    env.close()
    assert not thread.is_alive()


def test_images_are_held_on_a_gpu_if_half_of_what_is_free_takes_them(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 10**6))
    gpu = torch.device("cuda")
    assert tensors.fits(500, gpu)
    assert not tensors.fits(501, gpu)
    assert tensors.fits(10**9, torch.device("cpu"))


@pytest.mark.parametrize("fits", [True, False])
def test_it_is_chosen_by_what_fits(fits, monkeypatch):
    monkeypatch.setattr(tensors, "fits", lambda size, device: fits)
    chosen = [make(device="cpu", resident=resident) for resident in (None, True, False)]
    ahead = [isinstance(env.unwrapped._batch._ahead, Ahead) for env in chosen]
    assert ahead == [not fits, False, True]
    for env in chosen:
        env.close()


@pytest.mark.parametrize(
    ("keywords", "error", "sentence"),
    [
        ({"resident": "no", "device": "cpu"}, TypeError, "must be True, False or None, not 'no'"),
        ({"resident": 2, "device": "cpu"}, TypeError, "must be True, False or None, not 2"),
        ({"resident": False}, ValueError, "give a device, too"),
    ],
)
def test_what_cannot_be_meant_is_refused(keywords, error, sentence):
    with pytest.raises(error, match=sentence):
        make(**keywords)


def test_gymnasium_makes_it_again_from_its_spec(both):
    _, env = both()
    again = gym.make_vec(type(env.spec).from_json(env.spec.to_json()))
    assert np.array_equal(env.reset(seed=0)[0], again.reset(seed=0)[0])
    assert isinstance(again.unwrapped._batch._ahead, Ahead)
    again.close()


def test_streams_side_by_side_need_images_on_the_device(both):
    _, env = both()
    with pytest.raises(ValueError, match="make it resident=True"):
        side_by_side(env.unwrapped, [0, 1])
