"""The table of credit rules: how an output error becomes one error per hidden layer.

Adding a rule is one file in this folder and one line here.
"""

from agents.credit.backprop import Backprop
from agents.credit.base import CreditRule, Trial
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.credit.kolen_pollack import KolenPollack
from agents.credit.learned_feedback import LearnedFeedback
from agents.credit.readout_only import ReadoutOnly
from agents.credit.sign_symmetry import SignSymmetry, SignSymmetryBatchwise, SignSymmetryFixed
from agents.credit.weight_mirror import WeightMirror

RULES: dict[str, type[CreditRule]] = {
    rule.name: rule
    for rule in (
        Backprop,
        FeedbackAlignment,
        KolenPollack,
        LearnedFeedback,
        ReadoutOnly,
        SignSymmetry,
        SignSymmetryBatchwise,
        SignSymmetryFixed,
        WeightMirror,
    )
}

__all__ = ["RULES", "CreditRule", "Trial"]
