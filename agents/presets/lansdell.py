"""Learning to solve the credit assignment problem (Lansdell, Prakash & Kording, ICLR 2020)."""

from agents.credit import CreditRule
from agents.credit.least_squares_feedback import LeastSquaresFeedback
from agents.presets.figure import Figure, Goal, Line, Published, Quick
from agents.settings import Settings

FC = "repository benlansdell/synthfeedback"
CNN = "repository benlansdell/ssdfa"
CELL = f"{FC}, notebooks/fig_2_validate_nodepert.ipynb, cell 5, last epoch, 5 runs"
SEARCH = f"{CNN}, cifar10_conv_np_hyperparam_search_results.ipynb"
MEMORY = "the paper's table, from memory"


def _mnist() -> Figure:
    def line(name: str, rule: str | CreditRule, error: float) -> Line:
        # The code's 4e-4 is per sum over a batch of 32.
        settings = Settings("label_mse", rule, network="sigmoid", sizes=(50, 20), lr=4e-4 * 32)
        return Line(name, settings, Published(error, CELL))

    return Figure(
        name="lansdell-mnist",
        about="feedback learned by node perturbation, 784-50-20-10 sigmoid units",
        env="MNISTReward-v0",
        source=f"Lansdell et al. 2020, fig. 2; {FC}, mains/2b_establish_*.py, configs/np.json",
        lines=(
            line("NP", LeastSquaresFeedback(noise=0.01, gamma=0.1), 3.51),
            line("FA", "feedback_alignment", 4.28),
            line("BP", "backprop", 2.65),
        ),
        epochs=1067,  # 2000 x 1000 steps of 32
        own_epochs=1067,
        quick=Quick(20, 260),
        hours=40.0,
        batch=32,
        unit="error",
        measure="feedback_angle",
        goals=(Goal("NP", "bound", 3.6), Goal("NP", "above", 0, "FA")),
        differs=("no first epoch in which only the regression learns",),
    )


def _cnn(data: str, learned: Published, fixed: Published, goals: tuple[Goal, ...]) -> Figure:
    def line(name: str, rule: str, published: Published) -> Line:
        settings = Settings("label", rule, network="lansdell", optimizer="adam", lr=4.78e-6)
        return Line(name, settings, published)

    return Figure(
        name=f"lansdell-{data.lower()}",
        about=f"direct feedback, learned and fixed, in a convolutional network, {data}",
        env=f"{data}Reward-v0",
        source=f"Lansdell et al. 2020, the table of convolutional networks; {CNN}, "
        "cifar10_conv_np.py",
        lines=(
            line("learned feedback", "direct_learned_feedback", learned),
            line("fixed feedback", "direct_feedback_alignment", fixed),
        ),
        epochs=200,
        own_epochs=200,
        quick=Quick(0.06, 220, images=500),
        hours=40.0,
        gpu=True,
        memory=12.0,
        goals=goals,
        differs=(
            "D is shared over the places of a map, there it has an entry for each unit",
            "Adam's epsilon is 1e-8, there 1e-5",
        ),
    )


FIGURES = (
    _mnist(),
    _cnn(
        "CIFAR10",
        Published(75.14, f"{SEARCH}, best of 44 settings", on_test=True),
        Published(72.60, f"{SEARCH}, the same settings without learning", on_test=True),
        (Goal("learned feedback", "above", 1.5, "fixed feedback"),),
    ),
    _cnn(
        "CIFAR100",
        Published(48.1, MEMORY, unverified=True),
        Published(47.3, MEMORY, unverified=True),
        (Goal("learned feedback", "above", 0, "fixed feedback"),),
    ),
)
