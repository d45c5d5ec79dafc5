"""Backpropagation: the error comes down through the forward weights themselves.

    e_l = phi'(a_l) * (e_{l+1} W_{l+1})

Under `reward_prediction` this is Q-AGREL / BrainProp with tied reciprocal feedback
(Pozzi, Bohte & Roelfsema 2020): their attention signal f, which starts as the chosen unit and
carries no error, gives the same change once the global reward prediction error delta multiplies
it: e_l = -delta f_l. Through batch norm, which mixes the trials of a batch, only the signed error
is exact, so that is what is sent.
"""

from agents.credit.base import CreditRule


class Backprop(CreditRule):
    """Feedback weights are the forward weights (weight transport)."""

    name = "backprop"
    stackable = True
    transports_weights = True
