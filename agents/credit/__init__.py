"""The table of credit rules: how an output error becomes one error per hidden layer.

Adding a rule is one file in this folder and one line here.
"""

from agents.credit.backprop import Backprop
from agents.credit.base import CreditRule, Trial
from agents.credit.deep_feedback_control import DeepFeedbackControl
from agents.credit.feedback_alignment import FeedbackAlignment
from agents.credit.kolen_pollack import KolenPollack
from agents.credit.learned_feedback import LearnedFeedback
from agents.credit.readout_only import ReadoutOnly
from agents.credit.strong_dfc import StrongDFC

RULES: dict[str, type[CreditRule]] = {
    rule.name: rule
    for rule in (
        Backprop, DeepFeedbackControl, FeedbackAlignment, KolenPollack, LearnedFeedback,
        ReadoutOnly, StrongDFC,
    )
}

__all__ = ["RULES", "CreditRule", "Trial"]
