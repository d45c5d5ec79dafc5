"""How runs of a user's own classes are kept apart, and how rules get to their processes."""

import linecache
import pickle
import subprocess
import sys
from dataclasses import replace
from functools import partial
from types import ModuleType

import cells  # noqa: F401  one torch thread
import pytest
from own import Recorder
from small import QUIET, job
from sparse import MINE, NAME, in_a_notebook

from agents.credit import RULES
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.own import pack
from agents.own_code import code_of
from agents.runs.sent import sent
from agents.runs.sweep import run_all
from agents.settings import Settings, settings_of

COMPARED = """
from pathlib import Path

import mine
from agents.comparison.compare import compare
from agents.comparison.options import Options, script

if __name__ == "__main__":
    script(lambda options: print(compare(options, 1, Path("out")).rows[0]["credit"]), Options)
"""
NOTEBOOK = """
__name__ = "cell"  # README's own training is not run
exec({0!r})
__name__ = "__main__"
SparseFeedback.__module__ = __name__
from agents.comparing import Comparing, compare
task = Comparing(agents="label+sparse_feedback", sizes="8", epochs=1, seeds=1, quiet=True)
print(compare(task).rows[0]["credit"])
"""


def keys(agent):
    return [job(agent, credit=rule).key() for rule in (agent.rpartition("+")[2], "backprop")]


def test_an_edited_rule_is_run_again(mine, tmp_path):
    before = keys(f"label+{NAME}")
    (tmp_path / "mine.py").write_text(MINE.replace("< self.density", "< 1 - self.density"))
    linecache.checkcache()
    after = keys(f"label+{NAME}")
    assert [one == other for one, other in zip(before, after, strict=True)] == [False, True]


def test_so_is_one_that_was_edited_in_a_notebook(monkeypatch):
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    first, again = in_a_notebook(MINE), in_a_notebook("\n\n" + MINE)
    other = in_a_notebook(MINE.replace("< self.density", "> self.density"))
    assert code_of(first) == code_of(again) != code_of(other)
    assert code_of(FeedbackAlignment) == ""


def test_it_gets_to_a_process_that_never_imported_it(monkeypatch):
    rule = in_a_notebook(MINE)(density=0.5)
    monkeypatch.setitem(RULES, NAME, type(rule))
    call = sent(partial(settings_of, f"label+{NAME}"), Settings("label", rule))
    plain = sent(partial(str, "here"), Settings("label", FeedbackAlignment()))
    monkeypatch.delitem(RULES, NAME)
    assert type(pickle.loads(pickle.dumps(call))().rule).__name__ == "SparseFeedback"
    assert plain() == "here"


AGENT = """
from own import Recorder

class Edited(Recorder):
    guess = 1
"""


@pytest.fixture
def edited(tmp_path, monkeypatch):
    """A function that writes a user's module, and gives a run of the agent in it."""
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / "edited.py").write_text(text)
        linecache.checkcache()
        return job("edited:Edited")

    yield write
    sys.modules.pop("edited", None)


def test_a_finished_run_of_an_agent_is_kept_until_its_file_changes(edited, made, tmp_path):
    for text in (AGENT, AGENT, AGENT.replace("1", "2")):
        (result,) = run_all([edited(text)], tmp_path / "runs", QUIET)
        assert result.test_accuracy is not None
    assert len(made) == 2
    assert len(list((tmp_path / "runs").glob("**/done"))) == 2  # the first one's is still there


def test_one_that_is_given_as_an_argument_is_run_again(edited, made, tmp_path):
    given = replace(edited(AGENT), own=pack("mine", Recorder))
    for _ in range(2):
        run_all([given], tmp_path / "runs", QUIET)
    assert len(made) == 2
    assert "code" not in given.to_dict()


def test_a_look_at_an_agents_code_leaves_the_path_alone(edited):
    before = sys.path.copy()
    edited(AGENT)
    assert sys.path == before


@pytest.mark.slow
def test_it_is_compared_from_a_notebook(tmp_path):
    said = subprocess.run(
        [sys.executable, "-c", NOTEBOOK.format(MINE)], cwd=tmp_path, text=True,
        capture_output=True, timeout=180,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1] == NAME


@pytest.mark.slow
def test_it_takes_part_in_a_comparison_from_the_command_line(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "compared.py").write_text(COMPARED)
    said = subprocess.run(
        [sys.executable, "compared.py", "--agents", f"label+{NAME}", "--sizes", "8"]
        + ["--epochs", "1"], cwd=tmp_path, text=True, capture_output=True, timeout=180,
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    assert said.stdout.splitlines()[-1] == NAME
    assert (tmp_path / "out" / "curves.csv").exists()
