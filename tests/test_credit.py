"""What every rule in the table must prove, and what its card says, measured."""

import copy

import pytest
import torch
from cells import (
    FEEDBACK_RULES,
    KINDS,
    LAYERWISE,
    LOCAL_RULES,
    copy_feedback,
    distance,
    gradients,
    make_images,
    make_net,
    prepared,
    served,
    serves,
    settle,
)
from torch import nn
from twins import twin

from agents.credit import RULES, CreditRule
from agents.layers import Conv2d, Linear
from agents.learner import Agent
from agents.settings import Settings
from agents.signals import SIGNALS
from agents.weighted import weighted

every_rule = pytest.mark.parametrize("rule", RULES)
layerwise = pytest.mark.parametrize("rule", LAYERWISE)
every_kind = pytest.mark.parametrize("kind", KINDS)


def reference(net, trial) -> dict[str, torch.Tensor]:
    """What plain torch.nn says of the same trial."""
    plain = twin(net)
    trial.cost(plain(trial.images)).mean().backward()
    return gradients(plain)


@every_kind
@layerwise
@pytest.mark.parametrize(("dtype", "near"), [(torch.float32, 1e-6), (torch.float64, 1e-10)])
def test_feedback_equal_to_the_weights_gives_the_gradient(kind, rule, dtype, near):
    net = prepared(kind, rule, dtype)
    copy_feedback(net)
    trial = settle(net, "label", make_images(dtype=dtype))
    expected = reference(net, trial)
    RULES[rule]().assign(net, trial)
    found = gradients(net)
    assert set(found) == ({list(expected)[-1]} if rule == "readout_only" else set(expected))
    for name, gradient in found.items():
        assert distance(gradient, expected[name]) < near, name


@layerwise
@pytest.mark.parametrize("signal", SIGNALS)
def test_every_signal_goes_down_by_every_rule(signal, rule):
    net = prepared("residual", rule)
    copy_feedback(net)
    trial = settle(net, signal, make_images())
    expected = reference(net, trial)
    RULES[rule]().assign(net, trial)
    for name, gradient in gradients(net).items():
        assert distance(gradient, expected[name]) < 1e-10, name


def scramble(layers) -> None:
    """Let the layers respond by their right weights, and show wrong ones to whoever looks."""
    generator = torch.Generator().manual_seed(6)  # by chance, signs of a few units can be right
    for layer in layers:
        layer.respond = responder(layer, layer.weight.detach().clone())
        layer.weight.data.normal_(generator=generator)


def responder(layer, right):
    return lambda activity, weight, bias: type(layer).respond(layer, activity, right, bias)


def outcome(net, rule) -> tuple[dict, list, list]:
    """Gradients, layers' errors and learned feedback after one trial."""
    for layer in weighted(net):
        layer.keeps_error = True
    noise = torch.Generator().manual_seed(3)
    trial = settle(
        lambda images: RULES[rule]().look(net, images, noise, None), "label_mse", make_images()
    )
    RULES[rule]().assign(net, trial)
    errors = [getattr(layer, "error", None) for layer in weighted(net)]
    RULES[rule]().learn(net, trial)
    return gradients(net), errors, [layer.feedback for layer in weighted(net)]


def same(a, b) -> bool:
    return (a is None and b is None) or torch.equal(a, b)


@every_kind
@layerwise
def test_only_rules_that_say_so_read_forward_weights_on_the_way_down(kind, rule):
    net = prepared(kind, rule)
    scrambled = copy.deepcopy(net)
    scramble(weighted(scrambled))
    changes, errors, feedback = outcome(net, rule)
    changed, other_errors, other_feedback = outcome(scrambled, rule)
    assert same(errors[-1], other_errors[-1])  # the output's error needs no weights
    if not RULES[rule].transports_weights:
        assert all(map(same, feedback, other_feedback))
        assert all(map(same, errors, other_errors))
        assert all(same(changes[name], changed[name]) for name in changes)
        return
    assert not any(map(same, errors[:-1], other_errors[:-1]))
    weights = [f"{name}.weight" for name, m in net.named_modules() if m in weighted(net)]
    assert not any(same(changes[name], changed[name]) for name in weights[:-1])


@pytest.mark.parametrize("rule", LOCAL_RULES)
@pytest.mark.parametrize("far", range(4))
def test_a_change_of_far_weights_does_not_reach_a_layer(far, rule):
    net = prepared("strided", rule)
    other = copy.deepcopy(net)
    scramble(weighted(other)[far : far + 1])
    assert all(map(same, outcome(net, rule)[1], outcome(other, rule)[1]))


@layerwise
def test_the_feedback_of_a_rule_that_does_not_use_the_weights_is_its_own(rule):
    net = make_net("strided")
    serves(rule, Conv2d)
    RULES[rule]().prepare(net, torch.Generator().manual_seed(0))
    own = [layer.feedback is not None for layer in weighted(net)]
    assert own == ([False, True, True, True] if rule in FEEDBACK_RULES else [False] * 4)


def make_agent(signal, rule, **keywords) -> Agent:
    settings = {"network": "dense", "sizes": (8, 6), "lr": 0.1} | keywords
    serves(rule, Linear if settings["network"] == "dense" else Conv2d)
    return Agent(Settings(signal, rule, **settings), (5, 4, 1), 3, seed=0)


@every_rule
@pytest.mark.parametrize("network", ["dense", "conv"])
def test_a_trial_costs_the_forward_passes_the_rule_says(rule, network):
    agent = make_agent(served(rule), rule, network=network)
    passes, readout = [], weighted(agent.net)[-1]
    respond = readout.respond  # once a pass, also where a rule runs the layers by itself
    readout.respond = lambda *given: passes.append(1) or respond(*given)
    for _ in range(agent.presentations):
        agent.act(torch.rand(4, 5, 4, 1))
        agent.learn(torch.ones(4))
    mirrored = rule == "weight_mirror"  # it shows the readout noise, and no image
    assert len(passes) == RULES[rule]().passes + mirrored


DECAY = {"weight_decay": 0.01}
UNLIKE = [{"optimizer": "sgd", "momentum": 0.9} | DECAY, {"optimizer": "adam"} | DECAY]
LINEAR = [
    {"optimizer": "sgd"} | DECAY, {"optimizer": "adamw", "lr": 0.01} | DECAY,
    {"optimizer": "sgd", "momentum": 0.9}, {"optimizer": "adam"},
]  # fmt: skip


@every_rule
@pytest.mark.parametrize("options", UNLIKE + LINEAR)
def test_rules_that_need_the_same_decay_refuse_other_optimisers(rule, options):
    net = prepared("dense", rule)
    mirrors = any(f is not None and f.requires_grad for f in (m.feedback for m in weighted(net)))
    assert RULES[rule].needs_same_decay == mirrors  # feedback that the optimiser itself moves
    if mirrors and options in UNLIKE:
        with pytest.raises(ValueError, match="same decay at every step: use 'sgd' without mom"):
            make_agent(served(rule), rule, **options)
    else:
        make_agent(served(rule), rule, **options)


def kernels(agent) -> list[nn.Parameter]:
    return [layer.weight for layer in weighted(agent.net)]


def moves_feedback(agent) -> bool:
    """Whether anything of the rule's could change it."""
    own, plain = type(agent.rule), CreditRule
    by_itself = own.learn is not plain.learn or own.look is not plain.look
    return by_itself or any(p.requires_grad for p in feedback_of(agent))


def feedback_of(agent) -> list[nn.Parameter]:
    return [layer.feedback for layer in weighted(agent.net) if layer.feedback is not None]


@layerwise
def test_feedback_that_nothing_moves_stays_and_readout_only_keeps_its_hidden_layers(rule):
    agent = make_agent("label", rule, network="conv", weight_decay=0.01)
    before = [weight.detach().clone() for weight in kernels(agent)]
    feedback = [one.clone() for one in feedback_of(agent)]
    for trial in range(4):
        agent.act(torch.rand(4, 5, 4, 1, generator=torch.Generator().manual_seed(trial)))
        agent.learn(torch.tensor([0, 1, 2, 0]))
    moved = [not torch.equal(*pair) for pair in zip(kernels(agent), before, strict=True)]
    assert moved == ([False] * 3 + [True] if rule == "readout_only" else [True] * 4)
    kept = [torch.equal(*pair) for pair in zip(feedback_of(agent), feedback, strict=True)]
    assert kept == [not moves_feedback(agent)] * (3 if rule in FEEDBACK_RULES else 0)
