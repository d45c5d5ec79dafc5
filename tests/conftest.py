"""A test run has its own cache, and the mirror beside the repository where there is one."""

import os
import shutil
import sys
import tempfile
from importlib import import_module
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import toy as toys
from pictures import HUB

from credit_envs.datasets import load

SMALL = ["--sizes", "16", "--epochs", "1", "--device", "cpu", "--quiet"]
MIRROR = Path(__file__).parents[2] / "shared" / "data"

hypothesis.settings.register_profile("unhurried", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("unhurried")


def pytest_configure(config):
    if hasattr(config, "workerinput"):
        return  # a worker of pytest-xdist inherits the variables, and so shares the cache
    os.environ["OMP_NUM_THREADS"] = "1"  # nets this small only wait for a second thread
    os.environ["CREDIT_ENVS_CACHE"] = tempfile.mkdtemp(prefix="credit-envs-tests-")
    os.environ.pop("CREDIT_ENVS_MIRROR", None)
    if MIRROR.is_dir():
        os.environ["CREDIT_ENVS_MIRROR"] = str(MIRROR)


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ["CREDIT_ENVS_CACHE"], ignore_errors=True)


@pytest.fixture(params=["Digits", "MNIST", "FashionMNIST", "CIFAR10", "CIFAR100"])
def dataset(request):
    """Each data set whose images are at hand; there is no local copy of TinyImageNet."""
    if request.param != "Digits" and "CREDIT_ENVS_MIRROR" not in os.environ:
        pytest.skip(f"{request.param} needs the mirror {MIRROR}")
    return request.param


@pytest.fixture
def toy(tmp_path, monkeypatch) -> toys.Toy:
    """A made-up data set in a mirror of its own, and an empty cache."""
    toy = toys.make_toy(tmp_path / "mirror")
    toys.install(toy, tmp_path / "cache", monkeypatch)
    return toy


@pytest.fixture
def filled(toy, tmp_path) -> Path:
    """The toy's cache file, written and not yet opened by another process."""
    load("Toy", "test")
    return tmp_path / "cache" / "Toy.safetensors"


@pytest.fixture
def repo(tmp_path, monkeypatch):
    """The folder of an empty data set in a mirror."""
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "mirror"))
    return tmp_path / "mirror" / HUB


@pytest.fixture
def made(monkeypatch):
    """Runs are made in this process; the agents and seeds of those that were."""
    from small import without_processes  # here: PyTorch reads its threads as it is imported

    return without_processes(monkeypatch)


@pytest.fixture
def command(monkeypatch, tmp_path, capsys):
    """Runs a script in a folder of its own; what it printed, or said when it ended."""
    from test_options import load as load_script

    from agents.comparison.options import script

    monkeypatch.chdir(tmp_path)

    def command(name, *arguments):
        monkeypatch.setattr(sys, "argv", [name, *SMALL, *arguments])
        module = load_script(name)
        try:
            script(module.main, module.Args)
        except SystemExit as end:
            return str(end.code)
        return capsys.readouterr().out

    return command


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The rule of the user's module mine.py, which has added it to the table."""
    from sparse import MINE, NAME  # here, as above

    from agents.credit import RULES, CreditRule

    (tmp_path / "mine.py").write_text(MINE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(RULES, NAME, CreditRule)  # so that the table is put back afterwards
    yield import_module("mine").SparseFeedback
    del sys.modules["mine"]


@pytest.fixture
def late_flags(monkeypatch):
    """What went wrong in a trial is looked at on the CPU as on a GPU, later."""
    from credit_envs import tensors  # here, as above

    first_bad = tensors.FirstBad.__init__

    def patient(self, device, error):
        first_bad(self, device, error, tensors.PATIENCE)

    monkeypatch.setattr(tensors.FirstBad, "__init__", patient)


@pytest.fixture
def same_generators():
    """Stable-Baselines3 seeds the global ones."""
    import torch  # here, as above

    numpy, pytorch = np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    yield
    np.random.set_state(numpy)  # noqa: NPY002
    torch.set_rng_state(pytorch)
