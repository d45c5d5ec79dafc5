"""Deep feedback control (Meulemans et al., NeurIPS 2021) and Strong-DFC (the same, ICML 2022).

All nets are 784-256-256-256-10 with tanh units. The papers choose the epoch on 5000 validation
images, so that their protocol is ours: the published one is not run beside it.
"""

from dataclasses import replace
from itertools import zip_longest
from typing import Any

from agents.credit import CreditRule
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.credit.strong_dfc import StrongDFC
from agents.presets.figure import Figure, Goal, Line, Published, Quick
from agents.settings import Settings

CODE_2021 = "repository meulemansalex/deep_feedback_control"
CODE_2022 = "repository mariacer/strong_dfc"
TABLE = "submission text, table 1, 5 seeds"
SINGLE = f'{CODE_2022}, dfc/EXPERIMENTS.rst, one run, "around"'
ENVS = {"mnist": "MNISTReward-v0", "fashion": "FashionMNISTReward-v0"}
SPLIT = "54000 images to learn from and 6000 to validate, there 55000, 5000"
DIFFERS = (
    "no clipping; in single precision",
    SPLIT,
    "Adam's epsilon is theirs times 128 / (2 lambda) for DFC-SSA and DFA: the target there has the "
    "loss's 1 / 128 in it, and the batch's mean divides once more, so that their gradients are "
    "2 lambda / 128 of ours",
    "Q of DFC-SSA is a running mean over about 300 batches, as slow as Adam makes it there; it "
    "learns beside the weights, there in three passes for each of theirs, and in ten before; on "
    "Fashion-MNIST the hidden Q go to .036 J^T, which is our reckoning from the constants there",
    "the output is nudged by .05, there by .078 (MNIST) and .056 (Fashion-MNIST); the output layer "
    "starts at N(0, .01^2), there like the others",
)
STRONG_DIFFERS = (
    "no clipping of gradients; in single precision",
    SPLIT,
    "Adam's epsilon is theirs over 2 for Strong-DFC and over 2 lambda for DFC, since their "
    "gradients are twice ours and those of DFC lambda times as large",
    "25 steps of .02 in the dynamics, not 500 of .001; Q learns at a rate that moves it",
    "leak, noise and time constants are our rules' own, there searched for each data set; the "
    "output layer starts at N(0, .01^2), there like the others",
)
# A running mean over 300 batches: by its rate, 5e-4, and the noise of what it learns from, Adam
# takes about 900 steps there to bring Q to a new J^T, and makes three for each of the weights'.
SLOW = DeepFeedbackControl(rate=0.02)
# What there, on Fashion-MNIST, 34 steps of .0031 (time constant of the noise .135; s .0025, but
# divided by .01^2) leave of J^T against a decay of .1, while Q_L = I stays. On MNIST Q_L learns as
# the others do.
WEAK = replace(SLOW, scale=0.036)
Numbers = dict[str, tuple[str | CreditRule, float, float, float, float]]
"""Of each line: rule, learning rate, Adam's epsilon in our units, error, sd."""
OTHERS = "DFC is the analytic form, in batches of 128; its feedback learns as ours does"

# Of each data set: constants of Adam, and what is taken out of the pixels.
BP = {
    "mnist": {"lr": 0.002, "eps": 0.002},
    "fashion": {"lr": 4e-4, "eps": 2e-4},
}
DFC = {
    "mnist": {"lr": 0.00109, "betas": (0.9, 0.99), "eps": 2.1e-5},
    "fashion": {"lr": 0.00107, "betas": (0.99, 0.999), "eps": 8.0e-6},
}
STRONG = {
    "mnist": {"lr": 3.1e-4, "betas": (0.9, 0.99), "eps": 8.1e-6},
    "fashion": {"lr": 9.5e-4, "betas": (0.99, 0.999), "eps": 4.9e-8},
}
PIXELS = {"mnist": (0.1307, 0.3081), "fashion": (0.0, 1.0)}
THREE = (
    ("BP", "backprop", BP),
    ("DFC", SLOW, DFC),
    ("Strong-DFC", "strong_dfc", STRONG),
)


def line(
    name: str, rule: str | CreditRule, published: Published | None = None,
    epochs: float | None = None, shares: str = "", **constants: Any,
) -> Line:  # fmt: skip
    """A rule in the papers' network."""
    settings = Settings("label", rule, network="tanh", optimizer="adam", **constants)
    return Line(name, settings, published, epochs, shares)


def _dfc(data: str, within: float, numbers: Numbers) -> Figure:
    return Figure(
        name=f"dfc-{data}",
        about=f"deep feedback control with the analytic controller, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2021, table 1; {CODE_2021}, configs/ (their rates divided by "
        "their target_stepsize)",
        lines=tuple(
            line(
                name, rule, Published(error, TABLE, sd), lr=lr, betas=(0.99, 0.99), eps=eps,
                pixels=PIXELS[data],
            )
            for name, (rule, lr, eps, error, sd) in numbers.items()
        ),
        epochs=100,
        own_epochs=100,
        quick=Quick(4, 50),
        hours=2.0,
        unit="error",
        protocols=("own",),
        goals=tuple(Goal(name, "published", within) for name in numbers),
        differs=DIFFERS,
    )  # fmt: skip


def _strong(
    data: str, *lines: tuple[str, str | CreditRule, dict], numbers: tuple[float, ...] = ()
) -> tuple[Line, ...]:  # fmt: skip
    """Lines of the later paper, beside its numbers where it has any."""
    published = [Published(number, SINGLE) for number in numbers]
    return tuple(
        line(
            name, rule, number, shares=f"strong-dfc-{data} {name}", pixels=PIXELS[data],
            **constants[data],
        )
        for (name, rule, constants), number in zip_longest(lines, published)
    )  # fmt: skip


def _accuracies(data: str, bound: float, numbers: tuple[float, float, float]) -> Figure:
    return Figure(
        name=f"strong-dfc-{data}",
        about=f"strong feedback, weights and feedback learning in one phase, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2022; {CODE_2022}, dfc/EXPERIMENTS.rst",
        lines=_strong(
            data, *THREE, ("Strong-DFC, Q frozen", StrongDFC(rate=0), STRONG), numbers=numbers
        ),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 75),
        hours=4.5,
        protocols=("own",),
        goals=(Goal("Strong-DFC", "bound", bound),),
        differs=(*STRONG_DIFFERS, OTHERS),
    )


FIGURES = (
    _dfc(
        "mnist", 0.3,
        {
            "BP": ("backprop", 2.98e-4, 5.77e-8, 2.08, 0.15),
            "DFC-SSA": (replace(SLOW, alpha=1.39e-3, k_p=0.0), 1.19e-3, 7.76e-5, 2.18, 0.16),
            "DFA": ("direct_feedback_alignment", 2.63e-4, 1.59e-3, 2.69, 0.11),
        },
    ),
    _dfc(
        "fashion", 0.5,
        {
            "BP": ("backprop", 5.44e-4, 2.71e-8, 10.60, 0.34),
            "DFC-SSA": (replace(WEAK, alpha=2.06e-4, k_p=0.0), 7.86e-4, 4.18e-5, 11.28, 0.27),
            "DFA": ("direct_feedback_alignment", 7.68e-3, 2.08e-2, 11.38, 0.25),
        },
    ),
    _accuracies("mnist", 97.5, (98.17, 97.80, 97.72)),
    _accuracies("fashion", 87.0, (89.40, 88.70, 87.26)),
    Figure(
        name="strong-dfc-noise",
        about="accuracy against noise on the activity of every unit, at test",
        env=ENVS["mnist"],
        source=f"Meulemans et al. 2022, the figure of robustness to noise (a claim); {CODE_2022}",
        lines=_strong("mnist", *THREE),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 40),
        hours=2.5,
        protocols=("own",),
        measure="noise",
        differs=(*STRONG_DIFFERS, OTHERS),
    ),
    Figure(
        name="strong-dfc-H",
        about="learning as the minimisation of control: H and the loss over training",
        env=ENVS["mnist"],
        source=f"Meulemans et al. 2022, the figure of H over training (a claim); {CODE_2022}",
        lines=tuple(
            line(
                f"{epochs:g} epochs", "strong_dfc", epochs=epochs,
                shares="strong-dfc-mnist Strong-DFC", pixels=PIXELS["mnist"], **STRONG["mnist"],
            )
            for epochs in (0.125, 0.25, 0.5, 1, 4, 16, 40)
        ),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 60),
        hours=3.0,
        protocols=("own",),
        measure="control",
        differs=(*STRONG_DIFFERS, "each length is a run of its own, on the same seeds"),
    ),
)  # fmt: skip
