"""Choose every agent's learning rate and initialisation on validation, by the protocol.

What it finds goes to benchmarks/settings.csv, where compare.py reads it, and the criterion's
reference (supervised's final validation accuracy) to benchmarks/criteria.csv.

    python scripts/search.py --env MNISTReward-v0 --agents supervised,q_agrel --sizes 500,300
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import credit_envs

credit_envs.require_agents()

from agents.comparison import records, search
from agents.comparison.options import Options, epoch_of, make_folder, script
from agents.making import pick_device


@dataclass(frozen=True)
class Args(Options):
    """Search settings for agents on one environment and network."""

    out: Path = Path("results/search")
    """Finished runs are kept here; a second call goes on where the first was stopped."""


def main(args: Args) -> None:
    """Search, and write the two tables."""
    args.check()
    make_folder(args.out)
    cells = {agent: settings for agent, settings in args.cells().items() if settings}
    if len(cells) < len(args.cells()):
        raise ValueError("a class of your own has no settings that could be searched for")
    device = str(pick_device(args.device))
    task = search.Task(args.env, args.epochs * epoch_of(args.env), args.batch, device, args)
    rows = [_row(args, found) for found in search.search(cells, task, args.out)]
    supervised = [row for row in rows if row["agent"] == "supervised"]
    references = [row | {"supervised_validation": row["validation"]} for row in supervised]
    folder = records.FOLDER
    records.merge_rows(folder / "settings.csv", records.SETTINGS, records.CELL, rows)
    records.merge_rows(folder / "criteria.csv", records.CRITERIA, records.CRITERION, references)
    for row in rows:
        print({k: row[k] for k in ("agent", "lr", "init", "validation", "median", "on_edge")})


def _row(args: Args, found: search.Found) -> dict[str, Any]:
    return {
        "env": args.env,
        "network": records.network_name(found.settings),
        "optimizer": found.settings.optimizer,
        "batch": args.batch,
        "agent": found.agent,
        "lr": found.settings.lr,
        "init": getattr(found.settings, found.settings.varied),
        "validation": round(found.best, 5),
        "median": round(found.median, 5),
        "tried": found.tried,
        "on_edge": found.on_edge,
        "epochs": args.epochs,
        "seeds": " ".join(map(str, search.TUNING_SEEDS)),
    }


if __name__ == "__main__":
    script(main, Args)
