"""The papers' figures as values: `scripts/reproduce.py` runs them, `agents.reproduction` says how.

figure       what a figure is made of
brainprop    BrainProp and backprop on nine networks and data sets, and on Tiny ImageNet
akrout       weight mirror and Kolen-Pollack
lansdell     feedback that node perturbation learns, of classifiers and of an autoencoder
dfc          deep feedback control
strong_dfc   the same with strong feedback
biotorch     sign symmetry
ours         what nobody has published
"""

from agents.presets import akrout, biotorch, brainprop, dfc, lansdell, ours, strong_dfc
from agents.presets.figure import Figure, Goal, Line, Published, Quick

MODULES = brainprop, akrout, lansdell, dfc, strong_dfc, biotorch, ours

FIGURES: dict[str, Figure] = {
    figure.name: figure for module in MODULES for figure in module.FIGURES
}
RATIO = "ratio"  # a table of these figures, which has no runs of its own
RATIO_OF = tuple(name for name in FIGURES if name.startswith("brainprop-") and "tiny" not in name)


def chosen(name: str) -> tuple[str, ...]:
    """The figures that a name stands for: itself, or all that begin with it and a dash."""
    if name == RATIO:
        return RATIO_OF
    found = tuple(one for one in FIGURES if one == name or one.startswith(f"{name}-"))
    if not found:
        raise ValueError(f"unknown figure {name!r}: choose one of {', '.join([*FIGURES, RATIO])}")
    return found


__all__ = [
    "FIGURES", "RATIO", "RATIO_OF", "Figure", "Goal", "Line", "Published", "Quick", "chosen"
]  # fmt: skip
