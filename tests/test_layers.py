"""The weighted layers answer as PyTorch's do, and send errors down through their feedback."""

import pytest
import torch
import torch.nn.functional as F
from cells import FEEDBACK_RULES, distance, draw, make_images, prepared, settle
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from twins import Unshared

from agents.credit import RULES
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.second_look import BatchNorm2d, Dropout, second_look
from agents.weighted import weighted

TIGHT = 1e-12

sizes = st.fixed_dictionaries(
    {
        "channels": st.integers(1, 3),
        "outputs": st.integers(1, 3),
        "kernel": st.integers(1, 4),
        "size": st.tuples(st.integers(4, 8), st.integers(4, 8)),
        "stride": st.integers(1, 3),
        "padding": st.integers(0, 2),
        "bias": st.booleans(),
        "trials": st.integers(1, 3),
    }
)


def make_layer(kind, channels, outputs, kernel, size, stride, padding, bias, trials):
    """A layer, the same of torch.nn, that one with the feedback weights, and an input."""
    if kind == "conv":
        layer = Conv2d(channels, outputs, kernel, stride, padding, bias)
        make = lambda: nn.Conv2d(channels, outputs, kernel, stride, padding, bias=bias)  # noqa: E731
    else:
        layer = LocallyConnected2d(channels, outputs, kernel, size, stride, padding, bias)
        make = lambda: Unshared(layer)  # noqa: E731
    draw(layer.double(), 0)
    forward, downward = make().double(), make().double()
    forward.load_state_dict(layer.state_dict())
    layer.feedback = nn.Parameter(torch.randn_like(layer.weight))
    downward.weight.data.copy_(layer.feedback)
    return layer, forward, downward, torch.randn(trials, channels, *size, dtype=torch.float64)


@pytest.mark.parametrize("kind", ["conv", "local"])
@settings(max_examples=40)
@given(shape=sizes)
def test_any_layer_shape_goes_both_ways_as_torch_does(kind, shape):
    layer, forward, downward, activity = make_layer(kind, **shape)
    ours, theirs, below = (activity.clone().requires_grad_() for _ in range(3))
    answer, reference = layer(ours), forward(theirs)
    assert distance(answer, reference) < TIGHT
    error = torch.randn_like(answer)
    answer.backward(error)
    reference.backward(error)
    downward(below).backward(error)
    assert distance(ours.grad, below.grad) < TIGHT  # through the feedback, not the weights
    assert distance(layer.weight.grad, theirs_weight := forward.weight.grad) < TIGHT
    assert distance(layer.feedback.grad, theirs_weight) < TIGHT
    if shape["bias"]:
        assert distance(layer.bias.grad, forward.bias.grad) < TIGHT


@pytest.mark.parametrize("stride", [2, (2, 1)])
def test_a_kernel_of_one_place_that_skips_some_keeps_to_its_memory(stride):
    """In single precision, channels last, on few maps: oneDNN's own way ends in a crash."""
    layer = draw(Conv2d(2, 4, 1, stride), 0)
    activity = torch.randn(32, 2, 8, 8).contiguous(memory_format=torch.channels_last)
    error = torch.randn_like(layer(activity))
    exact = layer.product(error.double(), activity.double())
    for _ in range(100):
        layer.weight.grad = None
        layer(activity).backward(error)
        assert distance(layer.weight.grad, exact) < 1e-5


def test_dense_layer_goes_both_ways_as_torch_does():
    layer = draw(Linear(5, 4, bias=True).double(), 0)
    layer.feedback = nn.Parameter(torch.randn_like(layer.weight))
    activity, error = torch.randn(3, 5).double().requires_grad_(), torch.randn(3, 4).double()
    answer = layer(activity)
    assert distance(answer, F.linear(activity, layer.weight, layer.bias)) < TIGHT
    answer.backward(error)
    assert distance(activity.grad, error @ layer.feedback) < TIGHT
    assert distance(layer.weight.grad, error.T @ activity) < TIGHT
    assert distance(layer.bias.grad, error.sum(0)) < TIGHT


@pytest.mark.parametrize("rule", FEEDBACK_RULES)
@pytest.mark.parametrize("kind", ["dense", "strided", "local"])
def test_weight_and_feedback_never_share_a_gradient_or_memory(kind, rule):
    net = prepared(kind, rule)
    RULES[rule]().assign(net, settle(net, "label", make_images()))
    for layer in weighted(net)[1:]:
        assert layer.feedback.data_ptr() != layer.weight.data_ptr()
        if layer.feedback.grad is not None:
            assert torch.equal(layer.feedback.grad, layer.weight.grad)
            assert layer.feedback.grad.data_ptr() != layer.weight.grad.data_ptr()


@pytest.mark.parametrize("kind", ["dense", "strided", "local", "residual"])
def test_kept_errors_are_those_of_each_layer(kind):
    net = prepared(kind, "backprop")
    answers = {}
    for layer in weighted(net):
        layer.keeps_error = True
        layer.register_forward_hook(lambda layer, _, answer: answers.update({layer: answer}))
    trial = settle(net, "label", make_images())
    for answer in answers.values():
        answer.retain_grad()
    trial.costs.mean().backward()
    for layer, answer in answers.items():
        assert torch.equal(layer.error, answer.grad)


@pytest.mark.parametrize("kind", ["dense", "strided", "local", "residual", "dropout"])
def test_what_a_layer_keeps_as_sent_is_its_own_way_down(kind):
    net = prepared(kind, "feedback_alignment")
    heard = {}
    for layer in weighted(net):
        layer.keeps_error = layer.keeps_sent = True
        layer.register_forward_hook(lambda layer, inputs, _: heard.update({layer: inputs[0]}))
    settle(net, "label", make_images()).costs.mean().backward()
    first, *upper = weighted(net)
    assert first.sent is None
    for layer in upper:  # of a unit that others hear, too, only what this layer says
        expected = layer.below(layer.error, heard[layer], layer.feedback)
        assert torch.equal(layer.sent, expected)


def test_a_frozen_weight_costs_no_product_and_still_lets_errors_through():
    layer = draw(Linear(5, 4).double(), 0).requires_grad_(False)
    activity = torch.randn(3, 5).double().requires_grad_()
    layer(activity).sum().backward()
    assert layer.weight.grad is None
    assert distance(activity.grad, layer.weight.sum(0).expand(3, 5)) < TIGHT


def test_dropout_drops_the_fraction_it_says_and_keeps_the_mean():
    dropout = Dropout(0.8, torch.Generator().manual_seed(0))
    out = dropout(torch.ones(100, 100))
    assert out.unique().tolist() == pytest.approx([0, 5])
    assert (out == 0).double().mean() == pytest.approx(0.8, abs=0.01)
    assert torch.equal(dropout.eval()(torch.ones(2, 2)), torch.ones(2, 2))


def test_second_look_shows_the_mask_and_the_statistics_of_the_first_pass():
    net = nn.Sequential(BatchNorm2d(2), Dropout(0.5, torch.Generator().manual_seed(0))).double()
    draw(net, 0)
    images, change = torch.randn(2, 4, 2, 5, 3, dtype=torch.float64)
    first = net(images)
    state = {k: v.clone() for k, v in net.state_dict().items()}
    drawn = net[1].generator.get_state()
    with second_look(net):
        again, other = net(images), net(images + change)
    assert distance(again, first) < TIGHT
    gain = net[0].weight / (images.var((0, 2, 3), correction=0) + net[0].eps).sqrt()
    assert distance(other - again, change * gain[:, None, None] * net[1].mask) < TIGHT
    assert all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
    assert torch.equal(net[1].generator.get_state(), drawn)
    assert not torch.equal(net(images), first)  # the next trial draws again


def test_second_look_outlives_a_prediction_in_between():
    net = nn.Sequential(BatchNorm2d(2), Dropout(0.5, torch.Generator().manual_seed(0))).double()
    images = torch.randn(4, 2, 5, 3, dtype=torch.float64)
    first = net(images)
    net.eval()(images + 1)
    with second_look(net.train()):
        assert distance(net(images), first) < TIGHT
