"""The table of credit rules: how an output error becomes one error per hidden layer.

Adding a rule is one file in this folder and one line here.
"""

from agents.credit.backprop import Backprop
from agents.credit.base import CreditRule, Trial
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.credit.direct_feedback_alignment import DirectFeedbackAlignment
from agents.credit.direct_learned_feedback import DirectLearnedFeedback
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.credit.kolen_pollack import KolenPollack
from agents.credit.learned_feedback import LearnedFeedback
from agents.credit.least_squares_feedback import LeastSquaresFeedback
from agents.credit.node_perturbation import (
    NodePerturbation,
    NodePerturbationOneReward,
    NodePerturbationTwoRewards,
)
from agents.credit.readout_only import ReadoutOnly
from agents.credit.sign_symmetry import SignSymmetry, SignSymmetryBatchwise, SignSymmetryFixed
from agents.credit.strong_dfc import StrongDFC
from agents.credit.weight_mirror import WeightMirror
from agents.credit.weight_perturbation import WeightPerturbation

RULES: dict[str, type[CreditRule]] = {
    rule.name: rule
    for rule in (
        Backprop,
        KolenPollack,
        WeightMirror,
        SignSymmetry,
        SignSymmetryFixed,
        SignSymmetryBatchwise,
        FeedbackAlignment,
        DirectFeedbackAlignment,
        LearnedFeedback,
        LeastSquaresFeedback,
        DirectLearnedFeedback,
        DeepFeedbackControl,
        StrongDFC,
        NodePerturbation,
        NodePerturbationTwoRewards,
        NodePerturbationOneReward,
        WeightPerturbation,
        ReadoutOnly,
    )
}


def check_name(rule: CreditRule) -> None:
    """Refuse a rule whose name is another's in the table, or none. Raises ValueError.

    A file holds the name: that other rule would be loaded in its place.
    """
    name = getattr(rule, "name", None)
    if name is None or RULES.get(name, type(rule)) is not type(rule):
        kind = type(rule).__name__
        raise ValueError(
            f"{kind} needs a name that no other rule in the table has, got {name!r}: give it a "
            f"`name` of its own, or add it again after a change, RULES[{kind}.name] = {kind}"
        )


__all__ = ["RULES", "CreditRule", "Trial", "check_name"]
