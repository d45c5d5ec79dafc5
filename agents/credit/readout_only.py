"""The control: hidden layers stay as they were drawn, only the output layer learns.

A rule carries credit only if it beats this.
"""

from agents.credit.base import CreditRule
from agents.weighted import weighted


class ReadoutOnly(CreditRule):
    """No error goes below the output layer."""

    name = "readout_only"
    stackable = True

    def prepare(self, net, generator):
        net.requires_grad_(False)
        weighted(net)[-1].requires_grad_(True)
