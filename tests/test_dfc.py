"""Deep feedback control: what the controlled net teaches its weights."""

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
)
from torch import nn
from twins import twin

from agents.credit.control import output_error
from agents.credit.deep_feedback_control import STATES, DeepFeedbackControl
from agents.weighted import weighted

every_state = pytest.mark.parametrize("state", STATES)


@every_state
def test_a_trial_without_an_error_changes_nothing(state):
    rule = DeepFeedbackControl(state=state)
    net = ready(rule, make_chain())
    trial = settle(net, "label_mse", inputs(4))
    assert all(change.any() for change in changes(rule, net, trial))
    trial.cost = lambda output: 0 * output.sum(1)
    assert not any(change.any() for change in changes(rule, net, trial))


@pytest.mark.parametrize("phi", [nn.Identity, nn.ReLU])  # phi' is its own square
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_any_stable_feedback_teaches_within_a_right_angle_of_the_gradient(seed, phi):
    rule = DeepFeedbackControl(alpha=0.0, nudge=1e-6)
    net, images = ready(rule, make_chain(phi), seed), inputs(1, seed=seed)
    gain = jacobian(net, images)[0] @ feedback_of(net)
    assert torch.linalg.eigvals(gain).real.min() > 0  # stable
    trial = settle(net, "label_mse", images)
    error = output_error(trial)
    with torch.no_grad():
        rates = [images.flatten(1), *circuit_of(net, images).start.r[:-1]]
    plain = twin(net)
    trial.cost(plain(images)).mean().backward()
    gradients = [module.weight.grad for module in plain if isinstance(module, nn.Linear)]
    found = changes(rule, net, trial)[::2]
    agreement = sum(
        (change * gradient).sum() / rate.square().sum().clamp(min=1e-9)
        for change, gradient, rate in zip(found, gradients, rates, strict=True)
    )
    assert agreement == pytest.approx(error.square().sum().item(), rel=1e-3)


@every_state
def test_changes_are_errors_times_controlled_rates_and_do_not_know_the_nudge(state):
    net, images = ready(DeepFeedbackControl(), make_chain()), inputs(4)
    put_feedback(net, jacobian(net, images).mean(0).T)  # control is stable on every trial
    trial = settle(net, "label_mse", images)
    for layer in weighted(net):
        layer.keeps_error = True
    rule = DeepFeedbackControl(state=state, nudge=0.05)
    found = changes(rule, net, trial)
    target = trial.output.detach() - 0.05 * output_error(trial)
    with torch.no_grad():
        states = list(rule.helped(circuit_of(net, images), target))
    assert len(states) == (rule.steps if state == "mean" else 1)
    for i, layer in enumerate(weighted(net)):
        phi = nn.Identity() if i == 2 else nn.Tanh()
        errors = [-(phi(s.v[i]) - phi(s.ff[i])) / (0.05 * 4 * len(states)) for s in states]
        below = [s.r[i - 1] if i else images.flatten(1) for s in states]
        products = [e.T @ r for e, r in zip(errors, below, strict=True)]
        assert distance(found[2 * i], sum(products)) < 1e-10
        assert distance(found[2 * i + 1], sum(errors).sum(0)) < 1e-10
        assert distance(layer.error, sum(errors)) < 1e-10
    smaller = changes(DeepFeedbackControl(state=state, nudge=0.001), net, trial)
    assert all(distance(*pair) < 0.1 for pair in zip(smaller, found, strict=True))


@every_state
def test_the_target_knows_nothing_of_the_batch(state):
    rule, one = DeepFeedbackControl(state=state), inputs(1)
    net = ready(rule, make_chain())
    single = settle(net, "reward_prediction", one)
    single.cost = lambda output: 0.5 * (1 - output[:, 0]).square()
    many = settle(net, "reward_prediction", one.expand(8, -1, -1, -1))
    many.cost = single.cost
    pairs = zip(changes(rule, net, single), changes(rule, net, many), strict=True)
    assert all(distance(*pair) < 1e-10 for pair in pairs)


@every_state
def test_a_trial_on_which_control_is_unstable_teaches_nothing(state):
    rule = DeepFeedbackControl(state=state, steps=400)  # long enough to overflow
    net = make_chain(nn.ReLU, (4, 6, 3))
    ready(rule, net)
    net[1].bias.data.zero_()
    net[1].weight.data.abs_()
    images = torch.stack([torch.ones(4), -torch.ones(4)]).view(2, 4, 1, 1).double()
    jac = jacobian(net, images)[0]  # of the first; in the second all hidden units are shut
    gain = jac[:, :6] @ jac[:, :6].T
    wrong = -jac[:, :6].T @ torch.linalg.inv(gain) * (1.0 + 0.5 * rule.leak)
    put_feedback(net, torch.cat([wrong * (1 if state == "analytic" else 50), torch.eye(3)]))
    both = changes(rule, net, settle(net, "label_mse", images))
    sound = settle(net, "label_mse", images)
    label = sound.cost
    sound.images = images[1:]
    sound.output = sound.output[1:]
    sound.cost = lambda output: label(output.expand(2, -1))[1:]
    alone = changes(rule, net, sound)
    assert all(change.isfinite().all() for change in both)
    if state != "mean":  # in the mean, instants before the run-away count
        assert all(distance(2 * b, a) < 1e-10 for b, a in zip(both, alone, strict=True))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *UNSTABLE,
        ({"state": "late"}, "state is one of analytic, steady, mean, got 'late'"),
        ({"nudge": 0.0}, "nudge is the target's step lambda > 0, got 0.0"),
        ({"rate": 1.5}, "rate is a part in 0..1"),
        ({"scale": 0.0}, "scale is a factor of the feedback, more than 0, got 0.0"),
        ({"noise": 0.0}, "noise is the standard deviation s > 0 of the perturbation"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        DeepFeedbackControl(**options)
