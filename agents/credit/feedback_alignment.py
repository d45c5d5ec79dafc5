"""Feedback alignment (Lillicrap et al. 2016; the baseline of Akrout et al. 2019).

e_l = phi'(a_l) * (e_{l+1} B_{l+1}),   B random and fixed
"""

from agents.credit.base import CreditRule, random_feedback, upper


class FeedbackAlignment(CreditRule):
    """Feedback weights are random and stay as they are."""

    name = "feedback_alignment"
    stackable = True

    def prepare(self, net, generator):
        for layer in upper(net):
            random_feedback(layer, generator, learns=False)
