"""Agents that learn together learn what each of them learns alone."""

import pytest
import torch
from stacks import (
    BATCH,
    BATCHES,
    ENV,
    RATES,
    STACKABLE,
    cell,
    check_equal,
    environment,
    made,
    taught,
)

from agents import evaluate, load_agent, train, train_together
from agents.learner import Diverged
from agents.signals import SIGNALS
from agents.together import Together


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("credit", STACKABLE)
def test_every_cell_learns_together_what_it_learns_alone(credit, signal):
    settings = cell(signal, credit)
    alone, together, (paid, same) = taught(settings)
    assert same == paid
    fresh = made(settings, environment(settings))
    for one, other, before in zip(alone, together, fresh, strict=True):
        check_equal(one, other)
        learned = [layer for layer in before.net if hasattr(layer, "weight")][-1].weight
        now = [layer for layer in other.net if hasattr(layer, "weight")][-1].weight
        assert not torch.allclose(now, learned, atol=1e-4)


@pytest.mark.parametrize(
    "credit", ["backprop", "kolen_pollack", "weight_mirror", "learned_feedback"]
)
@pytest.mark.parametrize("network", ["conv", "loccon", "sigmoid"])
def test_other_networks_do_too(network, credit):
    settings = cell(credit=credit, network=network)
    alone, together, _ = taught(settings, batches=3, rates=RATES[1:])
    for one, other in zip(alone, together, strict=True):
        check_equal(one, other, near=1e-4)


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "lr": 0.001, "betas": (0.8, 0.9), "eps": 0.01, "pixels": (0.2, 0.5)},
        {"optimizer": "adamw", "weight_decay": 0.1},
        {"momentum": 0.9},
        {"weight_decay": 0.1},
        {"drops": (16, 32), "drop": 0.5},
    ],
)
def test_every_optimiser_steps_as_it_does_alone(options):
    rates = (0.001, 0.001, 0.004) if "optimizer" in options else RATES
    alone, together, _ = taught(cell(credit="kolen_pollack", **options), rates=rates)
    for one, other in zip(alone, together, strict=True):
        check_equal(one, other)


@pytest.mark.parametrize(
    "options",
    [
        {"rewards": {"flip": 0.3, "noise": 0.1, "label_noise": 0.2}},
        {"order": {"classes_per_stage": 3}},
        {"device": "cpu", "dtype": "float32"},
    ],
)
def test_every_agent_has_the_stream_that_it_would_have_alone(options):
    alone, together, (paid, same) = taught(cell(), **options)
    assert same == pytest.approx(paid, rel=1e-6)
    for one, other in zip(alone, together, strict=True):
        check_equal(one, other)


def test_training_in_parts_is_training_at_once():
    settings = cell(credit="kolen_pollack", momentum=0.9)
    env = environment(settings)
    parts, whole = made(settings, env), made(settings, env)
    train_together(whole, env, 6 * BATCH, progress_bar=False)
    for batches in (1, 2, 3):
        train_together(parts, env, batches * BATCH, progress_bar=False)
    for one, other in zip(whole, parts, strict=True):
        check_equal(one, other, near=0)


def test_an_agent_goes_on_alone_from_its_file(tmp_path):
    settings = cell("policy_gradient", "kolen_pollack", optimizer="adam", lr=0.001)
    alone, together, _ = taught(settings, rates=(0.001, 0.002))
    env = environment(settings)
    together[1].save(tmp_path / "agent.safetensors")
    loaded = load_agent(tmp_path / "agent.safetensors", device="cpu")
    for agent in (alone[1], loaded):
        env.reset(seed=1, options={"position": agent.trials})
        train(agent, env, 3 * BATCH, progress_bar=False)
    check_equal(alone[1], loaded)
    assert evaluate(loaded, ENV) == evaluate(alone[1], ENV)


def test_agents_that_learned_together_have_nothing_in_common_afterwards():
    settings = cell(optimizer="adam", lr=0.001)
    _, (taught_on, *others), _ = taught(settings, rates=(0.001,) * 3)
    before = [{k: v.clone() for k, v in one.tensors().items()} for one in others]
    env = environment(settings)
    env.reset(seed=1)
    train(taught_on, env, 3 * BATCH, progress_bar=False)
    for one, kept in zip(others, before, strict=True):
        assert all(torch.equal(one.tensors()[name], kept[name]) for name in kept)


def test_one_that_diverges_says_when_and_disturbs_nobody():
    settings, rates = cell(credit="learned_feedback"), (0.1, 1e30, 0.1)
    env = environment(settings)
    together = made(settings, env, rates)
    train_together(together, env, BATCHES * BATCH, progress_bar=False)
    env.reset(seed=1)
    with pytest.raises(Diverged) as alone:
        train(made(settings, env, rates)[1], env, BATCHES * BATCH, progress_bar=False)
    with pytest.raises(Diverged) as found:
        evaluate(together[1], ENV)
    assert found.value.trial == alone.value.trial
    for number in (0, 2):
        agent = made(settings, env, rates)[number]
        env.reset(seed=number)
        train(agent, env, BATCHES * BATCH, progress_bar=False)
        check_equal(agent, together[number])


@pytest.mark.parametrize("interrupted", [KeyboardInterrupt, RuntimeError])
def test_what_was_learned_before_an_interruption_is_kept(interrupted, monkeypatch):
    settings = cell()
    env = environment(settings)
    agents, learn = made(settings, env), Together.learn

    def learn_three(self, answer):
        if self.trials == 3 * BATCH:
            raise interrupted
        learn(self, answer)

    monkeypatch.setattr(Together, "learn", learn_three)
    with pytest.raises(interrupted):
        train_together(agents, env, BATCHES * BATCH, progress_bar=False)
    monkeypatch.undo()
    assert [agent.trials for agent in agents] == [3 * BATCH] * 3
