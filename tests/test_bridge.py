"""Anybody's net, swapped: the same answers, and errors that come down by the rule's feedback."""

import copy
import pickle

import pytest
import torch
from cells import distance
from others import NETS, gradients, inputs, make, plain, swapped
from torch import nn

from agents.bridge import swap
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.weighted import weighted

RULES = [
    "backprop", "feedback_alignment", "sign_symmetry", "sign_symmetry_fixed",
    "sign_symmetry_batchwise", "kolen_pollack", "weight_mirror",
]  # fmt: skip
each_rule = pytest.mark.parametrize("rule", RULES)
each_kind = pytest.mark.parametrize("kind", NETS)


@each_kind
@each_rule
def test_the_answer_is_bit_for_bit_what_it_was(kind, rule):
    net, x = make(kind), inputs(kind)
    weights = {name: p for name, p in net.named_parameters()}
    before = copy.deepcopy(net)(x)
    swap(net, rule)
    assert torch.equal(net(x), before)
    assert all(p is weights[name] for name, p in plain(dict(net.named_parameters())).items())
    assert not any(isinstance(m, nn.Linear | nn.Conv2d) for m in net.modules())


@pytest.mark.parametrize("training", [True, False])
def test_layers_are_in_the_mode_that_the_net_is_in(training):
    net = make("resnet").train(training)
    swap(net, "feedback_alignment")
    assert {module.training for module in net.modules()} == {training}


@each_kind
def test_backprop_has_the_gradients_of_autograd(kind):
    net, x = make(kind), inputs(kind)
    before = gradients(net, x)
    swap(net, "backprop")
    after = gradients(net, x)
    assert after.keys() == before.keys()
    assert all(distance(after[name], value) < 1e-12 for name, value in before.items())


@each_kind
@each_rule
def test_feedback_that_is_the_weights_makes_the_gradients_of_autograd(kind, rule):
    net, x = make(kind), inputs(kind)
    before = gradients(net, x)
    swap(net, rule)
    for layer in weighted(net):
        if layer.feedback is not None:
            layer._forward_pre_hooks.clear()  # signs are not the weights
            layer.feedback.data.copy_(layer.weight)
    after = gradients(net, x)
    assert all(distance(after[name], value) < 1e-12 for name, value in before.items())


def test_errors_of_a_dense_net_come_down_by_the_feedback():
    net, x = swapped("dense", "feedback_alignment"), inputs("dense")
    found = gradients(net, x)
    error = torch.linspace(-1, 1, 24).double().view(6, 4)
    h1 = net[1](net[0](x))
    e2 = error @ net[4].feedback * (net[2](h1) > 0)
    e1 = e2 @ net[2].feedback * (1 - h1**2)
    assert distance(found["2.weight"], e2.T @ h1) < 1e-12
    assert distance(found["0.weight"], e1.T @ x) < 1e-12


def error_below(net: nn.Module, x: torch.Tensor, scramble: bool = False) -> torch.Tensor:
    """The error that reaches the input, with other weights on the way down than on the way up."""
    torch.manual_seed(5)
    seen = x.clone().requires_grad_()
    answer = net(seen)
    if scramble:
        for layer in weighted(net):
            layer.weight.data.normal_()
    error = torch.linspace(-1, 1, answer.numel()).double().view_as(answer)
    return torch.autograd.grad(answer, seen, error)[0]


@each_kind
@each_rule
def test_only_backprop_reads_the_weights_on_the_way_down(kind, rule):
    net, x = swapped(kind, rule), inputs(kind)
    straight, scrambled = error_below(copy.deepcopy(net), x), error_below(net, x, scramble=True)
    assert straight.norm() > 0
    assert torch.equal(straight, scrambled) is (rule != "backprop")


@each_rule
def test_under_autocast_the_gradients_are_those_of_full_precision_to_a_few_bits(rule):
    net, x = swapped("conv", rule).float(), inputs("conv").float()
    torch.manual_seed(0)  # of the signs' magnitudes
    exact = gradients(net, x)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        rough = gradients(net, x)
    assert exact.keys() == rough.keys()
    assert all(distance(rough[name], value) < 0.05 for name, value in exact.items())


@pytest.mark.parametrize("rule", RULES[2:5])
def test_each_pass_goes_down_by_the_signs_it_went_up_by(rule):
    net, x = swapped("dense", rule), inputs("dense")
    reference = error_below(copy.deepcopy(net), x)
    torch.manual_seed(5)
    seen = x.clone().requires_grad_()
    first = net(seen)
    signs = [layer.feedback.sign() for layer in weighted(net)]
    for layer, sign in zip(weighted(net), signs, strict=True):
        assert torch.equal(sign, layer.weight.sign())
        layer.weight.data.neg_()
    net(x)  # before the first has had its error
    error = torch.linspace(-1, 1, 24).double().view(6, 4)
    assert torch.equal(torch.autograd.grad(first, seen, error)[0], reference)
    for layer, sign in zip(weighted(net), signs, strict=True):
        assert torch.equal(layer.feedback.sign(), -sign)


@each_rule
def test_a_saved_state_goes_into_a_net_swapped_alike(rule):
    net, other, x = swapped("resnet", rule, 3), swapped("resnet", rule, 4), inputs("resnet")
    other.load_state_dict(net.state_dict())
    assert torch.equal(error_below(net, x), error_below(other, x))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
@each_rule
def test_a_copy_learns_alike_and_apart(rule, copied):
    net, x = swapped("resnet", rule), inputs("resnet")
    net(x)
    twin = copied(net)
    assert torch.equal(error_below(net, x), error_below(twin, x))
    for layer in weighted(net):
        layer.weight.data.zero_()
        if layer.feedback is not None:
            layer.feedback.data.zero_()
    assert error_below(twin, x).norm() > error_below(net, x).norm() == 0


def test_the_feedback_is_the_generators():
    nets = [swapped("dense", "feedback_alignment", seed) for seed in (1, 1, 2)]
    one, same, other = ([layer.feedback for layer in weighted(net)] for net in nets)
    for a, b, c in zip(one, same, other, strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c)


def test_a_net_may_have_a_rule_of_its_own_in_each_part():
    net = make("resnet")
    swap(net.layer1, FeedbackAlignment())
    swap(net.layer2, "kolen_pollack")
    assert {type(m) for m in (net.conv1, net.fc)} == {nn.Conv2d, nn.Linear}
    assert not any(layer.feedback.requires_grad for layer in weighted(net.layer1))
    assert all(layer.feedback.requires_grad for layer in weighted(net.layer2))


def test_groups_count_for_the_size_of_random_feedback():
    net = make("conv")
    swap(net, "feedback_alignment")
    _, grouped, *_ = weighted(net)
    assert (grouped.fan_in, grouped.fan_out) == (3 * 3**2, 4 * 3**2)  # 6 maps to 8, in 2 groups
