"""Agents that a comparison is given as arguments: packed for the runs' processes, and tried."""

from collections.abc import Mapping

from agents.comparison.options import Options
from agents.making import pick_device
from agents.own import Maker, Own, check_firewall, pack
from agents.runs.attempt import unseen
from agents.runs.job import Job
from agents.runs.learning import Learning


def packed(own: Mapping[str, Maker], options: Options) -> dict[str, Own]:
    """Each agent's maker by name. Raises TypeError, ValueError, and what an agent itself raises."""
    if twice := set(own) & set(options.cells()):
        raise ValueError(f"{min(twice)!r} is one of --agents already: give yours another name")
    makers = {name: pack(name, make) for name, make in own.items()}
    for name, make in makers.items():
        _try(name, make, options)
    return makers


def _try(name: str, make: Own, options: Options) -> None:
    """Let it learn from one batch, so that its faults are seen here and before any run."""
    device = str(pick_device(options.device))
    job = Job(options.env, name, None, 0, options.batch, (options.batch,), device, own=make)
    learning = Learning(job)
    check_firewall(learning.agent, name)
    learning.learn(options.batch, unseen)
