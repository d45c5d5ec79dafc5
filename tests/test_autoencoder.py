"""An autoencoder learns by the engine's rules: the cost, the steps, and what is refused."""

import pytest
import torch
from torch import nn

from agents.autoencoder import Autoencoder, Coding, reconstruction
from agents.credit import RULES
from agents.credit.backprop import Backprop
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.credit.learned_feedback import LearnedFeedback
from agents.reproduction.coding.run import change_angles, images_of
from agents.weighted import weighted

torch.set_num_threads(1)
DIGITS = (8, 8, 1)


def some_images(count=4, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, *DIGITS), generator=generator, dtype=torch.uint8)


def taught(rule, batches=0, lr=0.01, sizes=(20, 2, 20)):
    """An autoencoder that has seen so many batches of the digits."""
    coder, digits = (
        Autoencoder(Coding(rule, lr, sizes), DIGITS),
        images_of("DigitsReward-v0", "train"),
    )
    for batch in range(batches):
        coder.learn(digits[batch * 32 % 1248 :][:32])
    return coder


def test_the_error_is_the_output_minus_the_pixels():
    images = some_images()
    x = images.reshape(4, 64).double() / 255
    cost = reconstruction(images.double() / 255)
    output = torch.rand(4, 64, dtype=torch.float64, requires_grad=True)
    (error,) = torch.autograd.grad(cost(output).sum(), output)
    assert torch.allclose(error, output.detach() - x, rtol=1e-12)
    step = torch.zeros_like(output)
    step[:, 7] = 0.5  # of a quadratic, any central difference is exact
    slope = (cost(output + step) - cost(output - step)) / 1.0
    assert torch.allclose(slope, error[:, 7], rtol=1e-12)
    assert torch.allclose(cost(x), torch.zeros(4, dtype=torch.float64))


def test_backprop_is_plain_pytorch():
    coder = taught(Backprop(), sizes=(9, 2, 7))
    plain = nn.Sequential(
        nn.Linear(64, 9), nn.Tanh(), nn.Linear(9, 2), nn.Linear(2, 7), nn.Tanh(),
        nn.Linear(7, 64), nn.ReLU(),
    )  # fmt: skip
    for ours, theirs in zip(coder.net.parameters(), plain.parameters(), strict=True):
        theirs.data.copy_(ours)
    optimizer = torch.optim.SGD(plain.parameters(), lr=0.01)
    for seed in range(5):
        images = some_images(32, seed)
        x = images.flatten(1) / 255
        optimizer.zero_grad()
        (0.5 * (plain(x) - x).square().sum(1).mean()).backward()
        optimizer.step()
        coder.learn(images)
    for ours, theirs in zip(coder.net.parameters(), plain.parameters(), strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-7)


def test_learned_feedback_comes_nearer_to_backprop_than_fixed_feedback():
    def degrees(rule, batches):
        angles = change_angles(taught(rule, batches), images_of("DigitsReward-v0", "validation"))
        return sum(angles) / len(angles)

    early, late = (degrees(LearnedFeedback(), batches) for batches in (1, 300))
    assert late < early - 10
    assert late < degrees(FeedbackAlignment(), 300) - 20


def test_feedback_that_is_not_there_yet_leaves_the_hidden_layers_alone():
    coder = taught(LearnedFeedback())
    hidden = [layer.weight.clone() for layer in weighted(coder.net)[:-1]]
    coder.learn(some_images())
    assert all(map(torch.equal, hidden, [layer.weight for layer in weighted(coder.net)[:-1]]))


def test_hidden_layers_wait_for_as_many_batches_as_they_are_told():
    coder = Autoencoder(Coding(Backprop(), 0.01, (9, 2, 9), waits=2), DIGITS)
    for batch, waiting in enumerate((True, True, False)):
        before = [p.clone() for p in coder.net.parameters()]
        coder.learn(some_images(seed=batch))
        stayed = list(map(torch.equal, before, coder.net.parameters()))
        assert stayed == [waiting] * 6 + [False] * 2


def test_the_first_weights_are_those_of_the_papers_code():
    layers = weighted(Autoencoder(Coding(), (28, 28, 1)).net)
    assert [tuple(layer.weight.shape) for layer in layers] == [
        (50, 784), (2, 50), (50, 2), (784, 50),
    ]  # fmt: skip
    for layer in layers:
        s = (2 / layer.fan_in) ** 0.5
        assert layer.weight.abs().max() <= 2 * s
        assert layer.weight.detach().std() == pytest.approx(0.88 * s, rel=0.15)
        assert torch.equal(layer.bias, torch.full_like(layer.bias, 0.1))


def test_the_seed_fixes_everything():
    first, again = (taught(LearnedFeedback(), 5) for _ in range(2))
    assert all(map(torch.equal, first.net.parameters(), again.net.parameters()))
    other = Autoencoder(Coding(), DIGITS, seed=1)
    assert not torch.equal(other.net[1].weight, Autoencoder(Coding(), DIGITS).net[1].weight)


@pytest.mark.parametrize("sizes", [(50, 2), (50, 2, 0), ()])
def test_sizes_are_three(sizes):
    with pytest.raises(ValueError, match="sizes are the units of three hidden layers, such as"):
        Coding(sizes=sizes)


@pytest.mark.parametrize("lr", [0.0, -1.0, float("nan"), float("inf")])
def test_a_learning_rate_is_positive(lr):
    with pytest.raises(ValueError, match=f"lr is a positive learning rate, got {lr}"):
        Coding(lr=lr)


def test_a_wait_is_not_negative():
    with pytest.raises(ValueError, match="waits is a number of batches, 0 or more, got -1"):
        Coding(waits=-1)


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.signals])
def test_rules_of_other_signals_are_refused(name):
    with pytest.raises(ValueError, match=f"{name} goes with the signal .*, not label_mse"):
        Autoencoder(Coding(RULES[name]()), DIGITS)
