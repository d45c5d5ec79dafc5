"""What deep feedback control makes of one trial: the least change, Gauss and Newton's."""

import pytest
import torch
from cells import distance, settle
from chains import changes, circuit_of, inputs, jacobian, make_chain, put_feedback, ready
from torch import Tensor, nn
from twins import twin

from agents.credit.control import output_error
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.weighted import weighted

every_state = pytest.mark.parametrize("state", ["analytic", "steady"])
every_phi = pytest.mark.parametrize("phi", [nn.Identity, nn.ReLU])  # phi' is its own square


def slopes(net, images) -> Tensor:
    """doutput / dparameters of one trial (K, P), by plain torch.nn."""
    plain = twin(net)
    rows = [
        torch.autograd.grad(unit, list(plain.parameters()), retain_graph=True)
        for unit in plain(images)[0]
    ]
    return torch.stack([torch.cat([part.flatten() for part in row]) for row in rows])


def lengths(net, images) -> Tensor:
    """|r_{i-1}|^2 + 1 of each parameter's layer (P,): a bias is the weight of a rate of 1."""
    below = [images.flatten(1), *circuit_of(net, images).start.r[:-1]]
    return torch.cat(
        [
            (r.square().sum() + 1).expand(layer.weight.numel() + layer.fan_out)
            for layer, r in zip(weighted(net), below, strict=True)
        ]
    )


def change(rule, net, trial) -> Tensor:
    """All of it as one vector (P,)."""
    return torch.cat([part.flatten() for part in changes(rule, net, trial)])


@every_state
@every_phi
def test_feedback_that_spans_the_rows_of_the_jacobian_changes_the_weights_least(phi, state):
    rule = DeepFeedbackControl(state=state, alpha=0.0, nudge=1e-6, steps=1500)
    net, images = ready(rule, make_chain(phi)), inputs(1)
    trial = settle(net, "label_mse", images)
    error, moves, length = output_error(trial)[0], slopes(net, images), lengths(net, images)
    least = torch.linalg.pinv(moves / length.sqrt()) @ error
    mixed = 0.2 * torch.randn(3, 3, generator=torch.Generator().manual_seed(4)).double()
    for spans in (False, True):
        if spans:
            put_feedback(net, jacobian(net, images)[0].T @ (torch.eye(3) + mixed))
        found = change(rule, net, trial) / length  # learning rates that undo the rates' lengths
        assert distance(moves @ found, error) < 1e-3  # either takes the output to its target
        assert (distance(found * length.sqrt(), least) < 1e-5) == spans


@every_state
@every_phi
@pytest.mark.parametrize("alpha", [0.0, 0.3])
def test_where_all_layers_hear_as_much_the_change_is_gauss_and_newtons(phi, state, alpha):
    """Damped by the leak, as Levenberg and Marquardt damp it."""
    rule = DeepFeedbackControl(state=state, alpha=alpha, nudge=1e-6, steps=1500)
    net, images = ready(rule, make_chain(phi)), inputs(1)
    for i, layer in enumerate(weighted(net)[:-1]):
        scale = images.norm() / circuit_of(net, images).start.r[i].norm()
        layer.weight.data *= scale
        layer.bias.data *= scale
    put_feedback(net, jacobian(net, images)[0].T)
    trial = settle(net, "label_mse", images)
    error, moves, length = output_error(trial)[0], slopes(net, images), lengths(net, images)
    assert distance(length, length[0]) < 1e-12
    damping = length[0] * alpha / (1 + alpha * rule.k_p) * torch.eye(3).double()
    expected = moves.T @ torch.linalg.solve(moves @ moves.T + damping, error)
    found = change(rule, net, trial) / length
    assert distance(found, expected) < 1e-5
    assert torch.cosine_similarity(found, moves.T @ error, 0) < 0.995  # not the gradient
