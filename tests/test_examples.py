"""The examples run as they stand there, and what they train has learned."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch

EXAMPLES = Path(__file__).parents[1] / "scripts" / "examples"
BUDGETS = {  # what is given on the command line, and the least that must be printed, in percent
    "loop": ("", 70),
    "vector_loop": ("", 70),
    "q_agrel": ("--trials 20000 --report 10000", 70),
    "video": ("", 60),
    "data_parallel": ("", 70),  # alone; test_parallel.py is about several processes
}


@pytest.fixture
def example(monkeypatch, tmp_path, capsys):
    """Run an example in an empty folder; its names, and what it printed."""
    monkeypatch.chdir(tmp_path)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)

    def run(name):
        arguments, _ = BUDGETS[name]
        monkeypatch.setattr(sys, "argv", [name, *arguments.split()])
        names = runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return names, capsys.readouterr().out

    yield run
    torch.set_num_threads(threads)


def measured(output):
    return float(re.findall(r"([\d.]+)%", output)[-1])


def test_every_example_is_run_here():
    elsewhere = {"cartpole_without_weight_transport"}  # test_bridge_example.py
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(BUDGETS) | elsewhere


@pytest.mark.parametrize("name", ["loop", "vector_loop", "q_agrel", "data_parallel"])
def test_an_example_learns(name, example):
    _, output = example(name)
    assert measured(output) >= BUDGETS[name][1]


@pytest.mark.parametrize("name", ["loop", "vector_loop"])
def test_what_an_example_says_of_itself_is_what_its_environment_counted(name, example):
    names, output = example(name)
    env = names["env"].unwrapped
    assert env.position == names["TRIALS"]
    if name == "vector_loop":
        assert "40,000 episodes of 1 step" in output
        assert len(names["env"].return_queue) == 2000


def test_the_plain_loop_takes_twenty_lines():
    code = (EXAMPLES / "loop.py").read_text().rpartition('"""')[2]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 20


def test_the_single_file_needs_no_agents_and_fits_on_two_pages():
    text = (EXAMPLES / "q_agrel.py").read_text()
    nodes = list(ast.walk(ast.parse(text)))
    imported = [node.module for node in nodes if isinstance(node, ast.ImportFrom)]
    imported += [a.name for node in nodes if isinstance(node, ast.Import) for a in node.names]
    assert not [name for name in imported if name.split(".")[0] == "agents"]
    assert "autograd" not in re.sub('""".*?"""', "", text, flags=re.DOTALL)
    assert text.count("\n") <= 140


def test_the_single_files_changes_are_those_of_gradient_descent_on_the_prediction_error():
    q_agrel = runpy.run_path(str(EXAMPLES / "q_agrel.py"))
    generator = torch.Generator().manual_seed(0)
    layers = q_agrel["make_layers"]([6, 5, 4, 3], generator)
    layers = [(weight.double(), bias.double()) for weight, bias in layers]
    images = torch.rand(7, 6, generator=generator, dtype=torch.float64)
    rewards = torch.rand(7, generator=generator, dtype=torch.float64)
    actions = torch.tensor([0, 1, 2, 0, 1, 2, 0])

    twins = [tuple(part.clone().requires_grad_() for part in layer) for layer in layers]
    values = q_agrel["respond"](twins, images)[-1]
    cost = 0.5 * (rewards - values[range(7), actions]).square().mean()
    changes = torch.autograd.grad(cost, [part for layer in twins for part in layer])

    before = [part.clone() for layer in layers for part in layer]
    q_agrel["learn"](layers, q_agrel["respond"](layers, images), actions, rewards, 0.1)
    after = [part for layer in layers for part in layer]
    for old, new, change in zip(before, after, changes, strict=True):
        assert change.abs().max() > 0
        torch.testing.assert_close(new, old - 0.1 * change)


def test_the_single_file_chooses_the_best_or_any():
    choose = runpy.run_path(str(EXAMPLES / "q_agrel.py"))["choose"]
    values = torch.eye(4).repeat(2000, 1)
    best = values.argmax(1)
    generator = torch.Generator().manual_seed(0)
    assert (choose(values, 0.0, generator) == best).all()
    assert (choose(values, 0.4, generator) == best).float().mean().item() == pytest.approx(
        0.6 + 0.4 / 4, abs=0.02
    )
    counts = np.bincount(choose(values, 1.0, generator), minlength=4)
    assert np.abs(counts / 8000 - 0.25).max() < 0.02


def test_the_video_shows_each_guess_before_and_after(example):
    pytest.importorskip("moviepy", reason="videos need moviepy: pip install 'credit-envs[video]'")
    from imageio_ffmpeg import get_ffmpeg_exe

    names, output = example("video")
    assert measured(output) >= BUDGETS["video"][1]
    decode = [get_ffmpeg_exe(), "-v", "error", "-i", output.split()[-1], "-f", "rawvideo"]
    film = subprocess.run([*decode, "-pix_fmt", "rgb24", "-"], capture_output=True, check=True)
    env = gym.make("DigitsReward-v0", render_mode="rgb_array")
    env.reset()
    shape = env.render().shape
    width = shape[1]
    frames = np.frombuffer(film.stdout, np.uint8).reshape(-1, *shape)
    assert len(frames) == 2 * names["SHOWN"]
    for before, after in zip(frames[::2], frames[1::2], strict=True):
        assert np.abs(before[:width].astype(int) - after[:width]).mean() < 8  # the same image
        assert before[width:].max() < 128 < after[width:].max()
