"""What a run counts and keeps beside its accuracies."""

import os
from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from cells import served
from killing import left
from small import POINTS, job, quietly, run_once

import credit_envs
from agents import load_agent, make_agent, train
from agents.credit import RULES
from agents.runs import learning
from agents.runs.attempt import Attempt
from agents.runs.folder import read
from agents.runs.job import Job
from agents.runs.run import glance, run


@pytest.mark.parametrize("rule", RULES)
def test_counting_products_changes_no_bit(rule, monkeypatch, tmp_path):
    one = job(f"{served(rule)}+{rule}" if rule != "backprop" else "q_agrel", points=(128, 384))
    for counted in (0, 2):
        monkeypatch.setattr(learning, "COUNTED", counted)
        run(one, tmp_path / str(counted), quietly, source={})
    first, second = (left(tmp_path / str(counted)) for counted in (0, 2))
    assert first["tensors"] == second["tensors"]
    assert first["rows"] == second["rows"]
    assert first["end"].multiply_adds == 0
    assert second["end"].multiply_adds > 0


def test_supervised_learning_takes_the_products_that_a_net_has():
    result = run_once(job("supervised"))
    forward = 64 * 16 + 16 * 10
    assert result.multiply_adds == POINTS[-1] * (2 * forward + 16 * 10)  # W's change, and e below
    assert result.presentations == result.env_steps == result.forward_passes == POINTS[-1]


def test_running_accuracy_is_the_share_of_rewarded_trials_since_the_row_before(
    monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    run(job("own:Recorder", points=(128, 384)), tmp_path / "run", quietly, source={})
    rewards = np.load("seen-100.npz")["rewards"]
    running = [row.running_accuracy for row in read(tmp_path / "run").rows]
    assert running == [rewards[:128].mean(), rewards[128:].mean()]


def test_running_accuracy_does_not_know_in_which_parts_a_run_was_made(tmp_path, monkeypatch):
    """Rewards that are no whole numbers are summed in another order after a kill."""
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))
    credit_envs.register("NoisyReward-v0", "Digits", rewards={"noise": 0.3})
    one = replace(job("q_agrel", points=(3200, 6400)), env="NoisyReward-v0", batch=32)
    rows = []
    for part in (0, 1e9):
        monkeypatch.setattr(learning, "PART", part)
        run(one, tmp_path / str(part), quietly, source={})
        rows.append([row.running_accuracy for row in read(tmp_path / str(part)).rows])
    assert rows[0] == rows[1]


def test_progress_tells_every_trial_once_and_the_running_accuracy(tmp_path):
    told = []
    run(job("supervised"), tmp_path, lambda *now: told.append(now), source={})
    assert sum(trials for trials, _ in told) == POINTS[-1]
    assert told[-1][1] == read(tmp_path).rows[-1].running_accuracy


def test_the_checkpoint_is_an_agent_that_goes_on_as_one_that_was_trained_alone(tmp_path):
    one = job("q_agrel", momentum=0.9)
    run(one, tmp_path, quietly, source={})
    env = gym.make_vec(one.env, num_envs=one.batch)
    env.reset(seed=one.seed)
    alone = make_agent(one.settings, env, seed=one.seed, device="cpu")
    train(alone, env, POINTS[-1], progress_bar=False)
    loaded = load_agent(tmp_path / "last.safetensors", device="cpu").tensors()
    assert all(torch.equal(loaded[name], tensor) for name, tensor in alone.tensors().items())
    assert glance(one, tmp_path) == (POINTS[-1], read(tmp_path).rows[-1].running_accuracy)


def test_a_budget_that_is_no_whole_batches_is_rounded_up():
    result = run_once(job("supervised", points=(200,)))
    assert (result.trials, result.env_steps) == ((200,), 256)


def test_a_run_goes_on_with_the_threads_it_was_begun_with(tmp_path, monkeypatch):
    before, seen = torch.get_num_threads(), []
    run(job("supervised"), tmp_path, quietly, source={})
    (tmp_path / "done").unlink()
    end = learning.Learning.end
    monkeypatch.setattr(
        learning.Learning, "end", lambda *given: seen.append(torch.get_num_threads()) or end(*given)
    )
    torch.set_num_threads(before + 1)
    try:
        run(job("supervised"), tmp_path, quietly, source={})
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
    assert seen == [read(tmp_path).config["threads"]] == [before]


def test_the_config_says_what_was_run_on_what_by_what(tmp_path):
    one = job("q_agrel")
    run(one, tmp_path, quietly)
    config = read(tmp_path).config
    assert {"env", "agent", "settings", "seed", "batch", "points", "device", "reads_test"} <= set(
        config
    )
    assert {"watched", "device_name", "versions", "commit", "dirty", "command"} <= set(config)
    assert config["format"] == "credit-envs run 1"
    assert config["versions"]["torch"] == torch.__version__
    assert (
        Job(
            **{k: config[k] for k in ("env", "agent", "seed", "batch", "device")}
            | {"points": tuple(config["points"]), "settings": one.settings}
        )
        == one
    )


def test_submitit_puts_an_attempt_into_the_queue_as_it_is(tmp_path):
    pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
    attempt = Attempt(job("q_agrel"), tmp_path, {}, threads=1)
    again = attempt.checkpoint()
    assert again.function == attempt
    assert replace(again.function, threads=2) != attempt


@pytest.mark.parametrize("deterministic", [True, False])
def test_a_run_says_whether_its_kernels_were_deterministic(deterministic, tmp_path, monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    attempt = Attempt(job("q_agrel"), tmp_path, {}, 1, deterministic)
    try:
        assert attempt().result
        assert torch.are_deterministic_algorithms_enabled() == deterministic
        assert ("CUBLAS_WORKSPACE_CONFIG" in os.environ) == deterministic
    finally:
        torch.use_deterministic_algorithms(False)
    assert read(attempt.job.folder(tmp_path)).config["deterministic"] == deterministic


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_a_run_that_was_stopped_ends_with_the_same_bits(tmp_path, monkeypatch):
    one = replace(job("q_agrel", momentum=0.9), device="cuda")
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    try:
        run(one, whole, quietly, source={})

        def stop(row):
            if row.trials == POINTS[1]:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(one, stopped, quietly, every=0, source={}, note=stop)
        run(one, stopped, quietly, every=0, source={})
    finally:
        torch.use_deterministic_algorithms(False)
    assert left(stopped) == left(whole)
