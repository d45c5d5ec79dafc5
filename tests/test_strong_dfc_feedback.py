"""What noise under control, or in a second phase, teaches the feedback of Strong-DFC."""

import pytest
import torch
from cells import settle
from chains import circuit_of, feedback_of, inputs, jacobian, make_chain, put_feedback, ready

from agents.credit.strong_dfc import StrongDFC
from agents.weighted import weighted

every_phases = pytest.mark.parametrize("phases", [1, 2])


def test_noise_is_as_strong_and_as_slow_as_it_says():
    rule = StrongDFC(noise=0.1, dt=0.01, tau_v=0.1, tau_eps=0.1, tau_f=0.1, steps=400)
    net, images = ready(rule, make_chain()), inputs(500)
    trial = settle(net, "label_mse", images)
    xi = torch.stack([noise.clone() for noise in rule.xi(trial, circuit_of(net, images))])[100:]
    expected = 0.1**2 / (2 * 0.1 - 0.01)  # s^2 / (2 tau_eps), and what Euler's steps make of it
    assert xi.square().mean().item() == pytest.approx(expected, rel=0.02)
    later = (xi[10:] * xi[:-10]).mean() / xi.square().mean()
    assert later.item() == pytest.approx(0.9**10, rel=0.03)


PAPER = {"k_p": 2.0, "dt": 0.02, "tau_v": 0.05, "tau_eps": 0.05, "tau_f": 0.5, "steps": 150}


@pytest.mark.parametrize("settings", [{}, PAPER, {"scale": 0.1}])
def test_noise_under_control_teaches_the_jacobian_in_one_phase(settings):
    rule = StrongDFC(rate=1.0, noise=0.1, **settings)
    net, images = ready(rule, make_chain()), inputs(1000)
    put_feedback(net, torch.cat([torch.zeros(11, 3), torch.eye(3)]))
    rule.assign(net, settle(net, "label_mse", images))
    mean = jacobian(net, images).mean(0).T.split([6, 5, 3])
    for layer, part in zip(weighted(net)[:-1], mean, strict=False):
        assert torch.cosine_similarity(layer.feedback.flatten(), part.flatten(), 0) > 0.95
        assert layer.feedback.norm() == pytest.approx(rule.scale * part.norm().item(), rel=0.15)
    assert torch.equal(weighted(net)[-1].feedback, torch.eye(3).double())


def test_under_a_clamped_softmax_noise_teaches_what_control_can_move():
    """All classes' control alike moves no probability; and it climbs, slowly, all the while."""
    rule = StrongDFC(rate=1.0)
    net, images = ready(rule, make_chain()), inputs(1000)
    put_feedback(net, torch.cat([torch.zeros(11, 3), torch.eye(3)]))
    rule.assign(net, settle(net, "label", images))
    centred = torch.eye(3).double() - 1 / 3
    mean = (jacobian(net, images).mean(0).T @ centred).split([6, 5, 3])
    for layer, part in zip(weighted(net)[:-1], mean, strict=False):
        assert torch.cosine_similarity(layer.feedback.flatten(), part.flatten(), 0) > 0.9


@every_phases
def test_the_feedback_moves_unless_its_rate_is_zero(phases):
    for rate in (0.2, 0.0):
        rule = StrongDFC(phases=phases, rate=rate)
        net = ready(rule, make_chain())
        before = feedback_of(net).clone()
        trial = settle(net, "label", inputs(8))
        rule.assign(net, trial)
        rule.learn(net, trial)
        moved = (feedback_of(net) - before).norm() / before.norm()
        assert (moved > 0.01) == (rate > 0)
        assert torch.equal(feedback_of(net), before) == (rate == 0)
