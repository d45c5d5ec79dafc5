"""Sign symmetry: the forward weights' signs at every trial, and nothing else of theirs."""

import copy

import pytest
import torch
from cells import distance, draw, gradients, make_images, make_net, prepared, settle
from torch import nn
from twins import twin

from agents.credit import RULES
from agents.layers import Conv2d, Linear, LocallyConnected2d
from agents.weighted import weighted

NAMES = ["sign_symmetry", "sign_symmetry_batchwise", "sign_symmetry_fixed"]
every_name = pytest.mark.parametrize("name", NAMES)


def noise(seed: int = 4) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trial_of(name, net, generator, signal="label", seed: int = 2):
    """A trial that was looked at as the rule does."""
    images = make_images(seed=seed)
    return settle(lambda shown: RULES[name]().look(net, shown, generator, None), signal, images)


def looked(name, net, generator) -> list[torch.Tensor]:
    """The feedback weights after one look."""
    trial_of(name, net, generator)
    return [layer.feedback.detach().clone() for layer in weighted(net)[1:]]


@every_name
@pytest.mark.parametrize("kind", ["dense", "strided", "padded", "local", "batch_norm", "residual"])
def test_every_trial_goes_down_by_the_signs_it_came_up_by(kind, name):
    net, generator = make_net(kind), noise()
    RULES[name]().prepare(net, noise())
    layers = weighted(net)[1:]
    first = [layer.weight.sign() for layer in layers]
    optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], 1.0)
    for seed in range(5):
        trial = trial_of(name, net, generator, seed=seed)
        seen = [layer.feedback.clone() for layer in layers]
        optimizer.zero_grad()
        RULES[name]().assign(net, trial)
        assert all(torch.equal(layer.feedback.sign(), layer.weight.sign()) for layer in layers)
        assert all(map(torch.equal, [layer.feedback for layer in layers], seen))
        optimizer.step()
    now = [layer.weight.sign() for layer in layers]
    assert not all(map(torch.equal, now, first))  # or signs taken once would have done


LAYERS = {  # a layer, and fan-in + fan-out counted by hand
    "dense": (lambda: Linear(70, 50), 70 + 50),
    "conv": (lambda: Conv2d(20, 30, 3), 9 * 20 + 9 * 30),
    "local": (lambda: LocallyConnected2d(8, 9, 3, (6, 5)), 9 * 8 + 9 * 9),
}


def alone(name, kind) -> tuple[nn.Module, Linear, float]:
    """A net whose second layer is of that kind, that layer, and c."""
    make, fans = LAYERS[kind]
    net = draw(nn.Sequential(Linear(1, 1), make()).double(), 0)
    RULES[name]().prepare(net, noise())
    return net, net[1], (2 / fans) ** 0.5


def take_signs(name, net, generator) -> torch.Tensor:
    """The second layer's feedback after a look; what the net would answer does not matter."""
    net.forward = lambda images: images
    RULES[name]().look(net, torch.zeros(1, 1), generator, None)
    return net[1].feedback.detach().clone()


@pytest.mark.parametrize("kind", LAYERS)
def test_uniform_feedback_has_one_magnitude(kind):
    net, _, c = alone("sign_symmetry", kind)
    magnitudes = take_signs("sign_symmetry", net, noise()).abs()
    assert (magnitudes - c).abs().max() < 1e-12


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("name", NAMES[1:])
def test_random_magnitudes_are_a_gaussians(name, kind):
    net, layer, c = alone(name, kind)
    magnitudes = (take_signs(name, net, noise()) / c).abs()
    assert layer.weight.numel() > 3000
    for power, moment in [(1, (2 / torch.pi) ** 0.5), (2, 1), (4, 3)]:
        assert float(magnitudes.pow(power).mean()) == pytest.approx(moment, rel=0.15)


@every_name
def test_only_batchwise_magnitudes_change_and_they_do_so_every_batch(name):
    net, _, _ = alone(name, "dense")
    generator = noise()
    first, second, third = (take_signs(name, net, generator).abs() for _ in range(3))
    if name == "sign_symmetry_batchwise":
        assert not (first == second).any()
        assert not (second == third).any()
        assert torch.equal(first, take_signs(name, net, noise()).abs())  # the generator's, no other
    else:
        assert torch.equal(first, second)
        assert torch.equal(generator.get_state(), noise().get_state())  # draws nothing


@every_name
@pytest.mark.parametrize("kind", ["dense", "strided", "local"])
def test_feedback_depends_on_the_weights_through_their_signs_only(kind, name):
    net = make_net(kind)
    RULES[name]().prepare(net, noise())
    other = copy.deepcopy(net)
    for layer in weighted(other):
        layer.weight.data *= torch.rand_like(layer.weight) + 0.1
    for b, same in zip(looked(name, net, noise()), looked(name, other, noise()), strict=True):
        assert torch.equal(b, same)
    layer = weighted(other)[1]
    layer.weight.data.view(-1)[3] *= -1
    before, after = looked(name, net, noise())[0], looked(name, other, noise())[0]
    assert torch.equal((before != after).nonzero(), (before == -after).nonzero())
    assert int((before != after).sum()) == 1


@every_name
def test_a_weight_of_zero_counts_as_positive(name):
    net, layer, _ = alone(name, "dense")
    layer.weight.data.zero_()
    assert (take_signs(name, net, noise()) > 0).all()


@every_name
@pytest.mark.parametrize("signal", ["label", "reward_prediction"])
def test_the_output_layer_has_its_gradient_and_the_others_another(signal, name):
    net = prepared("strided", name)
    trial = trial_of(name, net, noise(), signal)
    plain = twin(net)
    trial.cost(plain(trial.images)).mean().backward()
    RULES[name]().assign(net, trial)
    *below, output = [distance(g, gradients(plain)[key]) for key, g in gradients(net).items()]
    assert output < 1e-12
    assert min(below) > 1e-2


@every_name
def test_the_error_comes_down_as_the_equation_says(name):
    net = draw(nn.Sequential(Linear(6, 5), nn.Tanh(), Linear(5, 4), nn.Tanh(), Linear(4, 3)), 0)
    net.double()
    RULES[name]().prepare(net, noise())
    for layer in weighted(net):
        layer.keeps_error = True
    generator = noise()
    images = torch.rand(7, 6, generator=noise()).double()
    trial = settle(lambda shown: RULES[name]().look(net, shown, generator, None), "label", images)
    RULES[name]().assign(net, trial)
    first, second, third = weighted(net)
    h1 = torch.tanh(images @ first.weight.T)
    h2 = torch.tanh(h1 @ second.weight.T)
    e2 = (1 - h2**2) * (third.error @ (third.feedback.abs() * third.weight.sign()))
    e1 = (1 - h1**2) * (e2 @ (second.feedback.abs() * second.weight.sign()))
    assert distance(second.error, e2) < 1e-12
    assert distance(first.error, e1) < 1e-12
