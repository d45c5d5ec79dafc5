"""The swap itself."""

from functools import partial
from typing import Any

import torch
from torch import nn

from agents.bridge.optimizers import check_decay, held, take_in
from agents.bridge.places import Place, places
from agents.credit import RULES, CreditRule
from agents.credit.backprop import Backprop
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.credit.kolen_pollack import KolenPollack
from agents.credit.sign_symmetry import SignSymmetry
from agents.credit.weight_mirror import WeightMirror
from agents.layers import Conv2d, Linear
from agents.weighted import Weighted

SERVED = (Backprop, FeedbackAlignment, SignSymmetry, KolenPollack, WeightMirror)


def swap(net: nn.Module, rule: str | CreditRule, generator: torch.Generator | None = None) -> None:
    """Let the errors of `net` come down through feedback weights, in place and from now on.

    `rule` is a name in `agents.credit.RULES` or a rule object; the feedback is drawn from
    `generator` (a CPU one; None: PyTorch's own). The weight mirror needs its mirror phases
    besides: `mirror`, or `agents.bridge.callback.MirrorPhases` for Stable-Baselines3.
    Raises ValueError for what it cannot serve, and leaves the net as it is.
    """
    rule, found, optimizers = _rule(rule), places(net), held(net)
    if rule.needs_same_decay:
        for optimizer in optimizers:
            check_decay(optimizer, [place.module.weight for place in found])
    layers = [_ours(place) for place in found]
    # A rule leaves the first layer that it sees without feedback: let that be one of no net.
    rule.prepare(nn.ModuleList([Linear(1, 1), *layers]), generator or torch.default_generator)
    for place, layer in zip(found, layers, strict=True):
        layer.to(layer.weight.device)  # the feedback was drawn on the CPU
        # Users freeze and thaw whole nets, net.requires_grad_(True), which is not about feedback.
        layer.fixed = layer.feedback is not None and not layer.feedback.requires_grad
        if isinstance(rule, SignSymmetry):
            layer.register_forward_pre_hook(partial(_follow, rule))
        setattr(place.parent, place.name, layer)
    for optimizer in optimizers:
        take_in(optimizer, net)


def _rule(rule: str | CreditRule) -> CreditRule:
    if isinstance(rule, str) and rule in RULES:
        rule = RULES[rule]()
    if not isinstance(rule, SERVED):
        names = ", ".join(name for name, kind in RULES.items() if issubclass(kind, SERVED))
        raise ValueError(
            f"the bridge goes with {names}, got {getattr(rule, 'name', rule)!r}: choose one of "
            "these, by name or as an object"
        )
    return rule


def _ours(place: Place) -> Weighted:
    """The suite's layer, with the weight and bias of the one that stands there."""
    its = place.module
    bias = its.bias is not None
    if isinstance(place.module, nn.Linear):
        layer = Linear(its.in_features, its.out_features, bias)
    else:
        layer = Conv2d(
            its.in_channels, its.out_channels, its.kernel_size, its.stride, place.padding, bias,
            its.dilation, its.groups,
        )  # fmt: skip
    layer.weight, layer.bias = its.weight, its.bias
    return layer.train(its.training)


def _follow(rule: SignSymmetry, layer: Weighted, _: Any) -> None:
    """Give this pass signs of its own; one that still waits for its error keeps what it had."""
    if torch.is_grad_enabled():
        layer.feedback = nn.Parameter(layer.feedback.clone(), requires_grad=False)
        rule.follow(layer, None)
