"""Images per second against batch and width, drawn from the results of the growth cases."""

from collections.abc import Sequence
from pathlib import Path

from agents.speed.measure import Left, Result

AXES = {
    "batch": "trials in a batch (dense 1500-1000-500)",
    "width": "units in each of three layers (batch 128)",
}


def picture(results: Sequence[Result | Left], path: Path, measured: str) -> None:
    """Draw what there is of `batch-<n>` and `width-<n>`, both axes logarithmic.

    `measured` says above it on what machine. A dotted line is what is lost to products alone: as
    many images/s whatever the batch, four times fewer for twice the width.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(measured, fontsize="small")
    for axes, (kind, name) in zip(figure.subplots(1, 2), AXES.items(), strict=True):
        found = [r for r in results if isinstance(r, Result) and r.name.startswith(f"{kind}-")]
        at = [int(result.name.partition("-")[2]) for result in found]
        axes.loglog(at, [result.ours for result in found], "o-", label="q_agrel")
        axes.loglog(at, [result.theirs for result in found], "x--", label="supervised, by hand")
        if kind == "width" and found:
            products = [found[-1].theirs * (at[-1] / width) ** 2 for width in at]
            axes.loglog(at, products, ":", color="gray", label="1 / width$^2$")
        axes.set_xlabel(name)
        axes.set_ylabel("images/s")
        axes.set_xticks(at, map(str, at))
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)
