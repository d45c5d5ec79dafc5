"""Fewer bits in the products, by a setting: what stays float32, and who is refused."""

import csv
import runpy
import sys
from pathlib import Path

import gymnasium as gym
import pytest
import torch
from cells import distance, served
from small import without_processes
from states import alike

from agents import Settings, make_agent, train
from agents.credit import RULES
from agents.precision import PRECISIONS, precision
from agents.settings import settings_from

SCRIPT = Path(__file__).parents[1] / "scripts" / "precision.py"
GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
COMPARING = [name for name, rule in RULES.items() if rule.compares_passes]
OTHERS = [name for name in RULES if name not in COMPARING]
FROM_ERRORS = [name for name in OTHERS if "reward" not in name]  # not from noise on bf16 units


def trained(credit, precision, batches=3, **settings):
    settings = Settings(served(credit), credit, precision=precision, **settings)
    env = gym.make_vec("DigitsReward-v0", num_envs=32, presentations=settings.rule.presentations)
    env.reset(seed=0)
    agent = make_agent(settings, env, device="cpu")
    train(agent, env, 32 * batches, progress_bar=False)
    return agent


@pytest.mark.parametrize("network", ["dense", "conv"])
@pytest.mark.parametrize("credit", OTHERS)
def test_weights_and_what_they_learn_stay_float32(credit, network):
    sizes = (7, 6) if network == "dense" else ()
    agent = trained(credit, "bf16", 2, network=network, sizes=sizes, optimizer="adam")
    agent.check()
    kept = {name: tensor for name, tensor in agent.tensors().items() if "generator" not in name}
    changes = [weight.grad for weight in agent.net.parameters() if weight.grad is not None]
    assert {tensor.dtype for tensor in (*kept.values(), *changes)} <= {torch.float32, torch.int64}


@pytest.mark.parametrize("credit", FROM_ERRORS)
def test_changes_are_those_of_float32_to_a_few_bits(credit):
    full, fewer = (trained(credit, name, batches=1, sizes=(30, 20)) for name in ("float32", "bf16"))
    apart = [
        distance(rounded.grad, weight.grad)
        for weight, rounded in zip(full.net.parameters(), fewer.net.parameters(), strict=True)
        if weight.grad is not None
    ]
    assert 0 < max(apart) < 0.05


def test_predictions_are_made_at_the_same_precision():
    agent = trained("backprop", "bf16", sizes=(7,))
    seen = []
    agent.net.register_forward_hook(lambda net, images, output: seen.append(output.dtype))
    agent.predict(torch.zeros(2, 8, 8, 1))
    assert seen == [torch.bfloat16]


@pytest.mark.skipif(not hasattr(torch.backends.cudnn, "conv"), reason="PyTorch before 2.9")
@pytest.mark.parametrize("name", ["float32", "tf32", pytest.param("bf16", marks=GPU)])
@pytest.mark.parametrize("before", ["none", "tf32", "ieee"])  # put there by other code
def test_a_gpu_is_told_and_told_back(name, before):
    products, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    usual, products.fp32_precision = products.fp32_precision, before
    was = products.fp32_precision, convolutions.fp32_precision
    try:
        with precision(name, torch.device("cuda")):
            told = "ieee" if name == "float32" else "tf32"
            assert products.fp32_precision == convolutions.fp32_precision == told
            assert torch.is_autocast_enabled("cuda") == (name == "bf16")
        assert (products.fp32_precision, convolutions.fp32_precision) == was
    finally:
        products.fp32_precision = usual


def test_on_a_cpu_tf32_is_float32():
    assert alike(
        trained("backprop", "tf32", sizes=(7,)), trained("backprop", "float32", sizes=(7,))
    )


@pytest.mark.parametrize("credit", COMPARING)
def test_small_differences_need_all_bits(credit):
    for name in PRECISIONS[1:]:
        with pytest.raises(ValueError, match=f"differences between passes, which {name} rounds"):
            Settings(credit=credit, precision=name)


def test_a_precision_is_kept_in_settings_and_unknown_ones_are_refused():
    fewer = Settings(precision="bf16")
    assert settings_from(fewer.to_dict()).to_dict() == fewer.to_dict()
    assert settings_from(fewer.to_dict()).precision == "bf16"
    assert "precision" not in Settings().to_dict()  # runs from before there was one keep their keys
    with pytest.raises(ValueError, match="unknown precision 'fp8': choose one of float32, tf32"):
        Settings(precision="fp8")


def test_the_script_sets_two_precisions_side_by_side(tmp_path, monkeypatch, capsys):
    made = without_processes(monkeypatch)
    arguments = ["--agents", "q_agrel", "--sizes", "6", "--epochs", "1", "--seeds", "2", "--quiet"]
    monkeypatch.setattr(sys, "argv", ["precision.py", *arguments, "--out", str(tmp_path)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    with (tmp_path / "precision.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    told = [(row["precision"], row["seed"]) for row in rows]
    assert told == [(name, seed) for name in ("float32", "bf16") for seed in ("100", "101")]
    assert len(made) == 4
    less = 50 * sum(float(row["test_accuracy"]) for row in rows[2:])
    less -= 50 * sum(float(row["test_accuracy"]) for row in rows[:2])
    assert f"{less:+.2f}" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--precision", "float32"], ["--agents", "small:Inline"]])
def test_the_script_refuses_what_has_no_other_precision(wrong, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["precision.py", *wrong])
    with pytest.raises(SystemExit, match="is set beside float32, for agents of the suite: choose"):
        runpy.run_path(str(SCRIPT), run_name="__main__")
