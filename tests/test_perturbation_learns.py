"""One number can teach hidden layers: measured on digits, in more trials than an error needs."""

import pytest
from test_training import accuracy

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", [0, 1])
def test_node_perturbation_beats_frozen_hidden_layers(seed):
    control = accuracy("label", "readout_only", 0.4, 100, seed)
    assert accuracy("label", "node_perturbation", 0.01, 100, seed) > control + 0.2
