"""Agents of a user's own, given as arguments: compared like any other, from rewards alone."""

import subprocess
import sys
from functools import partial
from threading import Lock
from types import ModuleType

import gymnasium as gym
import numpy as np
import own
import pytest
import torch
from small import without_processes

from agents import train
from agents.comparing import Comparing, compare
from agents.comparison import compare as comparison
from agents.own import pack
from agents.runs import learning
from agents.runs.attempt import Failed
from agents.runs.executors import local
from agents.runs.job import Job

DIGITS = "DigitsReward-v0"
SMALL = Comparing(agents="supervised", sizes="16", batch=32, epochs=1, seeds=1, quiet=True)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A small comparison in this process and an empty folder."""
    monkeypatch.chdir(tmp_path)
    without_processes(monkeypatch)
    return SMALL


@pytest.fixture
def refused(monkeypatch):
    """What a comparison says to an agent before it starts any run."""
    monkeypatch.setattr(comparison, "run_all", lambda *_: pytest.fail("a run was started"))

    def refused(make, name="mine"):
        with pytest.raises((TypeError, ValueError)) as fault:
            compare(SMALL, {name: make})
        assert "\n" not in str(fault.value)
        return str(fault.value)

    return refused


def row(result, agent):
    (found,) = [row for row in result.rows if row["agent"] == agent]
    return found


# In a comparison


def test_a_class_or_a_function_that_makes_one_is_compared_as_the_module_and_class_are(small):
    makers = {
        "a_class": own.Linear,
        "a_function": lambda seen, choice, seed: own.Linear(seen, choice, seed),
        "another_rate": partial(own.Linear, rate=0.0),
    }
    named = Comparing(**vars(small) | {"agents": "supervised,own:Linear"})
    result = compare(named, makers)
    by_name = row(result, "own:Linear")
    assert by_name["test_accuracy"]["mean"] > 0.3
    for agent in ("a_class", "a_function"):
        for figure in ("test_accuracy", "trials_to_criterion", "learns_from", "signal"):
            assert row(result, agent)[figure] == by_name[figure]
    assert row(result, "another_rate")["test_accuracy"]["mean"] < 0.2


def test_what_is_printed_and_written_has_it_beside_the_others(small, capsys):
    result = compare(small, {"mine": own.Linear})
    shown = f"{100 * row(result, 'mine')['test_accuracy']['per_seed'][0]:.1f}"
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:3] == ["mine", "reward", shown] for line in lines)
    assert lines[-1] == "Report: results/compare/report.html"
    assert "mine" in (small.out / "report.html").read_text()
    assert {path.name for path in small.out.iterdir()} > {"summary.json", "curves.csv"}


def test_a_class_that_cannot_be_imported_is_made_in_another_process(tmp_path):
    class Local:
        def __init__(self, seen, choice, seed):
            self.given = np.array([seen, choice, seed])

        def act(self, images):
            return self.given.sum()

        def learn(self, reward):
            pass

    elsewhere = "import sys, cloudpickle as c; print(c.load(sys.stdin.buffer)(1, 2, 3).act(0))"
    made = subprocess.run(
        [sys.executable, "-c", elsewhere], input=pack("mine", Local).pickled,
        capture_output=True, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert made.stdout == b"6\n"


def test_a_script_that_starts_runs_as_it_is_imported_is_told_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "__mp_main__", ModuleType("__mp_main__"))  # as in its process
    with pytest.raises(SystemExit, match="put what starts them below if __name__ == '__main__':"):
        local(1, 1, on_gpu=False).__enter__()


def test_it_sees_arrays_wherever_the_others_are(monkeypatch):
    monkeypatch.setattr(learning, "pick_device", torch.device)  # as if it were there
    job = Job(DIGITS, "own:Linear", None, 0, batch=32, points=(32,), device="cuda")
    assert learning.Learning(job).env.unwrapped.device is None


# What is none


class Misspelt(own.Linear):
    learns_from = "labels"


class NoAct:
    def learn(self, reward):
        pass


NEEDS = "needs the methods act(images) and learn(reward): no"


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda *_: own.NoLearn(), f"NoLearn {NEEDS} learn"),
        (own.NoLearn, f"mine {NEEDS} learn"),
        (Misspelt, 'mine says learns_from = \'labels\': it is "reward" or "label"'),
        (lambda *_: NoAct(), f"NoAct {NEEDS} act"),
        (lambda *_: None, f"NoneType {NEEDS} act"),
        (own.NoLearn(), "give its class, or a function of (observation_space, action_space, seed)"),
        (own.Linear, None),
        ("own:Linear", "mine is given as 'own:Linear': give its class"),
        (partial(lambda lock, *_: None, Lock()), "mine cannot be sent to the processes that make"),
    ],
)
def test_what_is_no_agent_is_refused_before_any_run(refused, make, sentence):
    if sentence is None:  # made already, but else a good one
        make, sentence = make(gym.spaces.Box(0, 1, (4,)), gym.spaces.Discrete(2), 0), "begins with"
    assert sentence in refused(make)


@pytest.mark.parametrize("name", ["", "../mine", "a,b", "a>b", "q_agrel", "label+backprop"])
def test_a_name_that_would_be_mistaken_is_refused(refused, name):
    said = f"{name!r} cannot be the name of an agent of your own"
    assert said in refused(own.Linear, name)


def test_its_faults_are_its_own_and_seen_before_any_run(refused):
    class Broken(own.Linear):
        def learn(self, reward):
            raise ValueError("my own fault")

    assert refused(Broken) == "my own fault"


@pytest.mark.parametrize(("agent", "missing"), [(own.NoLearn(), "learn"), (NoAct(), "act")])
def test_train_refuses_an_object_that_is_no_agent(agent, missing):
    with pytest.raises(TypeError, match=f"{type(agent).__name__} needs .*: no {missing}$"):
        train(agent, gym.make(DIGITS), 1, progress_bar=False)


# From rewards alone


class Prying(own.Linear):
    """Goes through everything that can be reached from what it is handed."""

    kinds: set[str] = set()  # noqa: RUF012
    arrays: list[np.ndarray] = []  # noqa: RUF012

    def __init__(self, *handed):
        super().__init__(*handed)
        self.pry(handed)

    def act(self, images):
        self.pry(images)
        return super().act(images)

    def learn(self, *answer):
        self.pry(answer)
        super().learn(*answer)

    def pry(self, thing):
        if isinstance(thing, tuple | list | dict):
            for inner in thing.values() if isinstance(thing, dict) else thing:
                self.pry(inner)
            return
        Prying.kinds.add(type(thing).__name__)
        if isinstance(thing, np.ndarray):
            Prying.arrays.append(thing.copy())
            self.pry(thing.base)
        self.pry(getattr(thing, "__dict__", {}))


def test_nothing_that_is_handed_to_it_leads_to_a_label_or_to_the_environment(small, monkeypatch):
    monkeypatch.setattr(Prying, "kinds", set())
    monkeypatch.setattr(Prying, "arrays", [])
    compare(small, {"mine": lambda *handed: Prying(*handed)})
    plain = {"tuple", "int", "int64", "str", "bool", "NoneType"}
    spaces = {"Box", "Discrete", "type", "_IntegerCodes", "UInt8DType", "Int64DType"}
    assert Prying.kinds <= plain | spaces | {"ndarray"}, Prying.kinds
    for array in Prying.arrays:
        image_or_bound = array.shape[-3:] == (8, 8, 1)
        reward = array.shape == (32,) and set(np.unique(array)) <= {0.0, 1.0}
        assert image_or_bound or reward, array


class Late(own.Linear):
    """Asks for labels once it has been admitted."""

    def learn(self, reward):
        super().learn(reward)
        self.asked = getattr(self, "asked", 0) + 1
        if self.asked == 3:
            self.learns_from = "label"


@pytest.mark.parametrize("by_instance", [False, True])
def test_to_ask_for_labels_is_refused(refused, by_instance):
    def make(*handed):
        agent = own.Linear(*handed)
        agent.learns_from = "label"
        return agent

    said = refused(make if by_instance else own.Teachable)
    assert said.startswith(
        "mine says learns_from = 'label', but in a comparison agents of your own"
    )


def test_to_ask_for_labels_later_ends_the_run(small):
    with pytest.raises(Failed, match="mine with seed 100 .*: ValueError: this agent learns from"):
        compare(small, {"mine": Late})


def test_an_agent_may_work_on_its_rewards_in_place():
    def mean(agent_class):
        env = gym.make_vec(DIGITS, num_envs=32)
        env.reset(seed=0)
        agent = agent_class(env.single_observation_space, env.single_action_space, 0)
        return train(agent, env, 320, progress_bar=False)

    class Careful(own.Linear):
        def learn(self, reward):
            super().learn(reward.copy())

    assert mean(own.Linear) == mean(Careful)
