"""A watched agent learns as if nobody looked; what is read over a run."""

import numpy as np
import pytest
import torch
from cells import KINDS, make_images, prepared, served, settle

from agents.credit import RULES
from agents.credit.stages import cut
from agents.layers import Conv2d
from agents.learner import Agent
from agents.metrics import Alignment, measure
from agents.plasticity import OPTIMIZERS
from agents.second_look import BatchNorm2d, Dropout
from agents.settings import Settings
from agents.weighted import weighted

every_rule = pytest.mark.parametrize("rule", RULES)
every_kind = pytest.mark.parametrize("kind", KINDS)


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
    settings = {"network": network, "sizes": (8, 6), "lr": 0.001} | keywords
    return Agent(Settings(served(rule), rule, **settings), (5, 4, 1), 3, seed=0)


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


@pytest.mark.parametrize("rule", ["backprop", "direct_feedback_alignment"])
@pytest.mark.parametrize("network", ["loccon", "resnet18", "lenet", "lenet_cifar", "lansdell"])
def test_and_where_pytorchs_own_products_would_be_other_bits(rule, network):
    settings = Settings("label", rule, network, sizes=(4,) if network == "resnet18" else ())
    watched, other = (Agent(settings, (18, 18, 3), 5, seed=1) for _ in range(2))
    Alignment(watched, every=1)
    images = torch.rand(3, 4, 18, 18, 3)
    for agent in watched, other:
        for batch in images:
            agent.act(batch)
            agent.learn(torch.tensor([0, 1, 4, 3]))
    kept, expected = watched.tensors(), other.tensors()
    assert all(torch.equal(kept[name], expected[name]) for name in expected)


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


@pytest.mark.parametrize("agent", ["q_agrel", Agent])
def test_only_an_agent_of_the_grid_is_watched(agent):
    with pytest.raises(TypeError, match="Alignment watches agents of the grid"):
        Alignment(agent)
