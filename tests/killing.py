"""Runs in processes of their own, killed at random moments, and what they leave compared."""

import json
import random
import time
from dataclasses import replace
from multiprocessing import get_context

import torch

from agents import checkpoint
from agents.runs.folder import read
from agents.runs.job import Job
from agents.runs.run import run
from agents.settings import settings_of

FORK = get_context("forkserver")  # imports once what takes seconds, and every run is forked there
FORK.set_forkserver_preload(["agents.runs.run", "agents.sb3.rollouts", "torch._dynamo"])
POINTS = (64, 256, 512, 1024, 1536)

FAMILIES = {
    "supervised": {"optimizer": "adam"},
    "q_agrel": {"momentum": 0.9, "sizes": (9, 8)},
    "reinforce": {"network": "tanh"},
    "agrel+direct_feedback_alignment": {},
    "weight_mirror": {"optimizer": "adamw", "weight_decay": 0.01},
    "kolen_pollack": {"network": "resnet18", "sizes": (2,)},
    "label+sign_symmetry_batchwise": {},
    "learned_feedback": {},
    "reward_prediction+least_squares_feedback": {},
    "strong_dfc": {},
    "policy_gradient+node_perturbation_two_rewards": {},
    "policy_gradient+weight_perturbation": {},
    "brainprop": {"network": "deep", "sizes": ()},  # with dropout
    "ppo": {},
    "a2c": {"network": "deep", "sizes": ()},
    "dqn": {"epsilon": 0.2},
}


def job(family):
    """A watched run of a second or less."""
    settings = replace(settings_of(family), **{"sizes": (9,)} | FAMILIES[family])
    small = settings.network in ("resnet18", "deep")
    return Job(
        "DigitsReward-v0", family, settings, 7, 32, POINTS[: 3 if small else 5], watched=True
    )


def start(job, folder):
    """Begin or go on with a run, with a checkpoint after every stretch of training."""
    process = FORK.Process(target=_run, args=(job, folder))
    process.start()
    return process


def _run(job, folder):
    torch.set_num_threads(1)
    run(job, folder, lambda *_: None, say=print, every=0, source={})


def finish(job, folder):
    """Run to the end; the seconds that took."""
    began = time.monotonic()
    process = start(job, folder)
    process.join(120)
    assert process.exitcode == 0
    return time.monotonic() - began


def kill(job, folder, seconds, chance: random.Random):
    """Kill a run, which may have been killed before, at a moment before its end."""
    while True:
        process = start(job, folder)
        process.join(chance.uniform(0, seconds))
        process.kill()
        process.join()
        if process.exitcode == -9:
            return
        (folder / "done").unlink()  # it was faster: it begins anew
        (folder / "last.safetensors").unlink()


def left(folder):
    """All that a finished run leaves but times: tensors as bytes, and the rest as plain values."""
    record = read(folder)
    assert record.faults == ()
    tensors, facts = checkpoint.read(folder / "last.safetensors")
    content = {name: (str(t.dtype), t.shape, t.numpy().tobytes()) for name, t in tensors.items()}
    facts["run"]["rows"] = None
    facts["run"]["seconds"] = None
    return {
        "files": sorted(path.name for path in folder.iterdir()),
        "tensors": content,
        "facts": json.dumps(facts),
        "rows": [replace(row, seconds=0) for row in record.rows],
        "end": record.end and replace(record.end, seconds=0),
    }
