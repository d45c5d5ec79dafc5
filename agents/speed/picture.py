"""Images per second against batch and width, drawn from the results of the growth cases."""

from collections.abc import Sequence
from math import ceil, floor, log10
from pathlib import Path

from agents.speed.measure import Left, Result

AXES = {
    "batch": "trials in a batch (dense 1500-1000-500)",
    "width": "units in each of three layers (batch 128)",
}


def picture(results: Sequence[Result | Left], path: Path, measured: str) -> None:
    """Draw what there is of `batch-<n>` and `width-<n>`, both axes logarithmic.

    `measured` says above it on what machine. The dotted line is the largest net's speed at the
    smaller nets' products: below it, time goes elsewhere.
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
            work = [products(width) for width in at]
            even = [found[-1].theirs * work[-1] / part for part in work]
            axes.loglog(at, even, ":", color="gray", label="as fast per product")
        axes.set_xlabel(name)
        axes.set_ylabel("images/s")
        axes.set_xticks(at, map(str, at))
        axes.set_ylim(*decades([r.ours for r in found] + [r.theirs for r in found]))
        axes.minorticks_off()
        axes.grid(alpha=0.3)
        axes.legend(frameon=False)
    figure.savefig(path, dpi=150)


def products(width: int) -> int:
    """Multiply-adds of learning from an image of 784 pixels: up, the changes, down to layer one."""
    weights = 784 * width, width**2, width**2, 10 * width
    return 3 * sum(weights) - weights[0]


def decades(values: Sequence[float]) -> tuple[float, float]:
    """The powers of ten around the values, if there are any."""
    return 10 ** floor(log10(min(values, default=1))), 10 ** ceil(log10(max(values, default=10)))
