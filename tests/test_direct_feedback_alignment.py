"""Direct feedback alignment: each layer's input gets the output's own error, and nothing else."""

import copy
from dataclasses import replace

import pytest
import torch
from cells import KINDS, Residual, distance, draw, gradients, make_images, prepared, settle
from torch import nn
from torch.func import functional_call
from twins import Unshared, twin

from agents.credit import RULES
from agents.credit.base import upper
from agents.credit.direct_feedback_alignment import DirectFeedbackAlignment
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.learner import Agent
from agents.settings import Settings
from agents.signals import SIGNALS

RULE = DirectFeedbackAlignment()
PLAIN = (nn.Linear, nn.Conv2d, Unshared)
CASES = [(kind, "label") for kind in KINDS]
CASES += [("residual", signal) for signal in SIGNALS if signal != "label"]


def carried(layer: nn.Module, activity, feedback, error) -> torch.Tensor:
    """What plain torch.nn's layer sends down if its weights are D and every position errs alike."""
    activity = activity.detach().requires_grad_()
    weights = {"weight": feedback, "bias": None}
    answer = functional_call(layer, weights, activity)
    positions = answer[0, 0].numel()
    alike = error.flatten(1).repeat_interleave(positions, 1).view_as(answer)
    (below,) = torch.autograd.grad(answer, activity, alike / positions**0.5)
    return below


def reference(net, trial) -> dict[str, torch.Tensor]:
    """The gradients of a twin of plain torch.nn, cut by hand and given the errors by hand."""
    plain, source = twin(net), {}

    def cut(layer, inputs):
        source[layer] = inputs[0]
        return inputs[0].detach()

    layers = [module for module in plain.modules() if isinstance(module, PLAIN)]
    hooks = [layer.register_forward_pre_hook(cut) for layer in layers[1:]]
    output = plain(trial.images)
    for hook in hooks:
        hook.remove()
    cost = trial.cost(output).mean()
    (error,) = torch.autograd.grad(cost, output, retain_graph=True)
    for layer, ours in zip(layers[1:], upper(net), strict=True):
        below = carried(layer, source[layer], ours.feedback, error)
        cost = cost + (source[layer] * below).sum()
    cost.backward()
    return gradients(plain)


@pytest.mark.parametrize(("kind", "signal"), CASES)
def test_every_layer_learns_from_the_outputs_error_by_its_own_feedback(kind, signal):
    net = prepared(kind, RULE.name)
    trial = settle(net, signal, make_images())
    expected = reference(net, trial)
    RULE.assign(net, trial)
    found = gradients(net)
    assert set(found) == set(expected)
    for name, gradient in found.items():
        assert distance(gradient, expected[name]) < 1e-10, name


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_errors_do_not_depend_on_upper_weights(kind):
    found = []
    for wrong in (False, True):
        net = prepared(kind, RULE.name)
        trial = settle(net, "label", make_images())
        for layer in upper(net) if wrong else []:
            layer.weight.data.normal_()  # after the net has answered
        RULE.assign(net, trial)
        found.append(gradients(net))
    assert all(torch.equal(found[1][name], gradient) for name, gradient in found[0].items())


def test_the_error_goes_through_the_slope_of_the_units():
    net = draw(nn.Sequential(Linear(4, 3, bias=True), nn.ReLU(), Linear(3, 3)).double(), 0)
    net[0].bias.data.copy_(torch.tensor([5, -100, 5]))  # the second unit never answers
    RULE.prepare(net, torch.Generator().manual_seed(0))
    trial = settle(net, "label_mse", torch.rand(6, 4).double())
    RULE.assign(net, trial)
    assert net[2].feedback[:, 1].all()  # an error comes, its slope is 0
    assert [bool(row.any()) for row in net[0].weight.grad] == [True, False, True]


LINEAR_NETS = {  # all linear: D can be the whole way from a layer's input to the output
    "two layers": lambda: [Linear(4, 5), Linear(5, 3)],
    "four layers": lambda: [Linear(4, 5), Linear(5, 6), Linear(6, 4), Linear(4, 3)],
    "residual": lambda: [
        Linear(4, 5), Residual(nn.Sequential(Linear(5, 6), Linear(6, 5)), nn.Identity()),
        Linear(5, 3),
    ],
    "shortcut": lambda: [Linear(4, 5), Residual(Linear(5, 6), Linear(5, 6)), Linear(6, 3)],
}  # fmt: skip


@pytest.mark.parametrize("kind", LINEAR_NETS)
def test_direct_feedback_that_is_the_whole_way_up_gives_the_gradient(kind):
    net = draw(nn.Sequential(*LINEAR_NETS[kind]()).double(), 0)
    images = torch.rand(6, 4).double()
    exact = copy.deepcopy(net)
    settle(exact, "label", images).costs.mean().backward()
    RULE.prepare(net, torch.Generator().manual_seed(0))
    way = torch.eye(3, dtype=torch.float64)  # from a layer's output to the net's
    for layer in reversed(upper(net)):
        layer.feedback.data = way @ layer.weight.detach()
        beside = kind == "shortcut" and layer is net[1].shortcut  # the branch ends there too
        way = way if beside else layer.feedback.data
    RULE.assign(net, settle(net, "label", images))
    for name, gradient in gradients(exact).items():
        assert distance(gradients(net)[name], gradient) < 1e-12, name


def test_with_one_hidden_layer_it_is_feedback_alignment_bit_for_bit():
    found = []
    for rule in (RULE, RULES["feedback_alignment"]()):
        net = draw(nn.Sequential(Linear(4, 5, bias=True), nn.ReLU(), Linear(5, 3)), 0)
        rule.prepare(net, torch.Generator().manual_seed(0))
        images = torch.rand(6, 4, generator=torch.Generator().manual_seed(1))
        rule.assign(net, settle(net, "label", images))
        found.append(gradients(net))
    assert all(torch.equal(found[1][name], gradient) for name, gradient in found[0].items())


LAYERS = [
    lambda size: Linear(4 * size**2, 20),
    lambda size: Conv2d(4, 20, 3),
    lambda size: Conv2d(4, 20, 3, stride=2),
    lambda size: LocallyConnected2d(4, 20, 3, (size, size)),
]


@pytest.mark.parametrize("size", [5, 21])
@pytest.mark.parametrize("make", LAYERS)
def test_an_error_is_as_long_below_a_layer_of_any_kind_and_size(make, size):
    layer, top = make(size), Linear(7, 8)  # 8 outputs
    net = nn.Sequential(Linear(1, 1), layer, top)
    RULE.prepare(net, torch.Generator().manual_seed(0))
    activity = torch.zeros(1, 4, size, size)
    activity = activity.flatten(1) if isinstance(layer, Linear) else activity
    error = torch.randn(200, 8, generator=torch.Generator().manual_seed(1))
    layer.answered = layer(activity).expand(200, *[-1] * (activity.dim() - 1))
    sent = RULE.shown(error, layer)
    assert sent.shape[1:2] == error.shape[1:2]
    assert distance(sent.flatten(1).norm(dim=1), error.norm(dim=1)) < 1e-5
    below = layer.below(sent, activity.expand(200, *activity.shape[1:]), layer.feedback)
    maps = 9 if not isinstance(layer, Linear) else 1  # taps: fan-in 4 maps, fan-out 8
    expected = (2 * layer.fan_in / (layer.fan_in + 8 * maps)) ** 0.5  # of feedback alignment
    assert below.norm() / error.norm() == pytest.approx(expected, rel=0.2)


def test_a_map_shows_the_error_itself_where_it_is_not_scaled():
    layer = Conv2d(4, 20, 3)
    layer.answered = torch.zeros(5, 20, 2, 7)
    error = torch.randn(5, 8, generator=torch.Generator().manual_seed(1))
    shown = DirectFeedbackAlignment(scaled=False).shown(error, layer)
    assert torch.equal(shown, error[:, :, None, None].expand(5, 8, 2, 7))  # BioTorch
    assert distance(RULE.shown(error, layer), shown / 14**0.5) < 1e-6


def test_a_setting_that_came_later_leaves_the_runs_of_its_default_their_keys():
    plain = Settings("label", RULE).to_dict()
    assert plain["credit"] == {"name": "direct_feedback_alignment"}
    other = Settings("label", DirectFeedbackAlignment(scaled=False))
    assert other.to_dict()["credit"]["scaled"] is False
    assert Settings.from_dict(other.to_dict()) == replace(other, sizes=other.network_sizes)


def test_its_feedback_answers_to_the_output_and_never_changes():
    agent = Agent(Settings("label", RULE, network="conv", weight_decay=0.01), (5, 4, 1), 3, seed=0)
    layers = upper(agent.net)
    assert [tuple(layer.feedback.shape) for layer in layers] == [(3, 32, 3, 3), (3, 192), (3, 500)]
    before = [layer.feedback.clone() for layer in layers]
    for seed in range(4):
        agent.act(torch.rand(4, 5, 4, 1, generator=torch.Generator().manual_seed(seed)))
        agent.learn(torch.tensor([0, 1, 2, 0]))
    assert all(torch.equal(layer.feedback, b) for layer, b in zip(layers, before, strict=True))
