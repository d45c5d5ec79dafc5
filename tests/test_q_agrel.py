"""Q-AGREL in a whole net: four factors at every synapse, together an exact gradient."""

import pytest
import torch
import torch.nn.functional as F
from cells import CLASSES, REWARD_SIGNALS, distance, gradients, make_images, make_net
from torch import nn
from torch.nn.grad import conv2d_input, conv2d_weight
from twins import twin

from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.signals import SIGNALS, Agrel, RewardPrediction
from agents.weighted import weighted

TRIALS = 6
ACTION = torch.tensor([0, 1, 2, 2, 1, 0])
LABEL = torch.tensor([0, 2, 2, 1, 1, 2])
REWARD = (ACTION == LABEL).double()
ONE_HOT = F.one_hot(LABEL, CLASSES).double()
CHOSEN = F.one_hot(ACTION, CLASSES).double()


def taught(kind):
    """A net, and the changes that reward prediction asks of it."""
    net = make_net(kind)
    output = net(make_images())
    RewardPrediction()(output, ACTION, REWARD)(output).mean().backward()
    return net, gradients(net)


@pytest.mark.parametrize("kind", ["dense", "strided", "pooled", "local", "batch_norm"])
def test_q_agrel_is_minus_the_gradient_of_the_squared_prediction_error(kind):
    net, changes = taught(kind)
    plain = twin(net)
    q = plain(make_images())[torch.arange(TRIALS), ACTION]
    (0.5 * (REWARD - q) ** 2).mean().backward()
    for name, change in gradients(plain).items():
        assert distance(changes[name], change) < 1e-10, name


def below(module, f, seen):
    """The attention signal f one module further down, through reciprocal feedback."""
    activity = seen[module][0]
    match module:
        case Linear():
            return f @ module.weight
        case Conv2d():
            return conv2d_input(activity.shape, module.weight, f, module.stride, module.padding)
        case LocallyConnected2d():
            patches = torch.einsum("pok,bop->bkp", module.weight, f.flatten(2))
            return F.fold(patches, module.size, **module.window)
        case nn.ReLU():
            return f * (activity > 0)
        case nn.MaxPool2d():
            _, winners = F.max_pool2d(activity, 2, return_indices=True)
            return F.max_unpool2d(f, winners, 2, output_size=activity.shape)
        case _:
            return f.reshape(activity.shape)


def product(layer, f, h):
    """Postsynaptic f times presynaptic h, summed over the batch."""
    match layer:
        case Linear():
            return f.T @ h
        case Conv2d():
            return conv2d_weight(h, layer.weight.shape, f, layer.stride, layer.padding)
        case _:
            return torch.einsum("bop,bkp->pok", f.flatten(2), F.unfold(h, **layer.window))


@pytest.mark.parametrize("kind", ["dense", "strided", "pooled", "local"])
def test_q_agrel_is_prediction_error_times_attention_times_activity(kind):
    net, seen = make_net(kind), {}
    for module in net:
        module.register_forward_hook(lambda m, inputs, output: seen.update({m: (*inputs, output)}))
    output = net(make_images())
    RewardPrediction()(output, ACTION, REWARD)(output).mean().backward()
    delta = REWARD - output.detach().gather(1, ACTION[:, None])[:, 0]
    f = CHOSEN  # attention starts as the chosen unit and carries no error
    with torch.no_grad():
        for module in reversed(net):
            if module in weighted(net):
                factor = delta.view(-1, *[1] * (f.dim() - 1))
                change = product(module, factor * f, seen[module][0]) / TRIALS
                assert distance(-module.weight.grad, change) < 1e-12
            f = below(module, f, seen) if module is not net[0] else f


def test_a_lone_trial_changes_the_chosen_row_of_the_output_weights_alone():
    for signal in (RewardPrediction(), Agrel()):
        net = make_net("dense")
        output = net(make_images(1))
        signal(output, ACTION[2:3], REWARD[2:3])(output).mean().backward()
        assert net[-1].weight.grad.any(1).tolist() == [False, False, True]


@pytest.mark.parametrize("kind", ["dense", "strided", "local", "batch_norm"])
def test_no_prediction_error_no_change_anywhere(kind):
    net = make_net(kind)
    output = net(make_images())
    reward = output.detach().gather(1, ACTION[:, None])[:, 0]
    RewardPrediction()(output, ACTION, reward)(output).mean().backward()
    assert not any(change.any() for change in gradients(net).values())


@pytest.mark.parametrize("signal", REWARD_SIGNALS)
def test_a_chosen_value_of_exactly_zero_still_learns(signal):
    net = make_net("dense")
    net[-1].weight.data.zero_()
    net[-1].bias = None
    output = net(make_images())
    assert not output.any()
    SIGNALS[signal]()(output, ACTION, REWARD.new_ones(TRIALS))(output).mean().backward()
    assert net[-1].weight.grad.any(1).all()


def test_q_agrel_enumerated_is_the_policy_weighted_squared_error():
    policy = torch.randn(TRIALS, CLASSES).double().softmax(1)  # any, held constant
    mean = {}
    for action in range(CLASSES):
        actions = torch.full((TRIALS,), action)
        weighting = policy[:, action]
        net = make_net("conv")
        output = net(make_images())
        cost = RewardPrediction()(output, actions, (actions == LABEL).double())(output)
        (weighting * cost).sum().backward()
        for name, change in gradients(net).items():
            mean[name] = mean.get(name, 0) + change
    plain = twin(make_net("conv"))
    squares = 0.5 * (ONE_HOT - plain(make_images())) ** 2
    (policy * squares).sum().backward()
    for name, change in gradients(plain).items():
        assert distance(mean[name], change) < 1e-12, name
