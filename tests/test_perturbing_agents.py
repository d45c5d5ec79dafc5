"""Agents whose rules perturb the net: which signals serve, and what noise may not reach."""

import pytest
import torch
from cells import PERTURBING

from agents.credit import RULES
from agents.learner import Agent
from agents.settings import Settings
from agents.weighted import weighted

REWARDED = ["node_perturbation_two_rewards", "node_perturbation_one_reward"]


def make_agent(rule, signal="policy_gradient", noise=0.5) -> Agent:
    chosen = rule if rule == "backprop" else RULES[rule](noise=noise)
    return Agent(Settings(signal, chosen, sizes=(8, 6)), (5, 4, 1), 3)


@pytest.mark.parametrize("rule", PERTURBING)
def test_a_prediction_knows_no_noise(rule):
    agent, images = make_agent(rule, noise=100.0), torch.rand(50, 5, 4, 1)
    agent.act(images)
    assert torch.equal(agent.predict(images), make_agent("backprop").predict(images))


def test_the_baseline_follows_past_rewards_one_part_in_a_hundred_per_trial():
    agent = make_agent("node_perturbation_one_reward")
    images, reward = torch.rand(4, 5, 4, 1), torch.tensor([1.0, 0.0, 1.0, 1.0])
    mean = 0.0
    for _ in range(3):
        agent.act(images)
        agent.learn(reward)
        mean += (1 - 0.99**4) * (0.75 - mean)
        assert float(agent.net.mean_reward) == pytest.approx(mean)
    assert "net/mean_reward" in agent.tensors()


@pytest.mark.parametrize("rule", REWARDED)
@pytest.mark.parametrize("signal", ["label", "label_mse", "reward_prediction", "agrel"])
def test_modes_that_compare_rewards_need_sampled_actions(rule, signal):
    sentence = f"{rule} goes with the signal policy_gradient, not {signal}"
    with pytest.raises(ValueError, match=sentence):
        make_agent(rule, signal)


def scramble(net, layers) -> None:
    """Let the layers' weights be right while the net answers, and wrong at other times."""
    right = {layer: layer.weight.detach().clone() for layer in layers}

    def put(weights):
        for layer, weight in weights.items():
            layer.weight.data.copy_(weight)

    net.register_forward_pre_hook(lambda *_: put(right))
    net.register_forward_hook(lambda *_: put({layer: w * 0 for layer, w in right.items()}))


@pytest.mark.parametrize("rule", [rule for rule in PERTURBING if rule.startswith("node")])
@pytest.mark.parametrize("far", range(3))
def test_no_error_goes_from_one_layer_to_another(rule, far):
    changes = []
    for scrambled in (False, True):
        agent = make_agent(rule)
        agent.optimizer.step = lambda: None
        if scrambled:
            scramble(agent.net, weighted(agent.net)[far : far + 1])
        for presentation in range(agent.presentations):
            agent.act(torch.rand(16, 5, 4, 1, generator=torch.Generator().manual_seed(0)))
            agent.learn(torch.arange(16) % (3 + presentation) == 0)
        changes.append([layer.weight.grad.clone() for layer in weighted(agent.net)])
    assert all(change.any() for change in changes[0])
    assert all(map(torch.equal, *changes))
