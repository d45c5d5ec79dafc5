"""Deep feedback control: what the controller reaches, what it teaches, and what sleep teaches Q."""

import pytest
import torch
from cells import KINDS, distance, make_net, settle, twin
from chains import UNSTABLE, inputs, jacobian, make_chain, put_feedback, ready
from points import Points, sigma_points
from torch import nn

from agents.credit import RULES, control
from agents.credit.circuit import Circuit
from agents.credit.control import output_error
from agents.credit.deep_feedback_control import STATES, DeepFeedbackControl
from agents.layers import weighted
from agents.learner import Agent
from agents.settings import Settings

every_state = pytest.mark.parametrize("state", STATES)


def helped(rule, net, images, target):
    """The last state that the rule learns from, and what control adds to its voltages (B, N)."""
    with torch.no_grad():
        *_, state = rule.helped(Circuit(net, images), target)
    return state, torch.cat(state.v, 1) - torch.cat(state.ff, 1)


def ask(net, images, size=0.1):
    """A target at a random distance from the feedforward output, and that distance (B, K)."""
    generator = torch.Generator().manual_seed(7)
    output = net(images).detach()
    delta = size * torch.randn(output.shape, generator=generator).double()
    return output + delta, delta


def control_of(net, images, delta, leak):
    """Q (J Q + a I)^-1 delta of each trial (B, N), J by autograd."""
    feedback = torch.cat([layer.feedback for layer in weighted(net)])
    gain = jacobian(net, images) @ feedback
    u = torch.linalg.solve(gain + leak * torch.eye(len(delta[0])).double(), delta)
    return (u @ feedback.T).detach()


def changes(rule, net, trial) -> list[torch.Tensor]:
    rule.assign(net, trial)
    return [p.grad.clone() for layer in weighted(net) for p in (layer.weight, layer.bias)]


@pytest.mark.parametrize(("alpha", "k_p"), [(0.0, 0.5), (0.3, 0.0), (0.3, 2.0)])
@pytest.mark.parametrize("phi", [nn.Identity, nn.Tanh, nn.ReLU])
def test_the_analytic_control_is_the_solution_with_the_leak_on_the_integral(phi, alpha, k_p):
    rule = DeepFeedbackControl(alpha=alpha, k_p=k_p)
    net, images = ready(rule, make_chain(phi)), inputs(5)
    target, delta = ask(net, images)
    _, added = helped(rule, net, images, target)
    assert distance(added, control_of(net, images, delta, alpha / (1 + alpha * k_p))) < 1e-10


@pytest.mark.parametrize(("alpha", "k_p"), [(0.0, 0.5), (0.3, 0.0), (0.3, 0.5)])
def test_the_dynamics_of_a_linear_net_end_in_the_analytic_state(alpha, k_p):
    rule = DeepFeedbackControl(state="steady", alpha=alpha, k_p=k_p, steps=1500)
    net, images = ready(rule, make_chain(nn.Identity)), inputs(3)
    put_feedback(net, 0.5 * jacobian(net, images)[0].T)
    target, delta = ask(net, images)
    state, added = helped(rule, net, images, target)
    leak = alpha / (1 + alpha * k_p)
    assert distance(added, control_of(net, images, delta, leak)) < 1e-10
    analytic, _ = helped(DeepFeedbackControl(alpha=alpha, k_p=k_p), net, images, target)
    assert distance(state.r[-1], analytic.r[-1]) < 1e-10
    assert (distance(state.r[-1], target) < 1e-10) == (alpha == 0)


@pytest.mark.parametrize("phi", [nn.Identity, nn.Tanh, nn.ReLU])
def test_feedback_that_spans_the_rows_of_the_jacobian_moves_the_voltages_least(phi):
    rule = DeepFeedbackControl(alpha=0.0)
    net, images = ready(rule, make_chain(phi)), inputs(1)
    (jac,) = jacobian(net, images)
    target, delta = ask(net, images)
    least = delta @ torch.linalg.pinv(jac).T
    assert distance(helped(rule, net, images, target)[1], least) > 0.1  # random feedback does not
    mixed = torch.randn(3, 3, generator=torch.Generator().manual_seed(4)).double()
    put_feedback(net, jac.T @ mixed)
    assert distance(helped(rule, net, images, target)[1], least) < 1e-10


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
    gain = jacobian(net, images)[0] @ torch.cat([m.feedback for m in weighted(net)])
    assert torch.linalg.eigvals(gain).real.min() > 0  # stable
    trial = settle(net, "label_mse", images)
    error = output_error(trial)
    with torch.no_grad():
        rates = [images.flatten(1), *Circuit(net, images).forward().r[:-1]]
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
        states = list(rule.helped(Circuit(net, images), target))
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


def test_sleep_teaches_a_linear_net_its_jacobian_exactly(monkeypatch):
    rule = DeepFeedbackControl(rate=1.0, noise=0.3)
    net = ready(rule, make_chain(nn.Identity))
    images = inputs(1).expand(28, -1, -1, -1)
    monkeypatch.setattr(control, "draw", Points(sigma_points(14, rule.noise)))
    rule.learn(net, settle(net, "label_mse", images))
    found = torch.cat([layer.feedback for layer in weighted(net)])
    assert distance(found, jacobian(net, images)[0].T) < 1e-10


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
    for rate in (0.5, 0.0):
        net = make_chain(sizes=(4, 300, 200, 3))
        DeepFeedbackControl(rate=rate).prepare(net, torch.Generator().manual_seed(0))
        *hidden, output = [layer.feedback for layer in weighted(net)]
        assert torch.equal(output, torch.eye(3).double())
        for feedback in hidden:
            expected = 0 if rate else (2 / (len(feedback) + 3)) ** 0.5
            assert feedback.std().item() == pytest.approx(expected, rel=0.1)
            assert not feedback.requires_grad


def test_without_a_rate_the_feedback_stays():
    rule = DeepFeedbackControl(rate=0.0)
    net = ready(rule, make_chain())
    before = [layer.feedback.clone() for layer in weighted(net)]
    assert rule.passes == DeepFeedbackControl().passes - 1
    rule.learn(net, settle(net, "label", inputs(4)))
    assert all(map(torch.equal, before, [layer.feedback for layer in weighted(net)]))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        *UNSTABLE,
        ({"state": "late"}, "state is one of analytic, steady, mean, got 'late'"),
        ({"nudge": 0.0}, "nudge is the target's step lambda > 0, got 0.0"),
        ({"rate": 1.5}, "rate is a part in 0..1"),
        ({"noise": 0.0}, "noise is the standard deviation s > 0 of the perturbation"),
    ],
)
def test_settings_that_cannot_work_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        DeepFeedbackControl(**options)


@pytest.mark.parametrize("rule", ["dfc", "strong_dfc"])
@pytest.mark.parametrize("network", ["conv", "loccon", "deep"])
def test_networks_that_share_weights_are_refused(network, rule):
    with pytest.raises(ValueError, match=f"{rule} serves .* Linear; .* use network='dense'"):
        Agent(Settings("label", rule, network=network), (8, 8, 1), 3)


@pytest.mark.parametrize("module", [nn.BatchNorm1d(5), nn.Dropout(0.3), nn.Softmax(1)])
def test_chains_with_anything_between_the_layers_are_refused(module):
    net = make_chain()
    net.insert(3, module)
    with pytest.raises(ValueError, match=f"plain chain .* has a {type(module).__name__}: use"):
        RULES["dfc"]().check(net, "label")
    for kind in set(KINDS) - {"dense"}:
        with pytest.raises(ValueError, match="use network='dense'"):
            RULES["dfc"]().check(make_net(kind), "label")
