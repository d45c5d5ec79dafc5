"""Alignment with backprop: right angles, and a watched agent learns as if nobody looked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from cells import (
    KINDS,
    LAYERWISE,
    copy_feedback,
    distance,
    gradients,
    make_images,
    make_net,
    prepared,
    settle,
)
from torch import nn
from twins import twin

from agents.credit import RULES
from agents.credit.stages import cut
from agents.layers import Conv2d, Linear, weighted
from agents.learner import Agent
from agents.metrics import Alignment, LayerAlignment, bare, measure
from agents.plasticity import OPTIMIZERS
from agents.second_look import BatchNorm2d, Dropout
from agents.settings import Settings

every_rule = pytest.mark.parametrize("rule", RULES)
every_kind = pytest.mark.parametrize("kind", KINDS)


def read(net, rule, signal="label", images=None) -> list[LayerAlignment]:
    """What one trial says of each weighted layer."""
    for layer in weighted(net):
        layer.keeps_error = True
    trial = settle(net, signal, make_images() if images is None else images)
    RULES[rule]().assign(net, trial)
    known = [[None if np.isnan(x) else x for x in row] for row in measure(net, trial).tolist()]
    return [LayerAlignment(*row) for row in known]


# The angles


@every_kind
@pytest.mark.parametrize("rule", LAYERWISE)
def test_feedback_equal_to_the_weights_leaves_no_angle(kind, rule):
    net = prepared(kind, rule)
    copy_feedback(net)
    for layer, seen in zip(weighted(net), read(net, rule), strict=True):
        if rule == "readout_only" and layer is not weighted(net)[-1]:
            assert seen == LayerAlignment(None, None, None, None, None)
            continue
        assert (seen.error, seen.change) == (pytest.approx(0, abs=1e-5),) * 2
        copied = (pytest.approx(0, abs=1e-5), pytest.approx(1), 1)
        found = (seen.feedback, seen.norm_ratio, seen.sign_agreement)
        assert found == ((None,) * 3 if layer.feedback is None else copied)


def test_feedback_turned_by_30_degrees_turns_the_error_and_the_change_by_30():
    turn = np.deg2rad(30)
    net = nn.Sequential(Linear(3, 2), Linear(2, 2)).double()
    nn.init.normal_(net[0].weight, generator=torch.Generator().manual_seed(0))
    net[1].weight.data = torch.eye(2).double()
    rotated = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    net[1].feedback = nn.Parameter(2 * torch.tensor(rotated), requires_grad=False)
    images = torch.rand((4, 3), generator=torch.Generator().manual_seed(1)).double()
    hidden, output = read(net, "feedback_alignment", "label_mse", images)
    nothing = pytest.approx(0, abs=1e-5)
    assert hidden == LayerAlignment(pytest.approx(30), pytest.approx(30), None, None, None)
    assert output == LayerAlignment(nothing, nothing, pytest.approx(30), pytest.approx(2), 0.5)


@every_rule
def test_feedback_is_compared_with_the_weights_as_numpy_does(rule):
    net = prepared("dense", rule)
    rows = measure(net, settle(net, "label", make_images())).tolist()
    for layer, (_, _, angle, ratio, signs) in zip(weighted(net), rows, strict=True):
        if layer.feedback is None or layer.feedback.shape != layer.weight.shape:
            assert np.isnan([angle, ratio, signs]).all()
            continue
        w, b = (x.detach().numpy().ravel() for x in (layer.weight, layer.feedback))
        norms = np.linalg.norm(w), np.linalg.norm(b)
        assert np.cos(np.deg2rad(angle)) == pytest.approx(w @ b / np.prod(norms))
        assert ratio == pytest.approx(norms[1] / norms[0])
        assert signs == pytest.approx(np.mean(np.sign(w) == np.sign(b)))


@every_kind
@pytest.mark.parametrize("stages", [False, True])
def test_the_reference_is_autograds_whatever_a_rule_did_to_the_net(kind, stages):
    net = prepared(kind, "feedback_alignment")
    if stages:
        cut(weighted(net))
    trial = settle(net, "label", make_images())
    plain, reference = twin(net), bare(net)
    for copied in plain, reference:
        trial.cost(copied(trial.images)).mean().backward()
    expected, found = gradients(plain), gradients(reference)
    assert set(found) == set(expected)
    assert all(distance(found[name], expected[name]) < 1e-10 for name in expected)


def test_of_two_presentations_the_first_is_the_reference():
    net = make_net("dense")
    trial = settle(net, "label", make_images())
    trial.costs.mean().backward()
    noisy = replace(trial, cost=lambda output: trial.cost(-output), before=trial)
    changes = [
        [row[1] for row in measure(net, t).tolist()] for t in (noisy, replace(noisy, before=None))
    ]
    assert changes[0] == pytest.approx([0, 0, 0], abs=1e-5)
    assert min(changes[1]) > 1


# Nothing is left behind


def belongings(net) -> dict:
    """Every tensor that a net's modules hold, itself and as it is now."""
    held = {}
    for name, module in net.named_modules():
        parameters = dict(module.named_parameters(recurse=False))
        held |= {(name, key): value for key, value in vars(module).items()}
        held |= {(name, key): value for key, value in module.named_buffers(recurse=False)}
        held |= {(name, key): value for key, value in parameters.items()}
        held |= {(name, key, "grad"): value.grad for key, value in parameters.items()}
        if isinstance(module, Dropout):
            held[name, "generator"] = module.generator.get_state()
    tensors = {key: value for key, value in held.items() if isinstance(value, torch.Tensor)}
    return {key: (id(value), value.detach().clone()) for key, value in tensors.items()}


def same(before, after) -> bool:
    assert list(before) == list(after)
    for key, (identity, value) in before.items():
        assert torch.equal(after[key][1], value), key
        assert after[key][0] == identity or key[-1] == "generator", key
    return True


def make_agent(rule, network="dense", **keywords) -> Agent:
    signal = (RULES[rule].signals or ("reward_prediction",))[0]
    settings = {"network": network, "sizes": (8, 6), "lr": 0.01} | keywords
    return Agent(Settings(signal, rule, **settings), (5, 4, 1), 3, seed=0)


def live(agent, batches) -> None:
    for batch in range(batches):
        images = torch.rand(4, 5, 4, 1, generator=torch.Generator().manual_seed(batch))
        for answer in torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]])[: agent.presentations]:
            agent.act(images)
            agent.learn(answer if agent.learns_from == "label" else answer.float())


CELLS = [(rule, "dense") for rule in RULES]
CELLS += [(name, "conv") for name, rule in RULES.items() if Conv2d in rule.serves]
every_cell = pytest.mark.parametrize(("rule", "network"), CELLS)


def learns_the_same(watched, other) -> bool:
    alignment = Alignment(watched, every=1)
    for agent in watched, other:
        live(agent, 3)
    assert len(alignment.readings) == 3
    kept, expected = watched.tensors(), other.tensors()
    assert list(kept) == list(expected)
    return all(torch.equal(kept[name], expected[name]) for name in expected)


@every_rule
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_watched_agent_learns_bit_for_bit_as_an_unwatched_one(rule, optimizer):
    assert learns_the_same(*(make_agent(rule, optimizer=optimizer) for _ in range(2)))


@every_cell
def test_that_holds_for_every_network_that_a_rule_serves(rule, network):
    assert learns_the_same(*(make_agent(rule, network) for _ in range(2)))


@every_cell
def test_a_reading_leaves_nothing_behind(rule, network):
    agent, read = make_agent(rule, network), []

    def watch(net, trial):
        before = belongings(net)
        measure(net, trial)
        read.append(same(before, belongings(net)))

    agent.watch = watch
    live(agent, 2)
    assert read == [True, True]


@every_kind
@pytest.mark.parametrize("rule", ["kolen_pollack", "cut"])
def test_a_reading_leaves_nothing_behind_in_nets_of_every_kind(kind, rule):
    net = prepared(kind, "kolen_pollack")
    if rule == "cut":
        cut(weighted(net))
    trial = settle(net, "label", make_images())
    trial.costs.mean().backward()
    before = belongings(net)
    measure(net, trial)
    assert same(before, belongings(net))


@every_rule
def test_the_error_read_is_the_one_that_assign_made(rule, monkeypatch):
    agent, learned = make_agent(rule), []
    learn = type(agent.rule).learn

    def spy(self, net, trial):
        errors = [getattr(layer, "error", None) for layer in weighted(net)]
        learn(self, net, trial)
        after = [getattr(layer, "error", None) for layer in weighted(net)]
        learned.append([a is b for a, b in zip(errors, after, strict=True)])

    monkeypatch.setattr(type(agent.rule), "learn", spy)
    Alignment(agent)
    live(agent, 2)
    assert learned == [[True] * 3] * 2


def test_the_conv_network_that_is_watched_here_has_what_could_be_disturbed():
    assert {BatchNorm2d, Dropout} <= {*map(type, make_agent("backprop", "conv").net.modules())}


# Over a run


def test_one_batch_in_every_so_many_is_read_from_the_first_on():
    agent = make_agent("backprop")
    live(agent, 2)
    alignment = Alignment(agent, every=3)
    live(agent, 7)
    assert [reading.trials for reading in alignment.readings] == [8, 20, 32]
    assert all(len(reading.layers) == 3 for reading in alignment.readings)


@every_cell
def test_the_change_angle_is_the_mean_over_readings_and_hidden_layers(rule, network):
    agent = make_agent(rule, network)
    alignment = Alignment(agent, every=2)
    assert alignment.change_angle() is None
    live(agent, 4)
    angles = [layer.change for reading in alignment.readings for layer in reading.layers[:-1]]
    angles = [angle for angle in angles if angle is not None]
    assert all(0 <= angle <= 180 for angle in angles)
    assert alignment.change_angle() == (pytest.approx(np.mean(angles)) if angles else None)


def test_backprop_is_aligned_random_feedback_is_not_and_frozen_layers_have_no_angle():
    angles = {}
    for rule in ("backprop", "feedback_alignment", "readout_only"):
        agent = make_agent(rule)
        alignment = Alignment(agent, every=1)
        live(agent, 5)
        angles[rule] = alignment.change_angle()
    assert angles["backprop"] == pytest.approx(0, abs=1e-3)
    assert angles["feedback_alignment"] > 20
    assert angles["readout_only"] is None


def test_layers_that_wait_for_their_feedback_have_no_angle_yet():
    agent = make_agent("learned_feedback")
    alignment = Alignment(agent, every=1)
    live(agent, 3)
    waiting = [[layer.change is None for layer in reading.layers] for reading in alignment.readings]
    assert waiting == [[True, True, False], [True, False, False], [False, False, False]]


@pytest.mark.parametrize("rule", [name for name in RULES if name.startswith("sign_symmetry")])
def test_sign_symmetry_agrees_in_every_sign(rule):
    agent = make_agent(rule)
    alignment = Alignment(agent, every=1)
    live(agent, 3)
    for reading in alignment.readings:
        assert [layer.sign_agreement for layer in reading.layers] == [None, 1, 1]


@pytest.mark.parametrize("every", [0, -1, 2.5, "often"])
def test_an_interval_that_is_none_is_refused(every):
    with pytest.raises(ValueError, match=f"whole number of 1 or more, got {every}"):
        Alignment(make_agent("backprop"), every=every)
