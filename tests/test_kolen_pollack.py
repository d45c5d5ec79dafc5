"""Forward and feedback weights draw together by their decay alone, whatever is learned."""

import pytest
import torch
from cells import distance, make_images, make_net, settle
from torch.nn.utils import clip_grad_norm_

from agents.credit import RULES
from agents.plasticity import make_optimizer
from agents.weighted import weighted

LR, DECAY, TRIALS = 0.03, 0.1, 12


def differences(net) -> list[torch.Tensor]:
    return [(layer.weight - layer.feedback).detach() for layer in weighted(net)[1:]]


def learn(net, optimizer, clip: float | None = None, signal="reward_prediction") -> None:
    """Trials on ever new images."""
    rule = RULES["kolen_pollack"]()
    for trial in range(TRIALS):
        optimizer.zero_grad()
        rule.assign(net, settle(net, signal, make_images(seed=trial), seed=trial))
        if clip is not None:
            learning = [p for p in net.parameters() if p.requires_grad]
            assert clip_grad_norm_(learning, clip) > clip
        optimizer.step()


def make(kind):
    net = make_net(kind)
    RULES["kolen_pollack"]().prepare(net, torch.Generator().manual_seed(3))
    return net


@pytest.mark.parametrize("clip", [None, 0.01])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("kind", ["dense", "strided", "local", "batch_norm", "residual"])
def test_the_difference_shrinks_by_the_decay_alone(kind, optimizer, clip):
    net = make(kind)
    before = differences(net)
    weights = [layer.weight.detach().clone() for layer in weighted(net)]
    learn(net, make_optimizer(net, optimizer, LR, DECAY), clip)
    shrunk = (1 - LR * DECAY) ** TRIALS
    for after, start in zip(differences(net), before, strict=True):
        assert distance(after, shrunk * start) < 1e-12
    for layer, weight in zip(weighted(net), weights, strict=True):
        assert distance(layer.weight, shrunk * weight) > 1e-6  # it did learn


def test_a_decay_that_changes_on_the_way_multiplies():
    net = make("strided")
    before, shrunk = differences(net), 1.0
    for lr, decay in [(0.1, 0.01), (0.03, 0.2), (0.01, 0.0)]:
        learn(net, make_optimizer(net, "sgd", lr, decay))
        shrunk *= (1 - lr * decay) ** TRIALS
    for after, start in zip(differences(net), before, strict=True):
        assert distance(after, shrunk * start) < 1e-12


def test_momentum_and_coupled_decay_break_the_identity_and_follow_their_own():
    net, momentum = make("dense"), 0.9
    place = before = differences(net)
    learn(net, make_optimizer(net, "sgd", LR, DECAY, momentum=momentum))
    speed = [torch.zeros_like(start) for start in before]
    for _ in range(TRIALS):
        speed = [momentum * v + DECAY * d for v, d in zip(speed, place, strict=True)]
        place = [d - LR * v for v, d in zip(speed, place, strict=True)]
    for after, recursion, start in zip(differences(net), place, before, strict=True):
        assert distance(after, recursion) < 1e-12
        assert distance(after, (1 - LR * DECAY) ** TRIALS * start) > 1e-3


def test_reciprocal_feedback_stays_reciprocal():
    net = make("batch_norm")
    for layer in weighted(net)[1:]:
        layer.feedback.data.copy_(layer.weight)
    learn(net, make_optimizer(net, "sgd", LR, DECAY))
    assert all(torch.equal(layer.weight, layer.feedback) for layer in weighted(net)[1:])


def test_norms_and_biases_do_not_decay():
    net = make("batch_norm")
    decays = {}
    for group in make_optimizer(net, "adamw", LR, DECAY).param_groups:
        decays |= {id(p): group["weight_decay"] for p in group["params"]}
    kernels = {id(p) for layer in weighted(net) for p in (layer.weight, layer.feedback)}
    assert all(decay == (DECAY if p in kernels else 0) for p, decay in decays.items())
    assert decays.keys() == {id(p) for p in net.parameters()}
