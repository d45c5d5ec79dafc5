"""Folders of runs that never ran, written as runs write them: what a report is made from."""

import random
from dataclasses import asdict, replace
from itertools import product
from math import exp

from agents.comparison.statistics import evaluation_points
from agents.runs.folder import CONFIG, DONE, FAILED, FORMAT, METRICS, End, write_json
from agents.runs.rows import Row, write_rows
from agents.settings import settings_of

POINTS = evaluation_points(1294, 20 * 1294, 32)


AGENTS = {"supervised": 500, "q_agrel": 1500, "reinforce": 4000, "readout_only": 9000}  # and pace


def write_comparison(root):
    """Four agents, five seeds each. Returns the folder."""
    for agent, seed in product(AGENTS, range(100, 105)):
        write_run(root, agent, seed, AGENTS[agent], watched=True)
    return root


def write_run(
    root, agent, seed, pace=2000, env="DigitsReward-v0", diverged=None, failed=None, rows=None,
    name=None, watched=False, **more,
):  # fmt: skip
    """A run that makes up for what it does not know within some `pace` trials; its folder."""
    folder = root / env / agent.replace("/", "_") / more.get("key", "01234567") / f"seed-{seed}"
    settings = None if ":" in agent else replace(settings_of(agent), sizes=(64, 32))
    config = {
        "format": FORMAT, "env": env, "agent": name or agent, "seed": seed, "batch": 32,
        "settings": settings and settings.to_dict(), "device": "cpu", "device_name": "a CPU",
        "points": POINTS, "reads_test": True, "watched": watched, "versions": {"torch": "2.13.0"},
        "commit": "0123456789abcdef", "dirty": True, "command": "scripts/compare.py --seeds 5",
        "started": "2026-01-01T00:00:00+00:00",
    }  # fmt: skip
    write_json(folder / CONFIG, config | {k: v for k, v in more.items() if k != "key"})
    noise = random.Random(f"{agent} {seed}")
    lived = [_row(at, pace, noise, watched) for at in POINTS]
    stop = len(lived) if rows is None else rows
    if diverged is not None:
        stop = sum(at < diverged for at in POINTS)
    write_rows(folder / METRICS, lived[:stop])
    if failed is not None:
        write_json(folder / FAILED, {"error": failed})
    elif rows is None:
        accuracy = 0.1 if diverged else lived[-1].validation_accuracy
        steps = diverged or POINTS[-1]
        end = End(accuracy, diverged, 12.5, steps, steps, steps, None, 41.0 if watched else None)
        write_json(folder / DONE, asdict(end))
    return folder


def _row(at, pace, noise, watched):
    accuracy = 0.1 + 0.88 * (1 - exp(-at / pace)) + noise.uniform(-0.01, 0.01)
    return Row(at, accuracy, 0.5, noise.uniform(35, 45) if watched else None, at * 1e-3)
