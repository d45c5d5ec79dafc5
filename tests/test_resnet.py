"""ResNet-18 is the usual one of CIFAR, and learns by layerwise rules."""

from functools import cache

import pytest
import torch
import torch.nn.functional as F
from cells import copy_feedback, distance, draw, gradients, settle
from torch import nn

from agents.credit import RULES
from agents.credit.base import upper
from agents.layers import Conv2d
from agents.learner import Agent
from agents.networks import NETWORKS, initialise
from agents.second_look import BatchNorm2d
from agents.settings import Settings
from agents.weighted import weighted

CIFAR, SMALL = (32, 32, 3), (12, 9, 2)
NAMES = ("backprop", "feedback_alignment", "kolen_pollack", "sign_symmetry", "weight_mirror")
DEEP = [name for name in NAMES if name in RULES]


def make(shape=CIFAR, classes=10, width=8):
    return NETWORKS["resnet18"](shape, classes, (width,), torch.Generator())


class Block(nn.Module):
    """The basic block as He et al. draw it, of plain torch.nn."""

    def __init__(self, below, above, stride):
        super().__init__()
        self.first = nn.Conv2d(below, above, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(above)
        self.second = nn.Conv2d(above, above, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(above)
        self.short = self.short_norm = None
        if stride == 2:
            self.short = nn.Conv2d(below, above, 1, stride, bias=False)
            self.short_norm = nn.BatchNorm2d(above)

    def forward(self, x):
        y = self.second_norm(self.second(F.relu(self.first_norm(self.first(x)))))
        return F.relu(y + (self.short_norm(self.short(x)) if self.short else x))


class Plain(nn.Module):
    """ResNet-18 for CIFAR, of plain torch.nn."""

    def __init__(self, channels, width, classes):
        super().__init__()
        self.stem = nn.Conv2d(channels, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        widths = [width * 2**stage for stage in (0, 0, 0, 1, 1, 2, 2, 3, 3)]
        strides = [1, 1, 2, 1, 2, 1, 2, 1]
        self.blocks = nn.ModuleList(map(Block, widths, widths[1:], strides))
        self.out = nn.Linear(8 * width, classes)

    def forward(self, images):
        x = F.relu(self.norm(self.stem(images.permute(0, 3, 1, 2))))
        for block in self.blocks:
            x = block(x)
        return self.out(x.mean((2, 3)))


def drawn(rule, seed=0):
    """A small one in float64 with the rule's feedback, and the plain one of the same weights."""
    net = draw(make(SMALL, 3, width=2).double(), seed)
    RULES[rule]().prepare(net, torch.Generator().manual_seed(1))
    copy_feedback(net)
    plain = Plain(2, 2, 3).double()
    state = {name: t for name, t in net.state_dict().items() if not name.endswith("feedback")}
    plain.load_state_dict(dict(zip(plain.state_dict(), state.values(), strict=True)))
    return net, plain


@pytest.mark.parametrize("rule", [rule for rule in DEEP if RULES[rule].layerwise])
def test_it_is_the_usual_network_and_has_its_gradients(rule):
    net, plain = drawn(rule)
    images = torch.rand((5, *SMALL), generator=torch.Generator().manual_seed(2)).double()
    trial = settle(net, "label", images)
    expected = plain(images)
    assert distance(trial.output, expected) < 1e-10
    RULES[rule]().assign(net, trial)
    trial.cost(expected).mean().backward()
    for found, parameter in zip(gradients(net).values(), plain.parameters(), strict=True):
        assert distance(found, parameter.grad) < 1e-10
    assert distance(net.eval()(images), plain.eval()(images)) < 1e-10  # by running averages


def test_the_usual_width_has_the_usual_number_of_parameters():
    with torch.device("meta"):
        net = NETWORKS["resnet18"](CIFAR, 10, (), torch.Generator())
    assert sum(parameter.numel() for parameter in net.parameters()) == 11_173_962
    assert [layer.bias is not None for layer in weighted(net)] == [False] * 20 + [True]


def test_layers_stand_from_image_to_output_and_all_but_the_first_send_errors_down():
    net = make(width=4)
    maps = [tuple(layer.weight.shape[:2]) for layer in weighted(net)]
    stage = {
        above: [(above, above // 2), (above, above), (above, above // 2), *[(above, above)] * 2]
        for above in (8, 16, 32)
    }
    assert maps == [(4, 3), *[(4, 4)] * 4, *stage[8], *stage[16], *stage[32], (10, 32)]
    assert upper(net) == weighted(net)[1:]


def test_norms_are_pytorchs_and_follow_every_convolution():
    modules = [m for m in make().modules() if isinstance(m, nn.BatchNorm2d | Conv2d)]
    assert [type(m) for m in modules] == [Conv2d, BatchNorm2d] * 20
    assert {(m.eps, m.momentum) for m in modules[1::2]} == {(1e-5, 0.1)}


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        (CIFAR, (4, 4)), ((64, 64, 3), (8, 8)), ((28, 28, 1), (4, 4)),
        ((8, 8, 1), (1, 1)), ((5, 9, 2), (1, 2)), ((1, 1, 1), (1, 1)),
    ],
)  # fmt: skip
def test_every_stage_but_the_first_halves_the_map_and_no_image_is_too_small(shape, maps):
    net = make(shape, classes=7, width=2)
    images = torch.rand(2, *shape)
    assert net[:-3](images).shape == (2, 16, *maps)
    assert net(images).shape == (2, 7)


@pytest.mark.parametrize("sizes", [(8, 16), (64, 64, 64, 64)])
def test_more_than_a_width_is_refused(sizes):
    with pytest.raises(ValueError, match="resnet18 takes one size, the maps of its first blocks"):
        Agent(Settings(network="resnet18", sizes=sizes), CIFAR, 10)


def test_outputs_start_near_zero_whatever_the_image():
    net = make(width=16)
    initialise(net, "he", torch.Generator().manual_seed(0))
    images = torch.rand((16, *CIFAR), generator=torch.Generator().manual_seed(1))
    assert float(net(images).detach().abs().max()) < 0.3


@cache
def costs(rule):
    """Mean costs of one batch that is shown 25 times."""
    # The mirror's usual memory, 100 batches, is too long for so few.
    credit = RULES[rule](rate=0.1) if rule == "weight_mirror" else rule
    settings = Settings("label", credit, network="resnet18", sizes=(8,), lr=0.1)
    agent = Agent(settings, (16, 16, 3), 10, seed=0)
    images = torch.rand((20, 16, 16, 3), generator=torch.Generator().manual_seed(0))
    seen = []
    agent.watch = lambda _, trial: seen.append(float(trial.costs.detach().mean()))
    for _ in range(25):
        agent.act(images)
        agent.learn(torch.arange(20) % 10)
    return seen


@pytest.mark.parametrize("rule", DEEP)
def test_the_cost_of_a_fixed_batch_falls_further_than_with_frozen_hidden_layers(rule):
    assert costs(rule)[0] == pytest.approx(2.3, abs=0.1)
    assert costs(rule)[-1] < 0.8 * costs("readout_only")[-1] < 0.8 * 2
