"""Actions are chosen as the papers say, trial by trial from one stream of draws."""

import pytest
import torch
from scipy.stats import chisquare

from agents.explore import EXPLORE, greedy, max_boltzmann, softmax, tempered, uniform

TRIALS, CLASSES = 20_000, 4
OUTPUT = torch.tensor([0.3, -1.0, 1.5, 0.7])
PI = OUTPUT.softmax(0)
BEST = torch.nn.functional.one_hot(OUTPUT.argmax(), CLASSES)
EXPECTED = {  # action probabilities as functions of epsilon
    "greedy": lambda epsilon: BEST.double(),
    "epsilon": lambda epsilon: (1 - epsilon) * BEST + epsilon / CLASSES,
    "max_boltzmann": lambda epsilon: (1 - epsilon) * BEST + epsilon * PI,
    "softmax": lambda epsilon: PI,
    "tempered": lambda epsilon: (OUTPUT / (1 - PI.max())).softmax(0),
}


def draws(seed: int = 0) -> torch.Tensor:
    return torch.rand(TRIALS, 1 + CLASSES, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("epsilon", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("name", EXPLORE)
def test_actions_come_with_the_probabilities_of_the_paper(name, epsilon):
    actions = EXPLORE[name](OUTPUT.expand(TRIALS, -1), epsilon, draws())
    counts = actions.bincount(minlength=CLASSES).double()
    expected = EXPECTED[name](epsilon).double() * TRIALS
    possible = expected > 0
    assert not counts[~possible].any()
    if possible.sum() > 1:  # or nothing is left to chance
        expected *= TRIALS / expected.sum()
        assert chisquare(counts[possible], expected[possible]).pvalue > 0.01


def test_without_exploration_the_largest_output_is_chosen():
    output = torch.randn(TRIALS, CLASSES, generator=torch.Generator().manual_seed(1))
    for explore in (greedy, uniform, max_boltzmann):
        assert torch.equal(explore(output, 0.0, draws()), output.argmax(1))


def test_every_trial_is_explored_by_its_own_draws():
    output = torch.randn(TRIALS, CLASSES, generator=torch.Generator().manual_seed(1))
    for explore in EXPLORE.values():
        together = explore(output, 0.5, draws())
        for trial in range(0, TRIALS, 1999):
            one = slice(trial, trial + 1)
            assert explore(output[one], 0.5, draws()[one]) == together[trial]


def test_max_boltzmann_decides_and_samples_by_different_draws():
    drawn = draws()
    explored = drawn[:, 0] < 0.5
    actions = max_boltzmann(OUTPUT.expand(TRIALS, -1), 0.5, drawn)[explored]
    counts = actions.bincount(minlength=CLASSES).double()
    assert chisquare(counts, PI.double() / PI.sum() * len(actions)).pvalue > 0.01


def test_a_draw_of_zero_and_sure_outputs_stay_among_the_classes():
    output = torch.tensor([[1e4, -1e4, 0.0, 0.0]])
    edge = torch.zeros(1, 1 + CLASSES)
    for explore in EXPLORE.values():
        assert 0 <= int(explore(output, 1.0, edge)) < CLASSES
    assert int(softmax(output, 1.0, draws()[:1])) == 0


def test_tempered_samples_as_softmax_where_nothing_is_known_and_is_greedy_where_sure():
    certain = 40 * torch.eye(CLASSES)[torch.arange(TRIALS) % CLASSES]
    assert torch.equal(tempered(certain, 0.0, draws()), certain.argmax(1))
    nothing = torch.zeros(TRIALS, CLASSES)
    counts = tempered(nothing, 0.0, draws()).bincount(minlength=CLASSES)
    assert chisquare(counts).pvalue > 0.01
