"""H, the control that a net still needs, as the figure strong-dfc-H reads it."""

import pytest
import torch
from cells import settle
from chains import inputs, jacobian, make_chain, put_feedback, ready

from agents.credit.strong_dfc import StrongDFC
from agents.reproduction.measures import needed


@pytest.mark.parametrize("steps", [1, 25])
def test_control_holds_the_output_however_short_it_lasts_while_the_rule_learns(steps):
    """With Q = J^T, squared errors and one image the control is (J J^T)^-1 (r* - r_L^-)."""
    rule = StrongDFC(steps=steps, alpha=0.0)
    net, images = ready(rule, make_chain(torch.nn.Identity)), inputs(1)
    jac = jacobian(net, images)[0]
    put_feedback(net, jac.T)
    trial = settle(net, "label_mse", images)
    gap = (rule.target(trial) - trial.output).detach()[0]
    expected = 0.5 * gap @ torch.linalg.solve(jac @ jac.T, gap)
    assert needed(rule, net, trial) == pytest.approx(expected.item(), rel=0.01)
