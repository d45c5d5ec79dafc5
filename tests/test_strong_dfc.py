"""Strong-DFC: what is clamped, and what the control that is needed teaches the weights."""

import pytest
import torch
from cells import distance, settle
from chains import (
    UNSTABLE,
    changes,
    circuit_of,
    feedback_of,
    inputs,
    jacobian,
    make_chain,
    put_feedback,
    ready,
    settled,
)
from torch import nn

from agents.credit.strong_dfc import StrongDFC
from agents.weighted import weighted

# Steps of a length that comes to a steady state.
SETTLES = {"dt": 0.1, "tau_v": 0.2, "k_p": 0.5, "tau_eps": 0.2, "tau_f": 0.2}
every_phases = pytest.mark.parametrize("phases", [1, 2])


@pytest.mark.parametrize("phi", [nn.Tanh, nn.ReLU])
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_without_a_leak_the_output_hits_its_target(phi, alpha):
    rule = StrongDFC(alpha=alpha, steps=600, **SETTLES)
    net, images = ready(rule, make_chain(phi)), inputs(3)
    put_feedback(net, jacobian(net, images).mean(0).T)
    target = net(images).detach() + 0.3
    last = settled(rule, net, images, lambda output: target - output)
    assert (distance(last.state.r[-1], target) < 1e-8) == (alpha == 0)
    probabilities = torch.tensor([[0.7, 0.2, 0.1]]).double().expand(3, -1)
    slow = StrongDFC(alpha=alpha, steps=2500, **SETTLES)
    last = settled(slow, net, images, lambda output: probabilities - output.softmax(1))
    assert (distance(last.state.r[-1].softmax(1), probabilities) < 1e-6) == (alpha == 0)


def test_no_control_is_needed_only_where_the_output_is_the_target():
    rule = StrongDFC(phases=2)
    net = ready(rule, make_chain())
    trial = settle(net, "label_mse", inputs(4))
    assert all(change.any() for change in changes(rule, net, trial))
    trial.cost = lambda output: 0 * output.sum(1)
    assert not any(change.any() for change in changes(rule, net, trial))


def test_the_target_of_a_label_is_that_label_softened():
    trial = settle(make_chain(), "label", inputs(6))
    (label,) = torch.autograd.grad(trial.cost(trial.output).sum(), trial.output)
    label = (trial.output.softmax(1) - label).argmax(1)
    with torch.no_grad():
        target = StrongDFC(certainty=0.9).target(trial)
    expected = torch.full((6, 3), 0.05, dtype=torch.float64)
    expected[range(6), label] = 0.9
    assert distance(target, expected) < 1e-10


def test_the_target_of_a_reward_is_that_reward_for_the_chosen_unit():
    trial = settle(make_chain(), "reward_prediction", inputs(6))
    (error,) = torch.autograd.grad(trial.cost(trial.output).sum(), trial.output)
    target = StrongDFC().target(trial)
    chosen = error != 0
    assert distance(target[chosen], trial.reward) < 1e-10
    assert torch.equal(target[~chosen], trial.output[~chosen])


@pytest.mark.parametrize("signal", ["policy_gradient", "agrel"])
def test_a_target_of_probabilities_stays_one_that_can_be_reached(signal):
    trial = settle(make_chain(), signal, inputs(50))
    with torch.no_grad():
        target = StrongDFC(certainty=0.9).target(trial)
    assert target.min() >= 0.05 - 1e-9
    assert target.max() <= 0.9 + 1e-9
    assert target.std() > 0.1


MEANING = {"label_mse": lambda output: output, "label": lambda output: output.softmax(1)}


@every_phases
@pytest.mark.parametrize("signal", MEANING)
def test_changes_are_means_over_the_trajectory(signal, phases):
    rule = StrongDFC(phases=phases, noise=0.2, steps=20, **SETTLES)
    net, images = ready(rule, make_chain()), inputs(4)
    put_feedback(net, jacobian(net, images).mean(0).T)
    for layer in weighted(net):
        layer.keeps_error = True
    trial = settle(net, signal, images)
    before = trial.generator.get_state()
    circuit = circuit_of(net, images)
    target = rule.target(trial).detach()
    noise = rule.xi(trial, circuit) if phases == 1 else None
    with torch.no_grad():
        moments = list(
            rule.dynamics(circuit, lambda output: target - MEANING[signal](output), noise)
        )
    states = [moment.state for moment in moments][-1 if phases == 2 else 0 :]
    trial.generator.set_state(before)
    found = changes(rule, net, trial)
    for i, layer in enumerate(weighted(net)):
        phi = nn.Identity() if i == 2 else nn.Tanh()
        errors = [-(phi(s.v[i]) - phi(s.ff[i])) / (4 * len(states)) for s in states]
        below = [s.r[i - 1] if i else images.flatten(1) for s in states]
        products = [e.T @ r for e, r in zip(errors, below, strict=True)]
        assert distance(found[2 * i], sum(products)) < 1e-10
        assert distance(found[2 * i + 1], sum(errors).sum(0)) < 1e-10
        assert distance(layer.error, sum(errors)) < 1e-10


def test_weak_feedback_goes_a_part_of_the_way_and_its_change_is_as_large():
    """Without noise, a little of a short way gives the same direction as all of it."""
    net = ready(StrongDFC(phases=2), make_chain())
    trial = settle(net, "label_mse", inputs(4))
    clamped = trial.output.detach() + 1e-4
    trial.cost = lambda output: 0.5 * (output - clamped).square().sum(1)
    found = [changes(StrongDFC(phases=2, strength=s), net, trial) for s in (1.0, 0.1)]
    assert all(distance(*pair) < 1e-3 for pair in zip(*found, strict=True))


def test_noise_hides_weak_feedback_more_than_strong():
    """The change of the same trials scatters the more about its mean, the weaker the feedback."""
    net = ready(StrongDFC(), make_chain())
    trial = settle(net, "label", inputs(4))
    scatter = []
    for strength in (1.0, 0.1):
        rule = StrongDFC(strength=strength, noise=0.02)
        found = torch.stack([changes(rule, net, trial)[2] for _ in range(20)])
        scatter.append(float(found.std(0).norm() / found.mean(0).norm()))
    assert scatter[1] > 3 * scatter[0]


def test_the_target_knows_nothing_of_the_batch():
    rule, one = StrongDFC(phases=2), inputs(1)
    net = ready(rule, make_chain())
    found = []
    for trials in (1, 8):
        trial = settle(net, "reward_prediction", one.expand(trials, -1, -1, -1))
        trial.cost = lambda output: 0.5 * (1 - output[:, 0]).square()
        found.append(changes(rule, net, trial))
    assert all(distance(*pair) < 1e-10 for pair in zip(*found, strict=True))


@every_phases
def test_trials_on_which_control_is_unstable_leave_no_trace(phases):
    rule = StrongDFC(phases=phases, steps=800)
    net = ready(rule, make_chain(nn.ReLU))
    put_feedback(net, torch.cat([torch.zeros(11, 3), -50 * torch.eye(3)]))
    before = feedback_of(net)[:11].clone()
    trial = settle(net, "label_mse", inputs(8))
    assert all(change.isfinite().all() for change in changes(rule, net, trial))
    rule.learn(net, trial)
    assert feedback_of(net).isfinite().all()
    if phases == 2:
        assert not any(change.any() for change in changes(rule, net, trial))
        assert not before.any()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *UNSTABLE,
        ({"phases": 3}, r"phases is 1 \(W and Q together\) or 2, got 3"),
        ({"certainty": 1.0}, "certainty is the probability in .5..1 of a clamped class, got 1.0"),
        ({"strength": 0.0}, "strength is above 0 and at most 1, got 0.0"),
        ({"tau_eps": 0.02}, "choose dt < tau_eps <= tau_f < 1, got dt=0.02, tau_eps=0.02"),
        ({"tau_eps": 0.3}, "tau_eps <= tau_f < 1, .* tau_eps=0.3 and tau_f=0.04"),
        ({"tau_f": 1.0}, "tau_f < 1"),
        ({"rate": -0.1}, "rate is a part in 0..1"),
        ({"noise": 0.0}, "noise is the standard deviation s > 0 of the perturbation"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        StrongDFC(**options)
