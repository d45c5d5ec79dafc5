"""What the bridge cannot serve is named, with its place in the net, and the net left as it was."""

import pytest
import torch
from others import make
from torch import nn
from torch.nn.utils import parametrizations, prune

from agents.bridge import check_optimizer, mirror, swap
from agents.credit import RULES
from agents.weighted import weighted


class Own(nn.Linear):
    """A layer that does something else with its weights."""

    def forward(self, input):
        return nn.functional.linear(input, self.weight / self.weight.norm(), self.bias)


def within(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), nn.ModuleDict({"odd": layer}))


def twice(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Linear(4, 4), layer, nn.Tanh(), layer)


def tied(one: nn.Module, other: nn.Module) -> nn.Module:
    other.weight = one.weight
    return nn.Sequential(one, nn.ReLU(), other)


def hooked() -> nn.Linear:
    layer = nn.Linear(4, 4)
    layer.register_forward_hook(lambda *_: None)
    return layer


CARRY = r"1\.odd is a {}, whose own weights would carry errors down: .* without attention, recur"
SHARED = r"{} shares its weights with another place in the net: give each place"
PARAMETRISED = r"1\.odd has parametrised weights \(weight norm, spectral norm, pruning ...\): make"
SINGLE = r"holds no nn\.Linear or nn\.Conv2d to swap: was it swapped before, or is it a single"

REFUSED = {
    "attention": (lambda: within(nn.MultiheadAttention(4, 2)), CARRY.format("MultiheadAttention")),
    "transformer": (
        lambda: within(nn.TransformerEncoderLayer(4, 2, 8)),
        CARRY.format("TransformerEncoderLayer"),
    ),
    "lstm": (lambda: within(nn.LSTM(4, 3)), CARRY.format("LSTM")),
    "gru cell": (lambda: within(nn.GRUCell(4, 3)), CARRY.format("GRUCell")),
    "bilinear": (lambda: within(nn.Bilinear(4, 3, 2)), CARRY.format("Bilinear")),
    "conv1d": (lambda: within(nn.Conv1d(4, 3, 2)), CARRY.format("Conv1d")),
    "transposed": (
        lambda: within(nn.ConvTranspose2d(4, 3, 2)),
        CARRY.format("ConvTranspose2d"),
    ),
    "itself": (lambda: nn.LSTM(4, 3), "the net is a LSTM, whose own weights"),
    "twice": (lambda: twice(nn.Linear(4, 4)), SHARED.format(1)),
    "tied": (lambda: tied(nn.Linear(4, 4), nn.Linear(4, 4)), SHARED.format(0)),
    "tied embedding": (lambda: tied(nn.Embedding(4, 4), nn.Linear(4, 4)), SHARED.format(2)),
    "weight norm": (lambda: within(parametrizations.weight_norm(nn.Linear(4, 4))), PARAMETRISED),
    "spectral norm": (lambda: within(nn.utils.spectral_norm(nn.Linear(4, 4))), PARAMETRISED),
    "pruned": (lambda: within(prune.l1_unstructured(nn.Linear(4, 4), "weight", 1)), PARAMETRISED),
    "derived": (
        lambda: within(Own(4, 4)),
        r"1\.odd is a Own: only nn\.Linear and nn\.Conv2d themselves",
    ),
    "hooks": (lambda: within(hooked()), r"1\.odd has hooks that a swap would lose: register them"),
    "reflect": (
        lambda: within(nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect")),
        r"1\.odd pads by 'reflect', the suite's convolution by zeros only: let a module pad",
    ),
    "uneven": (
        lambda: within(nn.Conv2d(2, 3, (3, 2), padding="same")),
        r"1\.odd pads one side more than the other \(padding='same', even kernel\): let an",
    ),
    "nothing": (lambda: nn.Sequential(nn.ReLU()), SINGLE),
    "one layer": (lambda: nn.Linear(4, 4), SINGLE),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_rule_cannot_reach_is_named(case):
    build, sentence = REFUSED[case]
    net = build()
    before = list(net.named_modules())
    with pytest.raises(ValueError, match=sentence):
        swap(net, "feedback_alignment")
    assert list(net.named_modules()) == before


def test_a_second_swap_is_refused():
    net = make("resnet")
    swap(net, "feedback_alignment")
    with pytest.raises(ValueError, match=SINGLE):
        swap(net, "kolen_pollack")


@pytest.mark.parametrize("rule", ["dfa", "direct_feedback_alignment", RULES["readout_only"](), 3])
def test_a_rule_that_does_not_go_layer_by_layer_is_refused(rule):
    named = "sign_symmetry_batchwise, feedback_alignment, got .*: choose one of these"
    with pytest.raises(ValueError, match=named):
        swap(make("dense"), rule)


UNLIKE = {
    "adam": lambda p: torch.optim.Adam(p, weight_decay=0.1),
    "momentum": lambda p: torch.optim.SGD(p, momentum=0.9, weight_decay=0.1),
    "rmsprop": lambda p: torch.optim.RMSprop(p, weight_decay=0.1),
}
each_unlike = pytest.mark.parametrize("kind", UNLIKE)


@each_unlike
def test_kolen_pollack_under_an_optimiser_that_parts_feedback_and_weights_is_refused(kind):
    net = make("dense")
    swap(net, "kolen_pollack")
    with pytest.raises(ValueError, match="kolen_pollack needs .*AdamW, or SGD without"):
        check_optimizer(UNLIKE[kind](net.parameters()), net)


@each_unlike
def test_an_unlike_optimiser_that_the_net_keeps_is_refused_before_anything_is_swapped(kind):
    net = make("dense")
    net.optimizer = UNLIKE[kind](net.parameters())
    with pytest.raises(ValueError, match="kolen_pollack needs an optimizer"):
        swap(net, "kolen_pollack")
    assert not weighted(net)
    swap(net, "feedback_alignment")
    check_optimizer(net.optimizer, net)  # feedback that does not learn goes with any


def test_an_optimiser_made_before_the_swap_is_refused():
    net = make("dense")
    optimizer = torch.optim.AdamW(net.parameters())
    swap(net, "kolen_pollack")
    with pytest.raises(ValueError, match=r"0\.weight and 0\.feedback are not in one .* after the"):
        check_optimizer(optimizer, net)


def test_kolen_pollack_without_decay_is_warned_of():
    net = make("dense")
    swap(net, "kolen_pollack")
    with pytest.warns(UserWarning, match="without weight_decay .* give the optimizer a weight_dec"):
        check_optimizer(torch.optim.SGD(net.parameters(), lr=0.1), net)


def test_biases_and_norms_need_no_decay():
    net = make("resnet")
    swap(net, "kolen_pollack")
    kernels = [p for layer in weighted(net) for p in (layer.weight, layer.feedback)]
    others = [p for p in net.parameters() if all(p is not kernel for kernel in kernels)]
    groups = [{"params": kernels}, {"params": others, "weight_decay": 0.0}]
    check_optimizer(torch.optim.AdamW(groups), net)


@pytest.mark.parametrize("rule", ["feedback_alignment", "weight_mirror"])
def test_a_mirror_phase_of_layers_that_have_seen_nothing_is_refused(rule):
    net = make("dense")
    swap(net, rule)
    with pytest.raises(ValueError, match=r"no layer .* swap\(net, 'weight_mirror'\), and let it"):
        mirror(net)
