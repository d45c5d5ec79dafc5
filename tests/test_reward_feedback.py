"""Why feedback is not learned from noise in rewards: exactly what it would learn, by enumeration.

Learned feedback evaluates the clamped cost twice. Two other scalars would do for a noisy pass
(lambda^ = -(r~ - r) xi / s^2 of two presentations, -(r - b) xi / s^2 of one), and both are sound
as an error; but regressed on the sampled error e, they teach B something else than W.
Noise is small, s -> 0: means over it are gradients.
"""

import pytest
import torch
from cells import distance
from torch import Tensor

from agents.signals import PolicyGradient

UNITS = 12
RANK = 1e-9  # part of the largest singular value below which there is none


def world(classes: int, margin: float, spread: float) -> tuple[Tensor, Tensor, Tensor]:
    """Activities h of four trials of each class, labels, and W: the label's output leads."""
    generator = torch.Generator().manual_seed(classes)
    weight, other = torch.randn(2, classes, UNITS, generator=generator, dtype=torch.float64)
    label = torch.arange(classes).repeat(4)
    lead = margin * torch.eye(classes, dtype=torch.float64)[label]
    activity = lead @ torch.linalg.pinv(weight).T
    noise = torch.randn(activity.shape, generator=generator, dtype=torch.float64)
    return (activity + spread * noise).requires_grad_(), label, weight


def errors(output: Tensor, label: Tensor, b: float) -> tuple[Tensor, Tensor]:
    """For each action (K, ...): e of every trial (K, N, K), and the reward less b (K, N)."""
    signal = PolicyGradient().double()
    each, left = [], []
    for action in torch.arange(output.shape[1]):
        signal.mean.fill_(b)
        reward = (label == action).double()
        cost = signal(output, action.expand(len(label)), reward)(output)
        (e,) = torch.autograd.grad(cost.sum(), output, create_graph=True)
        each.append(e)
        left.append(reward - b)
    return torch.stack(each), torch.stack(left)


def gradient(each: Tensor, activity: Tensor) -> Tensor:
    """Of every column of (N, K), in every trial's own activity: (N, K, units)."""
    columns = [torch.autograd.grad(c.sum(), activity, retain_graph=True)[0] for c in each.T]
    return torch.stack(columns, 1)


def centred(weight: Tensor) -> Tensor:
    """All of W that errors can see that sum to zero."""
    return weight - weight.mean(0)


def second_moment(e: Tensor, chance: Tensor) -> Tensor:
    """E[e^T e] over actions and trials."""
    return torch.einsum("an,ani,anj->ij", chance, e, e)


def by_two_rewards(classes, margin, spread, b) -> tuple[Tensor, Tensor, Tensor]:
    """What least squares fits to lambda^ of two presentations, the matrix A, and W."""
    activity, label, weight = world(classes, margin, spread)
    output = activity @ weight.T
    chance = output.softmax(1)
    right = chance.gather(1, label[:, None])
    teacher = -gradient(right, activity)[:, 0]  # -d E[r] / dh, whatever the first action was
    e, _ = errors(output, label, b)
    often = chance.T.sqrt()[..., None]  # an action counts as often as it is chosen
    rows = (often * e).flatten(0, 1)
    fitted = torch.linalg.pinv(rows, rtol=RANK) @ (often * teacher).flatten(0, 1)
    mean = (chance.T[..., None] * e).sum(0)  # (N, K)
    A = torch.linalg.pinv(second_moment(e, chance.T), rtol=RANK) @ (mean.T @ mean)
    return fitted.detach(), A.detach(), weight


@pytest.mark.parametrize("b", [0.0, 0.3, 0.8])
@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_two_rewards_teach_the_weights_times_a_matrix(margin, b):
    fitted, A, weight = by_two_rewards(4, margin, 0.2, b)
    assert distance(fitted, A @ weight) < 1e-9
    assert distance(fitted, centred(weight)) > 0.1  # the error itself is noisy: attenuated


@pytest.mark.parametrize("classes", [4, 10])
def test_two_rewards_teach_little_at_chance(classes):
    for b, share in ((0.0, 1 / classes), (1 / classes, 1 / (classes - 1))):
        fitted, _, weight = by_two_rewards(classes, 0.0, 0.0, b)
        assert distance(fitted, share * centred(weight)) < 1e-9


def by_one_reward(classes, margin, spread, b) -> tuple[Tensor, Tensor, Tensor]:
    """E[e^T lambda^] of one noisy presentation, what least squares makes of it, and W.

    Both e and the action depend on the noise: E[f(h + xi) xi / s^2] is the gradient of E[f].
    """
    activity, label, weight = world(classes, margin, spread)
    output = activity @ weight.T
    chance = output.softmax(1)
    e, left = errors(output, label, b)
    mean = -(chance.T * left)[..., None] * e
    products = gradient(mean.sum(0), activity).sum(0)
    fitted = torch.linalg.pinv(second_moment(e, chance.T), rtol=RANK) @ products
    return products.detach(), fitted.detach(), weight


@pytest.mark.parametrize("b", [0.0, 0.3, 0.5, 0.9])
@pytest.mark.parametrize("margin", [0.0, 2.0])
def test_one_reward_teaches_by_a_factor_that_changes_sign_at_a_half(margin, b):
    products, _, weight = by_one_reward(4, margin, 0.2, b)
    activity, label, _ = world(4, margin, 0.2)
    chance = (activity @ weight.T).softmax(1).detach()
    away = torch.eye(4, dtype=torch.float64)[label] - chance
    covariance = torch.diag_embed(chance) - chance[:, :, None] * chance[:, None]
    right = chance.gather(1, label[:, None])[..., None]
    matrix = (right * (away[:, :, None] * away[:, None] - covariance)).sum(0)
    assert matrix.norm() > 0.1
    assert (products - (1 - 2 * b) * matrix @ weight).abs().max() < 1e-12


@pytest.mark.parametrize("b", [0.0, 0.1, 0.5, 0.9])
def test_one_reward_teaches_nothing_at_chance(b):
    products, _, _ = by_one_reward(10, 0.0, 0.0, b)
    assert products.abs().max() < 1e-12


def test_one_reward_teaches_a_trained_net_the_wrong_sign_without_a_baseline():
    activity, label, weight = world(4, 4.0, 0.02)
    chance = (activity @ weight.T).softmax(1).detach()
    mean = float(chance.gather(1, label[:, None]).mean())
    assert mean > 0.9
    fitted = {b: by_one_reward(4, 4.0, 0.02, b)[1].flatten() for b in (0.0, 0.5, mean)}
    right = centred(weight).flatten()
    assert torch.cosine_similarity(fitted[0.0], right, 0) < -0.99  # gradient ascent
    assert fitted[0.5].norm() < 1e-12
    assert torch.cosine_similarity(fitted[mean], right, 0) > 0.99
