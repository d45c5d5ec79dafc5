"""README's Python runs as it stands there, and its commands have the options they name."""

import contextlib
import io
import os
import re
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from small import without_processes

from agents import evaluate, train
from agents.credit import RULES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
OWN = [block for block in BLOCKS if "def act(" in block and "def learn(" in block]
ENV = "DigitsReward-v0"


def execute(block):
    """Run a block as a program in the current folder; its names and what it printed."""
    if "MNIST" in re.sub("#.*", "", block) and "CREDIT_ENVS_MIRROR" not in os.environ:
        pytest.skip("this block reads MNIST, and there is no mirror of it")
    names = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(block, "README.md", "exec"), names)
    return names, output.getvalue()


@pytest.fixture(autouse=True)
def own_module(monkeypatch, tmp_path):
    """README's own agent is saved as mine.py; comparisons need no processes of their own."""
    (tmp_path / "mine.py").write_text(OWN[0])
    monkeypatch.syspath_prepend(tmp_path)
    without_processes(monkeypatch)
    yield
    sys.modules.pop("mine", None)


@pytest.fixture(autouse=True)
def one_core():
    """Two test processes, each with as many threads as cores, would wait for one another."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def same_table():
    """A block may add a rule to the table."""
    before = dict(RULES)
    yield
    RULES.clear()
    RULES.update(before)


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_every_block_runs_and_the_agent_it_measures_has_learned(number, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    _, output = execute(BLOCKS[number])
    measured = re.findall(r"([\d.]+)%", output)
    assert len(measured) == BLOCKS[number].count("print(")
    assert all(float(percent) > 50 for percent in measured)


def test_a_block_makes_trains_and_measures_an_agent():
    assert any(
        all(use in block for use in ("make_agent(", "train(", "evaluate(")) for block in BLOCKS
    )


def test_an_agent_of_ones_own_and_its_loop_take_25_lines():
    assert OWN
    assert all(sum(bool(line.strip()) for line in block.splitlines()) <= 25 for block in OWN)


@pytest.fixture
def own(monkeypatch, tmp_path):
    """README's own agent, and an environment for it."""
    monkeypatch.chdir(tmp_path)
    names, _ = execute(OWN[0])
    (made,) = [
        n for n in names.values() if isinstance(n, type) and {"act", "learn"} <= set(vars(n))
    ]
    env = gym.make_vec(ENV, num_envs=32)
    env.reset(seed=1)
    return made(env.single_observation_space, env.single_action_space, seed=1), env


def test_an_agent_of_ones_own_learns_from_reward(own):
    agent, env = own
    assert evaluate(agent, ENV) < 0.2
    train(agent, env, trials=30_000, progress_bar=False)
    assert evaluate(agent, ENV) > 0.5


def test_an_agent_of_ones_own_learns_nothing_from_rewards_that_mean_nothing(own):
    agent, env = own
    lots = np.random.default_rng(0)
    images, _ = env.reset()
    for _ in range(30_000 // 32):
        images, *_ = env.step(agent.act(images))
        agent.learn((lots.random(32) < 0.1).astype(np.float32))
    assert evaluate(agent, ENV) < 0.35


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_has_the_options_that_are_shown(page):
    commands = re.findall(r"python (scripts/\w+\.py)((?: --\w+ \S+)*)", page.read_text())
    assert commands
    for script, options in commands:
        sources = (
            script, "agents/comparing.py", "agents/comparison/options.py", "agents/runs/sweep.py",
        )  # fmt: skip
        fields = "".join((ROOT / source).read_text() for source in sources)
        for option in re.findall(r"--(\w+)", options):
            assert re.search(rf"^    {option}: ", fields, re.MULTILINE), f"{script} --{option}"


def headings(page):
    """What a link may name of a page."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in found}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^()\s]+)\)", page.read_text())
    assert links
    for link in links:
        name, _, heading = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), link
        assert not heading or heading in headings(target), link
