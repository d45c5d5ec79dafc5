"""The papers' figures as values: they run, have sources, and what is unverified is no target."""

import pytest
import torch

from agents.learner import Agent
from agents.presets import FIGURES, RATIO_OF, chosen
from agents.presets.figure import LEFT
from agents.reproduction.measures import MEASURES
from agents.runs.protocol import Protocol
from credit_envs.datasets import DATASETS

AGENTS = [name for name, figure in FIGURES.items() if figure.unit != LEFT]
PROMISED = [  # by the issue
    *(f"brainprop-mnist-{n}" for n in ("dense", "conv", "loccon")),
    *(f"brainprop-cifar10{n}-{m}" for n in ("", "0") for m in ("conv", "loccon", "deep")),
    "ratio", "akrout-mnist", "akrout-cifar10", "lansdell-mnist", "lansdell-cifar10",
    "lansdell-autoencoder",
    "lansdell-cifar100", "dfc-mnist", "dfc-fashion", "strong-dfc-mnist", "strong-dfc-fashion",
    "akrout-resnet18-cifar100", "np-scaling", "strong-dfc-noise",
    "strong-dfc-noise-learning", "strong-dfc-H",
    "brainprop-tinyimagenet-deep", "sign-symmetry", "reward-grid",
]  # fmt: skip


def published(figure):
    return [(line.name, line.published) for line in figure.lines if line.published]


@pytest.mark.parametrize("name", AGENTS)
def test_every_line_makes_an_agent_that_learns_from_images_of_its_shape(name):
    figure = FIGURES[name]
    row = DATASETS[figure.env.removesuffix("Reward-v0")]
    images = torch.randint(0, 256, (2, *row.shape), dtype=torch.uint8)
    lines = {(line.settings.rule, line.settings.sizes): line for line in figure.lines}
    for line in lines.values():
        agent = Agent(line.settings, row.shape, row.classes)
        weights = [p.detach().clone() for p in agent.net.parameters()]
        for look in range(agent.presentations):
            actions = agent.act(images)
            assert actions.max() < row.classes
            agent.learn(torch.tensor([1, 0]).roll(look))  # a second reward is another one
        agent.check()
        changed = [
            not torch.equal(a, b) for a, b in zip(weights, agent.net.parameters(), strict=True)
        ]
        assert any(changed), line.name


def test_the_promised_figures_are_there():
    assert all(chosen(name) for name in PROMISED)
    assert set(sum((chosen(name) for name in PROMISED), ())) == set(FIGURES)


@pytest.mark.parametrize("name", FIGURES)
def test_every_published_number_has_a_source_and_every_figure_one(name):
    assert FIGURES[name].source
    for line, number in published(FIGURES[name]):
        assert number.source, line
        assert 0 < number.value < 100


def test_numbers_chosen_on_the_test_images_are_marked():
    marked = {(f.name, line) for f in FIGURES.values() for line, n in published(f) if n.on_test}
    for name in ("brainprop-mnist-conv", "brainprop-cifar10-deep", "brainprop-cifar100-deep"):
        assert (name, "BrainProp") in marked
    assert {("lansdell-cifar10", "learned feedback"), ("sign-symmetry-mnist", "uSF")} <= marked


@pytest.mark.parametrize("name", FIGURES)
def test_goals_are_of_lines_that_run_and_never_of_an_unverified_number(name):
    figure = FIGURES[name]
    lines = [line.name for line in figure.lines]
    assert len(set(lines)) == len(lines)
    for goal in figure.goals:
        assert goal.line in lines
        assert goal.of in ([""] if goal.kind in ("bound", "published") else lines)
        assert goal.kind in ("bound", "published", "above", "near")
        number = figure.line(goal.line).published
        if goal.kind in ("bound", "published"):
            assert number, "a target needs a published number"
            assert not number.unverified


def test_the_quick_figures_together_take_less_than_an_hour_on_two_cores():
    assert sum(figure.quick.seconds for figure in FIGURES.values()) < 2 * 3600


@pytest.mark.parametrize("name", FIGURES)
def test_a_quick_figure_is_a_part_of_the_full_one(name):
    figure = FIGURES[name]
    assert figure.quick.epochs < min(figure.epochs, figure.own_epochs)
    assert figure.reference in ("", *(line.name for line in figure.lines))
    assert figure.measure in ("", *MEASURES)
    assert set(figure.protocols) <= {"published", "own"}
    assert Protocol(images=figure.quick.images)


def test_brainprop_has_the_settings_of_its_code():
    deep, conv = FIGURES["brainprop-cifar10-deep"], FIGURES["brainprop-mnist-conv"]
    for figure in (deep, conv):
        assert (figure.epochs, figure.patience, figure.batch) == (500, 45, 128)
        assert figure.drops == (100, 200, 300, 400)
        for line in figure.lines:
            assert (line.settings.lr, line.settings.drop, line.settings.init) == (0.1, 0.5, "paper")
    assert {line.settings.weight_decay for line in deep.lines} == {1e-3}
    assert {line.settings.weight_decay for line in conv.lines} == {0}
    assert FIGURES["brainprop-mnist-loccon"].batch == 32
    assert FIGURES["brainprop-mnist-dense"].lines[0].settings.sizes == (1500, 1000, 500)


def test_names_stand_for_figures_and_for_families_of_them():
    assert chosen("akrout-mnist") == ("akrout-mnist",)
    assert chosen("sign-symmetry") == tuple(
        f"sign-symmetry-{d}" for d in ("mnist", "fashion", "cifar10")
    )
    assert chosen("dfc") == ("dfc-mnist", "dfc-fashion")
    assert len(chosen("ratio")) == len(RATIO_OF) == 9
    with pytest.raises(ValueError, match="unknown figure 'brain': choose one of brainprop-mnist-d"):
        chosen("brain")
