"""A layer's feedback from a regression: the ridge solution, by brute force, for every geometry."""

import pytest
import torch
from cells import distance

from agents.credit.regression import as_feedback, samples, sizes
from agents.layers import Conv2d, Linear, LocallyConnected2d

SIZE, SMALL = (7, 6), (4, 5)
LAYERS = {
    "dense": (lambda: Linear(6, 4), (6,)),
    "conv": (lambda: Conv2d(2, 3, 3), (2, *SIZE)),
    "strided": (lambda: Conv2d(2, 3, 3, stride=2, padding=1), (2, *SIZE)),
    "holes": (lambda: Conv2d(2, 3, 1, stride=2), (2, *SIZE)),  # pixels that nobody looks at
    "margin": (lambda: Conv2d(2, 3, 2, padding=2), (2, *SMALL)),  # positions that see no pixel
    "local": (lambda: LocallyConnected2d(2, 3, 3, SIZE), (2, *SIZE)),
    "local_strided": (lambda: LocallyConnected2d(2, 3, 3, SIZE, 2, 1), (2, *SIZE)),
    "local_margin": (lambda: LocallyConnected2d(2, 3, 2, SMALL, padding=2), (2, *SMALL)),
}


def ridge(matrix, wanted, gamma):
    units = torch.eye(matrix.shape[-1]).double()
    return torch.linalg.solve(matrix.mT @ matrix + gamma * units, matrix.mT @ wanted)


@pytest.mark.parametrize("kind", LAYERS)
def test_the_solution_is_that_of_all_weights_at_once(kind):
    make, shape = LAYERS[kind]
    layer, generator = make().double(), torch.Generator().manual_seed(0)
    h, teacher = torch.randn(2, 30, *shape, generator=generator).double()
    e = torch.randn(layer.respond(h, layer.weight, None).shape, generator=generator).double()
    heard, wanted = samples(layer, e, teacher)
    groups, errors, units = sizes(layer)
    assert heard.shape[::2] == (groups, errors)
    assert wanted.shape[::2] == (groups, units)
    found = as_feedback(layer, ridge(heard, wanted, 0.3))
    weights = layer.weight.numel()
    each = torch.eye(weights).double().view(weights, *layer.weight.shape)
    carried = torch.stack([layer.below(e, h, weight).flatten() for weight in each], 1)
    assert distance(found, ridge(carried, teacher.flatten(), 0.3).view_as(found)) < 1e-10
