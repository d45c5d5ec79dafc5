"""Alignment with backprop: the angles of one trial, against angles that are known."""

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
from agents.layers import Linear
from agents.metrics import LayerAlignment, bare, measure
from agents.weighted import weighted

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


@pytest.mark.parametrize(
    ("rule", "reciprocal"),
    [
        ("feedback_alignment", [True] * 3), ("direct_feedback_alignment", [True, False, True]),
        ("direct_learned_feedback", [True, False, True]), ("dfc", [False] * 3),
        ("strong_dfc", [False] * 3),
    ],
)  # fmt: skip
def test_feedback_that_has_a_weights_shape_by_chance_is_not_compared_with_it(rule, reciprocal):
    """In layers as wide as there are classes all matrices are of one shape."""
    net = nn.Sequential(*(Linear(3, 3) for _ in range(3))).double()
    RULES[rule]().prepare(net, torch.Generator().manual_seed(0))
    for layer, compared in zip(weighted(net), reciprocal, strict=True):
        assert layer.reciprocal == compared


@every_rule
def test_feedback_is_compared_with_the_weights_as_numpy_does(rule):
    net = prepared("dense", rule)
    rows = measure(net, settle(net, "label", make_images())).tolist()
    for layer, (_, _, angle, ratio, signs) in zip(weighted(net), rows, strict=True):
        if layer.feedback is None or not layer.reciprocal:
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
