"""Direct feedback that node perturbation trains (Lansdell, Prakash & Kording 2020, the CNN form).

    e_l = phi'(a_l) * (e_L D_{l+1})                              as in direct feedback alignment
    D_{l+1} -= beta e_L^T (e_L D_{l+1} - lambda^_l)              as in learned feedback

Every layer's D is fitted on the output's error e_L itself, so that none waits for the feedback of
the layer above. But dL/dh_l is no linear function of e_L, for the slopes phi' in between change
from trial to trial: D comes to be the best linear map, where the layerwise form can be exact.

D starts at zero; the step is `learned_feedback`'s.

Differs from the paper: the noise on a layer's input teaches that layer's D, and both passes drop
the same units (the published code pairs two layers wrongly and draws new masks); lambda^ comes from
the very cost that the net learns. What else differs is said in the two rules this one is made of.
"""

from dataclasses import dataclass

from agents.credit.base import upper
from agents.credit.direct_feedback_alignment import DirectFeedbackAlignment
from agents.credit.learned_feedback import LearnedFeedback
from agents.credit.stages import cut
from agents.weighted import weighted


@dataclass(frozen=True)
class DirectLearnedFeedback(DirectFeedbackAlignment, LearnedFeedback):
    """Errors of direct feedback alignment, feedback weights that learn."""

    name = "direct_learned_feedback"
    stackable = True
    largest_rate = LearnedFeedback.largest_rate  # its errors start at zero

    def prepare(self, net, generator):
        super().prepare(net, generator)
        cut(weighted(net)[:1])
        weighted(net)[-1].keeps_error = True
        for layer in upper(net):
            layer.feedback.zero_()

    def errors(self, net, trial):
        error = weighted(net)[-1].error * trial.size  # e_L
        return {layer: self.shown(error, layer) for layer in upper(net)}

    def sent(self, net, trial):
        errors = self.errors(net, trial).items()
        return {layer: layer.below(e, layer.arrived, layer.feedback) for layer, e in errors}
