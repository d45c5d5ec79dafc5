"""The controller of a chain of layers: what it reaches, and which networks it refuses."""

import pytest
import torch
from cells import KINDS, distance, make_net
from chains import circuit_of, feedback_of, inputs, jacobian, make_chain, put_feedback, ready
from torch import nn

from agents.credit import RULES
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.learner import Agent
from agents.settings import Settings


def helped(rule, net, images, target):
    """The last state that the rule learns from, and what control adds to its voltages (B, N)."""
    with torch.no_grad():
        *_, state = rule.helped(circuit_of(net, images), target)
    return state, torch.cat(state.v, 1) - torch.cat(state.ff, 1)


def ask(net, images, size=0.1):
    """A target at a random distance from the feedforward output, and that distance (B, K)."""
    generator = torch.Generator().manual_seed(7)
    output = net(images).detach()
    delta = size * torch.randn(output.shape, generator=generator).double()
    return output + delta, delta


def control_of(net, images, delta, leak):
    """Q (J Q + a I)^-1 delta of each trial (B, N), J by autograd."""
    feedback = feedback_of(net)
    gain = jacobian(net, images) @ feedback
    u = torch.linalg.solve(gain + leak * torch.eye(len(delta[0])).double(), delta)
    return (u @ feedback.T).detach()


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


@pytest.mark.parametrize("alpha", [0.0, 0.3])
@pytest.mark.parametrize("margin", [0.02, -0.02])
def test_control_is_stable_where_the_eigenvalues_of_its_loop_exceed_minus_the_leak(margin, alpha):
    """k_p = 0 and layers that are as fast as a step: u <- u + dt (delta - (J Q + alpha) u)."""
    rule = DeepFeedbackControl(alpha=alpha, k_p=0.0, dt=0.1, tau_v=0.1, steps=800)
    net, images = ready(rule, make_chain(nn.Identity)), inputs(1)
    (jac,) = jacobian(net, images)
    basis = torch.randn(3, 3, generator=torch.Generator().manual_seed(4)).double()
    eigenvalues = torch.tensor([margin - alpha, 0.8, 1.5]).double()
    gain = basis @ eigenvalues.diag() @ torch.linalg.inv(basis)  # and not symmetric
    put_feedback(net, torch.linalg.pinv(jac) @ gain)
    target, delta = ask(net, images)
    with torch.no_grad():
        moments = rule.dynamics(circuit_of(net, images), lambda output: target - output)
        u = torch.cat([moment.u for moment in moments])
    balance = torch.linalg.solve(gain + alpha * torch.eye(3).double(), delta[0])
    away = (u - balance).norm(dim=1)
    assert away[-1] / away[-2] == pytest.approx(1 - rule.dt * margin, rel=1e-9)
    assert (away[-1] < away[0]) == (margin > 0)


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
