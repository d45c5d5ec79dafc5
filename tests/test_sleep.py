"""What noise in sleep teaches the feedback of deep feedback control."""

import pytest
import torch
from cells import distance, settle
from chains import feedback_of, inputs, jacobian, make_chain, put_feedback, ready
from points import Points, sigma_points
from torch import nn

from agents.credit import control
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.weighted import weighted


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_sleep_teaches_a_linear_net_its_jacobian_exactly(monkeypatch, scale):
    rule = DeepFeedbackControl(rate=1.0, noise=0.3, scale=scale)
    net = ready(rule, make_chain(nn.Identity))
    images = inputs(1).expand(28, -1, -1, -1)
    monkeypatch.setattr(control, "draw", Points(sigma_points(14, rule.noise)))
    rule.learn(net, settle(net, "label_mse", images))
    expected = jacobian(net, images)[0].T
    expected[:-3] *= scale  # in the hidden layers
    assert distance(feedback_of(net), expected) < 1e-10


@pytest.mark.parametrize("phi", [nn.Tanh, nn.ReLU])
def test_sleep_turns_feedback_towards_the_jacobian(phi):
    rule = DeepFeedbackControl(rate=0.1)
    net = ready(rule, make_chain(phi))
    put_feedback(net, torch.cat([torch.zeros(11, 3), torch.eye(3)]))
    for seed in range(60):
        trial = settle(net, "label_mse", inputs(1000, seed=seed), seed=seed)
        rule.learn(net, trial)
    mean = jacobian(net, inputs(2000)).mean(0).T
    for layer, part in zip(weighted(net)[:-1], mean.split([6, 5, 3]), strict=False):
        assert torch.cosine_similarity(layer.feedback.flatten(), part.flatten(), 0) > 0.95
        assert layer.feedback.norm() == pytest.approx(part.norm().item(), rel=0.2)
    assert torch.equal(weighted(net)[-1].feedback, torch.eye(3).double())


def test_a_batch_smaller_than_the_units_moves_the_feedback_less():
    moved = []
    for trials in (7, 14, 28):
        net = ready(DeepFeedbackControl(), make_chain(nn.Identity))
        before = weighted(net)[0].feedback.clone()
        trial = settle(net, "label_mse", inputs(trials))
        with pytest.MonkeyPatch.context() as patched:  # no noise: the teacher is zero
            patched.setattr(control, "draw", lambda like, *_: torch.zeros_like(like))
            DeepFeedbackControl(rate=0.4).learn(net, trial)
        moved.append(distance(weighted(net)[0].feedback, before))
    assert moved == pytest.approx([0.2, 0.4, 0.4])


def test_feedback_that_learns_starts_at_zero_and_the_output_s_is_the_identity():
    for rate, scale in ((0.5, 1.0), (0.0, 1.0), (0.0, 0.1)):
        net = make_chain(sizes=(4, 300, 200, 3))
        DeepFeedbackControl(rate=rate, scale=scale).prepare(net, torch.Generator().manual_seed(0))
        *hidden, output = [layer.feedback for layer in weighted(net)]
        assert torch.equal(output, torch.eye(3).double())
        for feedback in hidden:
            expected = 0 if rate else scale * (2 / (len(feedback) + 3)) ** 0.5
            assert feedback.std().item() == pytest.approx(expected, rel=0.1)
            assert not feedback.requires_grad


def test_without_a_rate_the_feedback_stays():
    rule = DeepFeedbackControl(rate=0.0)
    net = ready(rule, make_chain())
    before = [layer.feedback.clone() for layer in weighted(net)]
    assert rule.passes == DeepFeedbackControl().passes - 1
    rule.learn(net, settle(net, "label", inputs(4)))
    assert all(map(torch.equal, before, [layer.feedback for layer in weighted(net)]))
