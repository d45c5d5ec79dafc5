"""Scripts run as a user runs them: another Python, from a folder of the user's own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from filelock import FileLock

HERE = Path(__file__).parent
COMPARE = HERE.parent / "scripts" / "compare.py"
PATIENCE = 180  # seconds; a busy machine is no failure


def once(factory, name, make):
    """A folder that one of the test processes fills for all, with the user's mine.py in it."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            folder.mkdir()
            shutil.copy(HERE / "own.py", folder / "mine.py")
            make(folder)
    return folder


def start(folder, agents, *more, **environment):
    """Start a small comparison on the digits; its own session, so that Ctrl-C ends only it."""
    size = ["--sizes", "16", "--epochs", "2", "--seeds", "2"]
    return subprocess.Popen(
        [sys.executable, str(COMPARE), "--agents", agents, *size, "--out", "out", *more],
        cwd=folder, env={**os.environ, "COLUMNS": "100", **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )  # fmt: skip


def hear_ctrl_c():
    """A shell's background jobs, and all they start, are deaf to it: these tests may be in one."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def finish(process, expected=0):
    """Its output and its errors, when it has ended as expected."""
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == expected, errors
    return output, errors


def started(folder, process):
    """The process ids of the runs of mine:Slow, as soon as there is one."""
    end = time.monotonic() + PATIENCE
    while not (found := list(folder.glob("started-*"))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return [int(path.name.partition("-")[2]) for path in found]


def importing(process):
    """A process that the script has started for its runs, as soon as it imports PyTorch."""
    end = time.monotonic() + PATIENCE
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not (found := [pid for pid in children.read_text().split() if _imports_torch(pid)]):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    return int(found[0])


def _imports_torch(pid):
    process = Path(f"/proc/{pid}")
    try:
        spawned = "spawn_main" in (process / "cmdline").read_text()
        return spawned and "libtorch" in (process / "maps").read_text()
    except OSError:
        return False


def gone(pids):
    """Whether the processes have ended, some seconds being given to them."""
    end = time.monotonic() + 20
    while any(map(_lives, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(_lives, pids))


def _lives(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def finished(folder):
    """When each finished run of the comparison was written, by its file."""
    return {
        path.parent.relative_to(folder): path.stat().st_mtime_ns
        for path in folder.glob("**/seed-*/done")
    }
