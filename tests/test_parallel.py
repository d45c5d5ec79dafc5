"""Two processes that share each batch learn what one does, stay alike, and fail alike."""

import re
import socket
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from together import BATCHES, CASES, FAULTS, WHOLE, learned, world_of

from agents import checkpoint, load_agent, make_agent
from agents.parallel import Share, joined
from agents.seeding import go_on

PATIENCE = 120  # seconds
HERE = Path(__file__).parent


def together(program, *arguments, count=2, **more):
    """Run a program in processes that share each batch, as torchrun does; what the first said."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count),
        "--master-addr", "127.0.0.1", "--master-port", str(port), str(program), *arguments,
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """What each of two processes knows at the end, by case, and what was said of each fault."""
    folder = tmp_path_factory.mktemp("together")
    together(HERE / "together.py", str(folder))
    return [{name: checkpoint.read(folder / rank / name) for name in CASES} for rank in ("0", "1")]


@pytest.fixture(autouse=True)
def doubles():
    dtype = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(dtype)


@pytest.mark.parametrize("name", CASES)
def test_two_processes_learn_what_one_does(name, two):
    start, alone = learned(CASES[name], batches=0), learned(CASES[name])
    both, _ = two[0][name]
    assert set(both) == set(alone)
    moved = 0
    for key, tensor in alone.items():
        if tensor.is_floating_point():
            torch.testing.assert_close(both[key], tensor, rtol=1e-6, atol=1e-9)
            moved += key in start and not torch.equal(start[key], tensor)
        else:  # generators have drawn as many numbers
            assert torch.equal(both[key], tensor)
    assert moved


@pytest.mark.parametrize("name", CASES)
def test_the_processes_agree_bit_for_bit(name, two):
    (one, _), (other, _) = two[0][name], two[1][name]
    assert set(one) == set(other)
    assert all(torch.equal(tensor, other[key]) for key, tensor in one.items())


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_wrong_is_said_by_all(name, two):
    for rank in two:
        _, said = rank["conv"]
        assert re.search(FAULTS[name][1], said[name]), said[name]


def test_what_two_processes_saved_one_goes_on_with(two, tmp_path):
    tensors, _ = two[0]["conv"]
    agent, env = world_of(CASES["conv"])
    agent.restore(tensors)
    agent.trials = BATCHES * WHOLE
    agent.save(tmp_path / "agent")
    again = load_agent(tmp_path / "agent", device="cpu")
    images, _ = env.reset(options={"position": agent.trials})
    assert torch.equal(agent.act(images), again.act(images))
    with pytest.raises(ValueError, match="start them by torchrun"):
        load_agent(tmp_path / "agent", device="cpu", part=(0, 2))


def test_without_torchrun_a_process_is_alone():
    with joined("cpu") as place:
        assert place == ((0, 1), "cpu")
        assert place.leads


@pytest.mark.parametrize("device", ["cuda:1", "gpu"])
def test_a_device_that_not_all_can_have_is_refused(device):
    with pytest.raises(ValueError, match='none of "auto", "cpu" and "cuda" that all can have'):
        joined(device).__enter__()


@pytest.mark.parametrize(
    ("agent", "sentence"), [("q_agrel", "start them by torchrun"), ("ppo", "in one process")]
)
def test_an_agent_for_a_part_is_not_made_where_it_cannot_learn(agent, sentence):
    env = gym.make_vec("DigitsReward-v0", num_envs=16, part=(0, 2))
    with pytest.raises(ValueError, match=sentence):
        make_agent(agent, env, device="cpu")


def test_the_state_of_another_kind_of_device_is_a_seed():
    shared, alone = (torch.Generator().manual_seed(1) for _ in range(2))
    state = torch.zeros(16, dtype=torch.uint8)  # as long as those of CUDA
    go_on(Share(shared, (0, 2)), state)
    go_on(alone, state)
    assert torch.equal(shared.get_state(), alone.get_state())
