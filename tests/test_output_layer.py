"""The output layer needs nobody's feedback: it learns what it learns in backpropagation."""

import pytest
from cells import KINDS, LAYERWISE, distance, gradients, make_images, prepared, settle
from twins import twin

from agents.credit import RULES
from agents.signals import SIGNALS
from agents.weighted import weighted

SERVED = [*LAYERWISE, *(name for name in RULES if name.startswith("direct"))]
CASES = [(kind, "label") for kind in KINDS]
CASES += [("residual", signal) for signal in SIGNALS if signal != "label"]


@pytest.mark.parametrize(("kind", "signal"), CASES)
@pytest.mark.parametrize("rule", SERVED)
def test_the_output_layer_has_its_gradient_whatever_the_feedback(rule, kind, signal):
    net = prepared(kind, rule)  # with feedback at random
    trial, plain = settle(net, signal, make_images()), twin(net)
    trial.cost(plain(trial.images)).mean().backward()
    exact = gradients(plain)
    RULES[rule]().assign(net, trial)
    found = gradients(net)
    *hidden, output = [f"{name}.weight" for name, m in net.named_modules() if m in weighted(net)]
    assert distance(found[output], exact[output]) < 1e-12
    if any(layer.feedback is not None for layer in weighted(net)):
        assert all(distance(found[name], exact[name]) > 0.1 for name in hidden)
