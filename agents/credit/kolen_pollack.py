"""Kolen-Pollack (1994), as revived by Akrout et al. 2019, eqs. 16-17.

    W <- (1 - lambda) W - eta e_{l+1}^T h_l
    B <- (1 - lambda) B - eta e_{l+1}^T h_l          e_l = phi'(a_l) * (e_{l+1} B_{l+1})

Both directions see the same local product and the same decay, so W(t) - B(t) shrinks by
prod (1 - lambda_t) whatever is learned: the feedback becomes reciprocal without being copied.
Under `reward_prediction` this is Q-AGREL with learned instead of tied feedback.

Exact for optimisers whose step is linear in the gradient (SGD without momentum) or whose decay
is decoupled (AdamW).

Differs from the paper: B starts as N(0, 2 / (fan-in + fan-out)), the forward weights as the
network's own initialisation says.
"""

from agents.credit.base import CreditRule, random_feedback, upper


class KolenPollack(CreditRule):
    """Feedback weights are parameters of the same optimiser, and get the same gradient."""

    name = "kolen_pollack"
    stackable = True
    needs_same_decay = True

    def prepare(self, net, generator):
        for layer in upper(net):
            random_feedback(layer, generator, learns=True)
