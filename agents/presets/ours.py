"""Figures without a published number: how perturbation scales, reward alone under every rule."""

from agents.comparison import records
from agents.credit import RULES
from agents.layers import Conv2d
from agents.presets.figure import Figure, Line, Quick
from agents.settings import Settings, name_of

SCALED = {  # line: rule, largest learning rate
    "backprop": ("backprop", 0.8),
    "learned feedback": ("learned_feedback", 0.2),
    "node perturbation": ("node_perturbation", 0.04),
    "weight perturbation": ("weight_perturbation", 0.008),
}
WIDTHS = tuple((width, width) for width in (16, 32, 64, 128))
DEPTHS = tuple((32,) * depth for depth in (1, 2, 3, 4))
SIZES = tuple(dict.fromkeys(WIDTHS + DEPTHS))
RATES = 5  # of each rule, a factor 2 apart from its largest down


def _scaling() -> Figure:
    def line(name: str, sizes: tuple[int, ...], halvings: int) -> Line:
        rule, largest = SCALED[name]
        lr = largest / 2**halvings
        shape = "-".join(map(str, sizes))
        return Line(f"{name} {shape} lr {lr:g}", Settings("label", rule, sizes=sizes, lr=lr))

    return Figure(
        name="np-scaling",
        about="trials to 50 % on the digits against width and depth, the best of five rates each",
        env="DigitsReward-v0",
        source="Lansdell et al. 2020: perturbation scales poorly, learned feedback does not "
        "(a claim)",
        lines=tuple(
            line(name, sizes, halvings)
            for name in SCALED for sizes in SIZES for halvings in range(RATES)
        ),
        epochs=160,
        own_epochs=160,
        quick=Quick(30, 100),
        hours=0.9,
        batch=32,
        protocols=("own",),
        level=0.5,
    )  # fmt: skip


def _grid(data: str, network: str, epochs: int, quick: Quick, gpu: bool) -> Figure:
    env = f"{data}Reward-v0"

    def line(rule: str) -> Line:
        signal = (RULES[rule].signals or ("reward_prediction",))[0]
        settings = Settings(signal, rule, network, lr=RULES[rule].largest_rate / 8)
        agent = name_of(signal, rule)
        return Line(rule, records.chosen(env, agent, settings, 128) or settings)

    served = (rule for rule in RULES if network == "dense" or Conv2d in RULES[rule].serves)
    return Figure(
        name=f"reward-grid-{data.lower()}",
        about=f"every credit rule from reward alone, {data}, network {network}",
        env=env,
        source="nothing published; rates as scripts/search.py found them "
        "(benchmarks/settings.csv), else an eighth of the largest that it would try",
        lines=tuple(line(rule) for rule in served),
        epochs=epochs,
        own_epochs=epochs,
        quick=quick,
        hours=30.0 if gpu else 1.7,
        gpu=gpu,
        protocols=("own",),
    )


FIGURES = (
    _scaling(),
    _grid("MNIST", "dense", 10, Quick(1, 85), gpu=False),
    _grid("CIFAR10", "conv", 30, Quick(0.1, 90, images=1000), gpu=True),
)
