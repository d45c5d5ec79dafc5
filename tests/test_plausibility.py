"""The plausibility cards: what stands in the repository is measured, and the measure can tell."""

import sys
from dataclasses import asdict

import cells  # noqa: F401  one torch thread
import pytest
import torch
from test_options import load
from torch import nn
from toy_rules import (
    Compares,
    ComparesInFeedback,
    Copies,
    CopiesSigns,
    Differentiates,
    Global,
    Hoards,
    Labels,
    LooksAgain,
    LooksAtItsOwn,
    LooksFar,
    Mirrors,
    Signs,
    Toy,
    TriesWeights,
    Twice,
)

from agents.comparison.options import script
from agents.comparison.records import FOLDER, read_table
from agents.credit import RULES
from agents.laboratory import KINDS, Subject, bench
from agents.layers import Linear
from agents.networks import NETWORKS
from agents.plausibility import Card, card
from agents.settings import Settings
from agents.weighted import weighted

NAMES = list(RULES)
TABLE = read_table(FOLDER / "cards.csv")
ROWS = {row["rule"]: row for row in TABLE}


@pytest.mark.parametrize("rule", NAMES)
def test_the_card_in_the_repository_is_what_is_measured(rule):
    measured = {column: str(value) for column, value in asdict(card(rule)).items()}
    assert ROWS[rule] == measured  # else: python scripts/cards.py


def test_every_rule_has_one_card_and_no_other_has():
    assert [row["rule"] for row in TABLE] == NAMES


@pytest.mark.parametrize("rule", NAMES)
def test_there_is_something_to_measure(rule):
    """Where nothing changes, all experiments find that nothing changes."""
    signal = (RULES[rule].signals or ("reward_prediction",))[0]
    with bench():
        subject = Subject(Settings(signal, rule, sizes=(9, 8, 7)))
    changes = [name for name in subject.plain if ".weight change" in name]
    assert len(changes) == 2 * (1 if rule == "readout_only" else 4)
    assert all(subject.plain[name].any() for name in changes)


PLAIN = Card("toy", "no", "no", "yes", "yes", 1, 1, 1, 1.0, " ".join(KINDS))
WEIGHTS = (64 * 64, 64 * 32, 32 * 10)  # of the reference net
BACKPROP = 3 * sum(WEIGHTS) - WEIGHTS[0]  # products forward, for the changes, and down


def more(products):
    """Multiply-adds of a rule that makes so many products more than backprop does."""
    return round(1 + products / BACKPROP, 2)


UNLIKE = {  # in what a toy's card differs from the plain one
    Toy: {},
    Copies: {"reads_weights": "yes", "local_in_space": "no"},
    Hoards: {"reads_weights": "yes", "local_in_space": "no"},
    Differentiates: {
        "reads_weights": "yes", "multiply_adds": more(2 * WEIGHTS[1]), "serves": "dense dropout"
    },
    Signs: {"reads_weights": "signs", "local_in_space": "no"},
    CopiesSigns: {"reads_weights": "signs", "local_in_space": "no"},
    Mirrors: {
        "reads_weights": "in use", "answers": 2, "multiply_adds": more(2 * sum(WEIGHTS[1:])),
        "serves": "dense dropout",
    },
    TriesWeights: {"passes": 2, "answers": 2, "multiply_adds": more(2 * sum(WEIGHTS) - BACKPROP)},
    LooksAtItsOwn: {"reads_weights": "yes"},
    LooksFar: {"reads_weights": "yes", "local_in_space": "no"},
    Compares: {"local_to_a_trial": "no"},
    ComparesInFeedback: {"local_to_a_trial": "weights only"},
    Labels: {"needs_label": "yes"},
    Twice: {"passes": 2, "answers": 2, "env_steps": 2, "multiply_adds": more(sum(WEIGHTS))},
    LooksAgain: {"passes": 2, "answers": 2, "multiply_adds": more(sum(WEIGHTS))},
    Global: {},
}  # fmt: skip


@pytest.mark.parametrize("rule", UNLIKE)
def test_a_card_tells_what_a_rule_needs(rule):
    found, plain = asdict(card(rule())), asdict(PLAIN)
    unlike = {line: value for line, value in found.items() if value != plain[line]}
    assert unlike == UNLIKE[rule]
    assert found == asdict(card(rule()))


def test_a_rule_that_fails_where_it_does_not_refuse_is_told_to():
    class Fails(Toy):
        def learn(self, net, trial):
            if not all(isinstance(layer, Linear) for layer in weighted(net)):
                raise RuntimeError("no convolutions")

    with pytest.raises(ValueError, match=r"toy fails on a conv net \(RuntimeError: no conv.*serve"):
        card(Fails())
    assert card(Toy()) == PLAIN  # the bench was cleared


def test_measuring_leaves_everything_as_it_was():
    networks, random = dict(NETWORKS), torch.get_rng_state()
    card("backprop")
    assert networks == NETWORKS
    assert torch.equal(random, torch.get_rng_state())
    assert nn.Linear(1, 1).weight.dtype == torch.float32


def test_the_script_writes_the_cards_and_shows_them(tmp_path, monkeypatch, capsys):
    module = load("cards")
    monkeypatch.setattr(module, "RULES", NAMES)
    monkeypatch.setattr(module, "card", lambda rule: Card(*ROWS[rule].values()))
    monkeypatch.setattr(sys, "argv", ["cards", "--out", str(tmp_path / "cards.csv")])
    script(module.main, module.Args)
    assert (tmp_path / "cards.csv").read_text() == (FOLDER / "cards.csv").read_text()
    shown = capsys.readouterr().out
    assert all(f"\n{rule} " in shown for rule in NAMES)
    assert max(map(len, shown.splitlines())) <= 100
