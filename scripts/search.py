"""Choose every agent's learning rate and initialisation on validation, by the protocol.

What it finds goes to benchmarks/settings.csv, where compare.py reads it, and the criterion's
reference (supervised's final validation accuracy) to benchmarks/criteria.csv.

    python scripts/search.py --env MNISTReward-v0 --agents supervised,q_agrel --sizes 500,300
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

import credit_envs

credit_envs.require_agents()

from agents.comparison import records, search  # noqa: E402
from agents.comparison.options import Options, epoch_of  # noqa: E402


@dataclass(frozen=True)
class Args(Options):
    """Search settings for agents on one environment and network."""

    out: Path = Path("results/search")
    """Finished runs are kept here; a second call goes on where the first was stopped."""


def main(args: Args) -> None:
    """Search, and write the two tables."""
    cells = {agent: settings for agent, settings in args.cells().items() if settings}
    task = search.Task(args.env, args.epochs * epoch_of(args.env), args.batch, args.device)
    found = search.search(cells, task, args.out / args.env)
    seeds = " ".join(map(str, search.TUNING_SEEDS))
    shared = {"env": args.env, "batch": args.batch, "epochs": args.epochs, "seeds": seeds}
    rows = [
        shared
        | {
            "network": records.network_name(f.settings),
            "agent": f.agent,
            "lr": f.settings.lr,
            "init": f.settings.init,
            "validation": round(f.best, 5),
            "median": round(f.median, 5),
            "tried": f.tried,
            "on_edge": f.on_edge,
        }  # fmt: skip
        for f in found
    ]
    records.merge_rows(records.FOLDER / "settings.csv", records.SETTINGS, records.CELL, rows)
    references = [
        row | {"supervised_validation": row["validation"]}
        for row in rows
        if row["agent"] == "supervised"
    ]
    records.merge_rows(
        records.FOLDER / "criteria.csv", records.CRITERIA, records.CRITERION, references
    )
    for row in rows:
        print({k: row[k] for k in ("agent", "lr", "init", "validation", "median", "on_edge")})


if __name__ == "__main__":
    main(tyro.cli(Args))
