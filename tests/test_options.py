"""What cannot be run is refused in one sentence, before anything is run."""

import importlib.util
import os
import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest
import torch

from agents.comparing import Comparing
from agents.comparing import compare as compared
from agents.comparison import compare, search
from agents.comparison.options import Options, script
from agents.networks import NETWORKS

SCRIPTS = Path(__file__).parents[1] / "scripts"


def load(name):
    spec = importlib.util.spec_from_file_location(f"script_{name}", SCRIPTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses look it up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(params=["compare", "search"])
def refused(request, monkeypatch, tmp_path):
    """What a script says to arguments that it cannot run with."""
    module = load(request.param)
    monkeypatch.chdir(tmp_path)
    for user in (compare, search):
        monkeypatch.setattr(user, "run_all", lambda *_: pytest.fail("a run was started"))

    def refused(*arguments):
        monkeypatch.setattr(sys, "argv", [request.param, *arguments])
        with pytest.raises(SystemExit) as end:
            script(module.main, module.Args)
        assert isinstance(end.value.code, str)  # printed on stderr; the exit code is then 1
        assert re.fullmatch(r"error: [^\n]+", end.value.code)
        return end.value.code

    refused.script = request.param
    return refused


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("--env CartPole-v1", "unknown environment 'CartPole-v1': choose one of DigitsReward-v0"),
        ("--env Nonsense-v0", "unknown environment 'Nonsense-v0'"),
        ("--agents nobody", "unknown agent 'nobody': choose one of supervised"),
        ("--agents supervised,", "unknown agent ''"),
        ("--agents nothing+backprop", "unknown signal 'nothing'"),
        ("--agents label+nothing", "unknown credit rule 'nothing'"),
        ("--network wide", "unknown network 'wide': choose one of dense"),
        ("--sizes wide", "sizes 'wide': give whole numbers"),
        ("--sizes 16,,16", "sizes '16,,16'"),
        ("--sizes 0", "sizes '0'"),
        ("--sizes -16", "sizes '-16'"),
        ("--network conv --sizes 16", "network 'conv' has fixed sizes: leave --sizes out"),
        ("--epochs 0", "epochs is a number of passes, 1 or more, got 0"),
        ("--epochs -1", "epochs is a number of passes, 1 or more, got -1"),
        ("--batch 0", "batch is a number of trials in 1..1294"),
        ("--batch 1295", "batch is a number of trials in 1..1294"),
        ("--device tpu", "'tpu'"),
        ("--agents nowhere:Agent", "no class 'Agent' in a module 'nowhere'"),
        ("--agents own:Nobody", "no class 'Nobody' in a module 'own'"),
        ("--agents own:NoLearn", "own:NoLearn needs the methods act(images) and learn(reward)"),
        ("--agents own:Teachable", "own:Teachable says learns_from = 'label', but in a comparison"),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_sentence(refused, arguments, sentence):
    assert sentence in refused(*arguments.split())


@pytest.mark.parametrize(
    ("sizes", "built"), [("", (500, 300)), ("500,300", (500, 300)), ("64,32", (64, 32))]
)
def test_a_network_has_its_own_sizes_where_none_are_given(sizes, built):
    (settings,) = Options(agents="q_agrel", sizes=sizes).cells().values()
    assert settings.network_sizes == built


@pytest.mark.parametrize("network", NETWORKS)
def test_every_network_can_be_asked_for_without_sizes(network):
    options = Options(agents="q_agrel", network=network)
    options.check()
    (settings,) = options.cells().values()
    assert settings.network_sizes == NETWORKS[network].sizes


def test_a_gpu_that_is_not_there_is_refused(refused, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert "device='cuda' is not there" in refused("--device", "cuda")


@pytest.mark.parametrize("out", ["file", "file/below"])
def test_a_folder_that_cannot_be_written_is_refused(refused, out):
    Path("file").touch()
    assert f"out {out!r} is no folder to write in" in refused("--out", out)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_refused(refused):
    Path("locked").mkdir(mode=0o500)
    assert "it is read-only" in refused("--out", "locked")


@pytest.mark.parametrize("seeds", ["0", "-1"])
@pytest.mark.parametrize("refused", ["compare"], indirect=True)
def test_fewer_than_one_seed_is_refused(refused, seeds):
    assert f"1 or more, got {seeds}" in refused("--seeds", seeds)


@pytest.mark.parametrize(
    ("claims", "sentence"), [("q_agrel>nobody", "which does not run here"), ("q_agrel", "is none")]
)
@pytest.mark.parametrize("refused", ["compare"], indirect=True)
def test_a_claim_that_cannot_be_tested_is_refused(refused, claims, sentence):
    assert sentence in refused("--claims", claims)
    assert not Path("results").exists()


@pytest.mark.parametrize("refused", ["search"], indirect=True)
def test_a_class_of_ones_own_is_not_searched_for(refused):
    assert "no settings that could be searched for" in refused("--agents", "own:Blown")


def test_a_fault_in_ones_own_module_is_named_with_its_line(refused):
    Path("faulty.py").write_text("fine = 1\n1 / 0\n")
    said = refused("--agents", "faulty:Agent")
    assert "faulty:Agent: ZeroDivisionError: division by zero" in said
    assert said.endswith("faulty.py, line 2)")


KEPT_APART = """
from agents.credit import CreditRule

class Agent:
    act = learn = None

class Rule(CreditRule):
    name = "kept_apart"
"""


@pytest.mark.parametrize("agent", ["kept_apart:Agent", "label+kept_apart:Rule"])
def test_looking_for_ones_own_class_does_not_change_where_runs_import_from(
    agent, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    before = sys.path.copy()
    Path("kept_apart.py").write_text(KEPT_APART)
    Options(agents=agent).check()
    assert sys.path == before
    sys.modules.pop("kept_apart")


@pytest.mark.parametrize("name", ["compare", "search"])
def test_help_names_and_explains_every_field(name, monkeypatch, capsys):
    module = load(name)
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as end:
        script(module.main, module.Args)
    assert end.value.code == 0
    shown = " ".join(re.sub("[│╭╮╰╯─]|-{3,}", " ", capsys.readouterr().out).split())
    explained = dict(re.findall(r"--(\w+)(?:, --no-\w+| [A-Z]+| \{\S+\}) (.+?) \(default: ", shown))
    assert set(explained) == {field.name for field in fields(module.Args)}
    assert all(len(text.split()) >= 4 for text in explained.values()), explained


@pytest.mark.parametrize("option", ["--runs", "--workers", "--epochs"])
def test_the_overhead_of_nothing_is_refused(option, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["overhead", option, "0"])
    module = load("overhead")
    with pytest.raises(SystemExit, match="error: runs, workers and epochs are 1 or more, got"):
        script(module.main, module.Args)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"seeds": "2"}, "seeds is the number of runs of each agent, 1 or more, got '2'"),
        ({"batch": "32"}, "batch is a whole number, got '32'"),
        ({"epochs": 1.5}, "epochs is a whole number, got 1.5"),
        ({"agents": ["supervised"]}, r"agents is text, .* got \['supervised'\]"),
    ],
)
def test_options_of_another_type_are_refused_from_python_too(given, sentence, tmp_path):
    with pytest.raises((TypeError, ValueError), match=sentence):
        compared(Comparing(out=tmp_path, quiet=True, **given))
