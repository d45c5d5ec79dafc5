"""The comparison's runs: paired by seed, and a result even where one diverges."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from small import POINTS, job, run_once, without_processes

from agents.comparison import compare
from agents.comparison.options import Options
from agents.comparison.search import TUNING_SEEDS
from agents.runs import learning
from agents.settings import AGENTS
from agents.weighted import weighted

LEARNERS = ["supervised", "q_agrel", "reinforce", "readout_only", "agrel+feedback_alignment"]


# Paired by seed


@pytest.fixture
def begun(monkeypatch):
    """The initial weights and the first images of a run."""

    def begun(job):
        seen = []

        def train(agent, env, trials, progress_bar):
            weights = [layer.weight.detach().clone().flatten() for layer in weighted(agent.net)]
            images = [np.array(env.reset()[0])]
            images += [np.array(env.step(np.zeros(job.batch, int))[0]) for _ in range(12)]
            seen.append((torch.cat(weights).numpy(), np.stack(images)))
            return 0.0

        monkeypatch.setattr(learning, "train", train)
        run_once(job)
        return seen[0]

    return begun


def test_a_seed_gives_every_agent_the_same_weights_and_images(begun):
    first = begun(job(LEARNERS[0]))
    for agent in LEARNERS[1:]:
        for ours, theirs in zip(first, begun(job(agent)), strict=True):
            np.testing.assert_array_equal(ours, theirs)


def test_another_seed_gives_other_weights_and_images(begun):
    for ours, theirs in zip(begun(job("q_agrel")), begun(job("q_agrel", 101)), strict=True):
        assert (ours != theirs).any()


def test_the_same_run_twice_gives_the_same_result():
    results = [run_once(job("reinforce")) for _ in range(2)]
    assert replace(results[0], seconds=0) == replace(results[1], seconds=0)


# What is read


@pytest.fixture
def reads(monkeypatch):
    splits = []
    read = learning.evaluate
    monkeypatch.setattr(
        learning,
        "evaluate",
        lambda agent, env, split, images: splits.append(split) or read(agent, env, split, images),
    )
    return splits


@pytest.mark.parametrize("agent", ["supervised", "q_agrel", "own:Recorder"])
def test_a_run_reads_test_once_and_last(agent, reads, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert run_once(job(agent)).test_accuracy is not None
    assert reads == ["validation"] * 3 + ["test"]


def test_a_run_of_a_search_never_reads_test(reads):
    assert run_once(replace(job("q_agrel"), reads_test=False)).test_accuracy is None
    assert reads == ["validation"] * 3


def test_seeds_that_report_never_tuned(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(compare, "run_all", lambda jobs, *_: asked.extend(jobs) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        compare.compare(Options(agents="supervised,q_agrel"), seeds=10, out=tmp_path)
    assert [job.seed for job in asked] == [*range(100, 110)] * 2
    assert not {job.seed for job in asked} & set(TUNING_SEEDS)


# Diverged


@pytest.mark.parametrize("agent", ["supervised", "q_agrel"])
def test_a_run_with_an_absurd_learning_rate_is_a_result_at_chance(agent):
    result = run_once(job(agent, lr=1e30))
    assert result.diverged is not None
    assert result.test_accuracy == 0.1
    assert result.env_steps == result.diverged < POINTS[-1]
    assert len(result.validation) == len(result.trials) < len(POINTS)


@pytest.mark.parametrize("seeds", [1, 3, 5])  # in floats, three tenths over three are above one
def test_a_comparison_is_whole_even_if_every_run_diverges_at_once(seeds, monkeypatch, tmp_path):
    options = Options(agents="supervised,own:Blown", sizes="16", epochs=1)
    without_processes(monkeypatch)
    monkeypatch.setitem(AGENTS, "supervised", replace(AGENTS["supervised"], lr=1e30))
    result = compare.compare(options, seeds, tmp_path)
    for row in result.rows:
        assert (row["seeds"], row["diverged"], row["test_accuracy"]["mean"]) == (
            seeds, seeds, pytest.approx(0.1),
        )  # fmt: skip
        assert row["protocol"]["level"] is None
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"summary.json", "curves.csv", "curves.png", "runs"}
    assert json.loads((tmp_path / "summary.json").read_text()) == json.loads(
        json.dumps(result.rows)
    )
