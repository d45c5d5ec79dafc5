"""Signals and networks of a user's own: runs know them apart, and their processes find them."""

import linecache
import pickle
import subprocess
import sys
from functools import partial
from importlib import import_module

import pytest
from small import job

from agents.importing import here_on_path, path_kept
from agents.networks import NETWORKS
from agents.own_code import own_parts
from agents.runs.sent import sent
from agents.settings import Settings
from agents.signals import SIGNALS

PARTS = """
from agents.networks import NETWORKS, Network
from agents.networks.papers import dense
from agents.signals import SIGNALS, CrossEntropy

class Halved(CrossEntropy):
    def forward(self, output, action, answer):
        cost = super().forward(output, action, answer)
        return lambda output: cost(output) / 2

def narrow(shape, classes, sizes, dropout):
    return dense(shape, classes, (4,), dropout)

SIGNALS["halved"], NETWORKS["narrow"] = Halved, Network(narrow)
"""
OURS = {"signal": "label", "network": "dense"}


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """A function that imports a user's module with a signal and a network."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "parts.py").write_text(text)
        linecache.checkcache()
        sys.modules.pop("parts", None)
        here_on_path()
        import_module("parts")

    with path_kept():
        yield write
    sys.modules.pop("parts", None)
    SIGNALS.pop("halved", None)
    NETWORKS.pop("narrow", None)


@pytest.mark.parametrize("part", [{"signal": "halved"}, {"network": "narrow"}])
def test_runs_know_an_edited_signal_or_network(parts, part):
    def key():
        return job("supervised", sizes=(), **part).key()

    parts(PARTS)
    before = key()
    assert key() == before
    parts(PARTS.replace("/ 2", "/ 3").replace("(4,)", "(5,)"))
    assert key() != before
    assert own_parts(Settings(**OURS)) == {}


def test_a_signal_and_a_network_get_to_a_process_that_never_imported_them(parts, monkeypatch):
    parts(PARTS)
    settings = Settings("halved", network="narrow")
    call = sent(partial(Settings, "halved", network="narrow"), settings)
    monkeypatch.delitem(SIGNALS, "halved")
    monkeypatch.delitem(NETWORKS, "narrow")
    assert pickle.loads(pickle.dumps(call))() == settings
    assert set(own_parts(settings)) == {"signal", "network"}


COMPARED = """
if __name__ == "__main__":
    from agents.comparing import Comparing, compare
    task = Comparing(agents="halved+backprop", network="narrow", epochs=1, seeds=1, quiet=True)
    print(compare(task).rows[0]["signal"])
"""


@pytest.mark.slow
def test_they_are_compared_from_a_script(tmp_path):
    (tmp_path / "script.py").write_text(PARTS + COMPARED)
    said = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, text=True, capture_output=True, timeout=180
    )
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1] == "halved"
