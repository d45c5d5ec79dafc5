"""Deep feedback control (Meulemans et al., NeurIPS 2021) and Strong-DFC (the same, ICML 2022).

All nets are 784-256-256-256-10 with tanh units. The papers choose the epoch on 5000 validation
images, so that their protocol is ours: the published one is not run beside it.
"""

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
DIFFERS = (
    "Adam with PyTorch's constants and no clipping of gradients; in single precision",
    "pixels are not normalised; 54000 images to learn from and 6000 to validate, there 55000, 5000",
)
STRONG_DIFFERS = (
    *DIFFERS,
    "25 steps of .02 in the dynamics, not 500 of .001; Q learns at a rate that moves it",
)
Numbers = dict[str, tuple[str | CreditRule, float, float, float]]  # rule, rate, error, sd
LEAKY = "DFC-SSA, leaky"
SEARCHED = (
    f"{LEAKY} is ours, beside the number of DFC-SSA: 10 u is left of the error, there .00139 u; "
    "feedback five times as slow; leak and learning rate from the validation images of MNIST, "
    "seed 0, 24 or 30 epochs"
)
OTHERS = "DFC is the analytic form; BP has the rate that is published for Fashion-MNIST"


def line(
    name: str, rule: str | CreditRule, lr: float, published: Published | None = None,
    epochs: float | None = None,
) -> Line:  # fmt: skip
    """A rule in the papers' network."""
    settings = Settings("label", rule, network="tanh", optimizer="adam", lr=lr)
    return Line(name, settings, published, epochs)


def _dfc(data: str, within: float, numbers: Numbers) -> Figure:
    leaky = DeepFeedbackControl(rate=0.1, alpha=10, k_p=0)
    lines = numbers | {LEAKY: (leaky, 6e-4, *numbers["DFC-SSA"][2:])}
    return Figure(
        name=f"dfc-{data}",
        about=f"deep feedback control with the analytic controller, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2021, table 1; {CODE_2021}, configs/ (their rates divided by "
        "their target_stepsize)",
        lines=tuple(
            line(name, rule, lr, Published(error, TABLE, sd))
            for name, (rule, lr, error, sd) in lines.items()
        ),
        epochs=100,
        own_epochs=100,
        quick=Quick(4, 50),
        hours=2.5,
        unit="error",
        protocols=("own",),
        goals=tuple(Goal(name, "published", within) for name in lines),
        differs=(*DIFFERS, SEARCHED),
    )


def _strong(data: str, bound: float, accuracies: tuple[float, ...], lr: float) -> Figure:
    bp, dfc, strong = (Published(accuracy, SINGLE) for accuracy in accuracies)
    return Figure(
        name=f"strong-dfc-{data}",
        about=f"strong feedback, weights and feedback learning in one phase, {data}",
        env=ENVS[data],
        source=f"Meulemans et al. 2022; {CODE_2022}, dfc/EXPERIMENTS.rst",
        lines=(
            line("BP", "backprop", 0.0004, bp),
            line("DFC", "dfc", 0.001, dfc),
            line("Strong-DFC", "strong_dfc", lr, strong),
            line("Strong-DFC, Q frozen", StrongDFC(rate=0), lr),
        ),
        epochs=40,
        own_epochs=40,
        quick=Quick(1, 75),
        hours=4.5,
        protocols=("own",),
        goals=(Goal("Strong-DFC", "bound", bound),),
        differs=(*STRONG_DIFFERS, OTHERS),
    )


LR = 0.00031  # of Strong-DFC on MNIST

FIGURES = (
    _dfc(
        "mnist", 0.3,
        {
            "BP": ("backprop", 2.98e-4, 2.08, 0.15),
            "DFC-SSA": ("dfc", 1.19e-3, 2.18, 0.16),
            "DFA": ("direct_feedback_alignment", 2.63e-4, 2.69, 0.11),
        },
    ),
    _dfc(
        "fashion", 0.5,
        {
            "BP": ("backprop", 5.44e-4, 10.60, 0.34),
            "DFC-SSA": ("dfc", 7.86e-4, 11.28, 0.27),
            "DFA": ("direct_feedback_alignment", 7.68e-3, 11.38, 0.25),
        },
    ),
    _strong("mnist", 97.5, (98.17, 97.80, 97.72), LR),
    _strong("fashion", 87.0, (89.40, 88.70, 87.26), 0.00095),
    Figure(
        name="strong-dfc-noise",
        about="accuracy against noise on the activity of every unit, at test",
        env=ENVS["mnist"],
        source=f"Meulemans et al. 2022, the figure of robustness to noise (a claim); {CODE_2022}",
        lines=(
            line("BP", "backprop", 0.0004),
            line("DFC", "dfc", 0.001),
            line("Strong-DFC", "strong_dfc", LR),
        ),
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
            line(f"{epochs:g} epochs", "strong_dfc", LR, epochs=epochs)
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
