"""Deep feedback control (Meulemans et al., NeurIPS 2021).

All nets are 784-256-256-256-10 with tanh units. The paper chooses the epoch on 5000 validation
images, so that its protocol is ours: the published one is not run beside it.
"""

from dataclasses import replace
from typing import Any

from agents.credit import CreditRule
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.presets.figure import Figure, Goal, Line, Published, Quick
from agents.settings import Settings

CODE = "repository meulemansalex/deep_feedback_control"
TABLE = "submission text, table 1, 5 seeds"
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
# A running mean over 300 batches: by its rate, 5e-4, and the noise of what it learns from, Adam
# takes about 900 steps there to bring Q to a new J^T, and makes three for each of the weights'.
SLOW = DeepFeedbackControl(rate=0.02)
# What there, on Fashion-MNIST, 34 steps of .0031 (time constant of the noise .135; s .0025, but
# divided by .01^2) leave of J^T against a decay of .1, while Q_L = I stays. On MNIST Q_L learns as
# the others do.
WEAK = replace(SLOW, scale=0.036)
Numbers = dict[str, tuple[str | CreditRule, float, float, float, float]]
"""Of each line: rule, learning rate, Adam's epsilon in our units, error, sd."""
# What is taken out of the pixels of each data set.
PIXELS = {"mnist": (0.1307, 0.3081), "fashion": (0.0, 1.0)}


def line(
    name: str, rule: str | CreditRule, published: Published | None = None,
    epochs: float | None = None, kept_as: str = "", **constants: Any,
) -> Line:  # fmt: skip
    """A rule in the papers' network."""
    settings = Settings("label", rule, network="tanh", optimizer="adam", **constants)
    return Line(name, settings, published, epochs, kept_as)


def _dfc(data: str, within: float, numbers: Numbers) -> Figure:
    return Figure(
        name=f"dfc-{data}",
        about=f"deep feedback control with the analytic controller, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2021, table 1; {CODE}, configs/ (their rates divided by "
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


FIGURES = (
    _dfc(
        "mnist",
        0.3,
        {
            "BP": ("backprop", 2.98e-4, 5.77e-8, 2.08, 0.15),
            "DFC-SSA": (replace(SLOW, alpha=1.39e-3, k_p=0.0), 1.19e-3, 7.76e-5, 2.18, 0.16),
            "DFA": ("direct_feedback_alignment", 2.63e-4, 1.59e-3, 2.69, 0.11),
        },
    ),
    _dfc(
        "fashion",
        0.5,
        {
            "BP": ("backprop", 5.44e-4, 2.71e-8, 10.60, 0.34),
            "DFC-SSA": (replace(WEAK, alpha=2.06e-4, k_p=0.0), 7.86e-4, 4.18e-5, 11.28, 0.27),
            "DFA": ("direct_feedback_alignment", 7.68e-3, 2.08e-2, 11.38, 0.25),
        },
    ),
)
