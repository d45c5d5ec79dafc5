"""Strong-DFC (Meulemans et al., ICML 2022), on the nets and by the protocol of `presets.dfc`."""

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from agents.credit import CreditRule
from agents.credit.strong_dfc import StrongDFC
from agents.presets.dfc import ENVS, PIXELS, SLOW, SPLIT, line
from agents.presets.figure import Figure, Goal, Line, Published, Quick

CODE = "repository mariacer/strong_dfc"
SINGLE = f'{CODE}, dfc/EXPERIMENTS.rst, one run, "around"'
DIFFERS = (
    "no clipping of gradients; in single precision",
    SPLIT,
    "Adam's epsilon is theirs over 2 for Strong-DFC and over 2 lambda for DFC, since their "
    "gradients are twice ours and those of DFC lambda times as large",
    "25 steps of .02 in the dynamics, not 500 of .001; Q learns at a rate that moves it",
    "leak, noise and time constants are our rules' own, there searched for each data set; the "
    "output layer starts at N(0, .01^2), there like the others",
)
OTHERS = (
    "DFC is the analytic form, in batches of 128; its feedback learns as ours does",
    "of the two lines of Strong-DFC the frozen Q is nearer to what was published: at Adam's rates "
    "there (2e-8, and 5e-7 or 3e-7 before) no entry of Q can move by more than 1 % (MNIST) or 4 % "
    "(Fashion-MNIST) of its spread",
)
Constants = dict[str, dict[str, Any]]
"""Of Adam, by data set."""

BP: Constants = {
    "mnist": {"lr": 0.002, "eps": 0.002},
    "fashion": {"lr": 4e-4, "eps": 2e-4},
}
DFC: Constants = {
    "mnist": {"lr": 0.00109, "betas": (0.9, 0.99), "eps": 2.1e-5},
    "fashion": {"lr": 0.00107, "betas": (0.99, 0.999), "eps": 8.0e-6},
}
STRONG: Constants = {
    "mnist": {"lr": 3.1e-4, "betas": (0.9, 0.99), "eps": 8.1e-6},
    "fashion": {"lr": 9.5e-4, "betas": (0.99, 0.999), "eps": 4.9e-8},
}
MADE = "strong-dfc-mnist Strong-DFC"  # whose runs others share
THREE = (
    ("BP", "backprop", BP),
    ("DFC", SLOW, DFC),
    ("Strong-DFC", "strong_dfc", STRONG),
)


def _strong(
    data: str, *lines: tuple[str, str | CreditRule, Constants], numbers: Sequence[float] = ()
) -> tuple[Line, ...]:  # fmt: skip
    """Lines of the later paper, beside its numbers where it has any."""
    return tuple(
        line(
            name, rule, Published(number, SINGLE) if number else None,
            kept_as=f"strong-dfc-{data} {name}", pixels=PIXELS[data], **constants[data],
        )
        for (name, rule, constants), number in zip_longest(lines, numbers)
    )  # fmt: skip


def _accuracies(data: str, bound: float, numbers: tuple[float, float, float]) -> Figure:
    return Figure(
        name=f"strong-dfc-{data}",
        about=f"strong feedback, weights and feedback learning in one phase, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2022; {CODE}, dfc/EXPERIMENTS.rst",
        lines=_strong(
            data, *THREE, ("Strong-DFC, Q frozen", StrongDFC(rate=0), STRONG),
            numbers=(*numbers, numbers[-1]),
        ),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 75),
        hours=4.5,
        protocols=("own",),
        goals=(Goal("Strong-DFC, Q frozen", "bound", bound), Goal("Strong-DFC", "bound", bound)),
        differs=(*DIFFERS, *OTHERS),
    )  # fmt: skip


FIGURES = (
    _accuracies("mnist", 97.5, (98.17, 97.80, 97.72)),
    _accuracies("fashion", 87.0, (89.40, 88.70, 87.26)),
    Figure(
        name="strong-dfc-noise",
        about="accuracy against noise on the activity of every unit, at test",
        env=ENVS["mnist"],
        source="ours, on the lines of Meulemans et al. 2022, whose claim is about noise while a "
        f"net learns (strong-dfc-noise-learning); {CODE}",
        lines=_strong("mnist", *THREE),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 40),
        hours=2.5,
        protocols=("own",),
        measure="noise",
        differs=(*DIFFERS, *OTHERS),
    ),
    Figure(
        name="strong-dfc-noise-learning",
        about="accuracy against noise on the activity of every unit, while it learns",
        env=ENVS["mnist"],
        source="Meulemans et al. 2022, the abstract (a claim: weak feedback drowns in the noise of "
        f"neurons, strong feedback does not); {CODE}, --noisy_dynamics",
        lines=(
            line("BP without noise", "backprop", pixels=PIXELS["mnist"], **BP["mnist"]),
            *(
                line(
                    f"{name}, s {s:g}", StrongDFC(noise=s, strength=strength),
                    kept_as=MADE if StrongDFC(noise=s, strength=strength) == StrongDFC() else "",
                    pixels=PIXELS["mnist"], **STRONG["mnist"],
                )
                for s in (0.002, 0.02, 0.05, 0.1)
                for name, strength in (("strong", 1.0), ("weak", 0.05))
            ),
        ),
        epochs=4,
        own_epochs=4,
        quick=Quick(0.125, 90),
        hours=2.0,
        protocols=("own",),
        goals=tuple(
            Goal(f"strong, s {s:g}", "above", 0, f"weak, s {s:g}") for s in (0.002, 0.02, 0.05, 0.1)
        ),
        differs=(
            *DIFFERS,
            "weak feedback is Strong-DFC's own, in the same noise, whose target is a twentieth of "
            "the way; backprop's errors do not go through the units' activity, which no noise "
            "there could reach",
            "s is the noise's strength in the dynamics; voltages scatter by three times that",
        ),
    ),
    Figure(
        name="strong-dfc-H",
        about="learning as the minimisation of control: H and the loss over training",
        env=ENVS["mnist"],
        source=f"Meulemans et al. 2022, the figure of H over training (a claim); {CODE}",
        lines=tuple(
            line(
                f"{epochs:g} epochs", "strong_dfc", epochs=epochs,
                kept_as=MADE, pixels=PIXELS["mnist"], **STRONG["mnist"],
            )
            for epochs in (0.125, 0.25, 0.5, 1, 4, 16, 40)
        ),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 60),
        hours=3.0,
        protocols=("own",),
        measure="control",
        differs=(*DIFFERS, "each length is a run of its own, on the same seeds"),
    ),
)  # fmt: skip
