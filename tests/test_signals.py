"""The teaching errors are those of the papers, exactly: by enumeration over actions."""

import pytest
import torch
import torch.nn.functional as F
from cells import CLASSES, distance

from agents.signals import SIGNALS, Agrel, PolicyGradient, RewardLikelihood, RewardPrediction

TIGHT = 1e-12
TRIALS = 6
ACTION = torch.tensor([0, 1, 2, 2, 1, 0])
LABEL = torch.tensor([0, 2, 2, 1, 1, 2])
REWARD = (ACTION == LABEL).double()
OUTPUT = torch.randn(TRIALS, CLASSES, generator=torch.Generator().manual_seed(0)).double()
PI = OUTPUT.softmax(1)
ONE_HOT = F.one_hot(LABEL, CLASSES).double()
CHOSEN = F.one_hot(ACTION, CLASSES).double()


def error_of(signal, action=ACTION, answer=REWARD, output=OUTPUT) -> torch.Tensor:
    """The teaching error (B, K), dcost/doutput of each trial."""
    output = output.clone().requires_grad_()
    cost = signal(output.detach(), action, answer)(output)
    assert cost.shape == (len(output),)
    return torch.autograd.grad(cost.sum(), output)[0]


def test_label_errors_are_the_supervised_ones():
    assert distance(error_of(SIGNALS["label"](), answer=LABEL), PI - ONE_HOT) < TIGHT
    assert distance(error_of(SIGNALS["label_mse"](), answer=LABEL), OUTPUT - ONE_HOT) < TIGHT


def test_reward_prediction_teaches_the_chosen_unit_alone():
    delta = REWARD - OUTPUT.gather(1, ACTION[:, None])[:, 0]
    assert distance(error_of(RewardPrediction()), -delta[:, None] * CHOSEN) < TIGHT


def test_policy_gradient_error_is_williams_and_sums_to_zero():
    for baseline in PolicyGradient.BASELINES:
        signal = PolicyGradient(baseline).double()
        signal.mean.fill_(0.25)
        others = (REWARD.sum() - REWARD) / (TRIALS - 1)
        b = {"none": torch.zeros(TRIALS), "running_mean": torch.full((TRIALS,), signal.mean)}
        b = b.get(baseline, others).double()
        error = error_of(signal)
        assert distance(error, -(REWARD - b)[:, None] * (CHOSEN - PI)) < TIGHT
        assert error.sum(1).abs().max() < TIGHT


@pytest.mark.parametrize("baseline", PolicyGradient.BASELINES)
def test_reinforce_enumerated_is_the_gradient_of_the_expected_reward(baseline):
    mean = torch.zeros(TRIALS, CLASSES).double()
    for action in range(CLASSES):  # of trial 0, beside five that stay as they are
        actions = ACTION.clone()
        actions[0] = action
        signal = PolicyGradient(baseline).double()
        signal.mean.fill_(0.37)
        mean += PI[0, action] * error_of(signal, actions, (actions == LABEL).double())
    logits = OUTPUT.clone().requires_grad_()
    expected_reward = logits.softmax(1)[0, LABEL[0]]
    (gradient,) = torch.autograd.grad(expected_reward, logits)
    assert distance(mean[0], -gradient[0]) < TIGHT


def test_running_mean_moves_a_hundredth_per_trial_and_only_after_the_trial():
    signal = PolicyGradient("running_mean").double()
    first = error_of(signal)
    assert distance(first, -REWARD[:, None] * (CHOSEN - PI)) < TIGHT  # it began at 0
    moved = (1 - 0.99**TRIALS) * REWARD.mean()
    assert float(signal.mean) == pytest.approx(float(moved), rel=1e-12)
    second = error_of(signal)
    assert distance(second, -(REWARD - moved)[:, None] * (CHOSEN - PI)) < TIGHT


def test_no_advantage_no_change_and_a_lone_trial_has_no_others():
    signal = PolicyGradient("leave_one_out")
    assert not error_of(signal, answer=torch.ones(TRIALS).double()).any()
    alone = error_of(signal, ACTION[:1], REWARD[:1], OUTPUT[:1])
    assert distance(alone, -REWARD[:1, None] * (CHOSEN - PI)[:1]) < TIGHT
    with pytest.raises(ValueError, match="unknown baseline 'mean': choose one of"):
        PolicyGradient("mean")


def test_agrel_averaged_over_actions_is_the_supervised_error():
    assert float(PI.min()) > Agrel.FLOOR
    mean = torch.zeros_like(OUTPUT)
    for action in range(CLASSES):
        actions = torch.full((TRIALS,), action)
        mean += PI[:, [action]] * error_of(Agrel(), actions, (actions == LABEL).double())
    assert distance(mean, PI - ONE_HOT) < TIGHT


def test_agrel_teaches_the_chosen_unit_alone_and_holds_rare_actions_above_the_floor(monkeypatch):
    monkeypatch.setattr(Agrel, "FLOOR", 0.3)
    error = error_of(Agrel())
    probability = PI.gather(1, ACTION[:, None])[:, 0].clamp(min=0.3)
    rewarded = -(1 - probability) / probability
    assert distance(error, torch.where(REWARD > 0, rewarded, 1.0)[:, None] * CHOSEN) < TIGHT
    assert (PI.gather(1, ACTION[:, None]) < 0.3).any()


def test_reward_likelihood_learns_the_class_or_that_it_is_another():
    odds = (PI / (1 - PI)).gather(1, ACTION[:, None])
    refused = odds * (CHOSEN - PI)
    wanted = torch.where(REWARD[:, None] > 0, PI - CHOSEN, refused)
    assert distance(error_of(RewardLikelihood()), wanted) < TIGHT


@pytest.mark.parametrize("action", range(CLASSES))
def test_reward_likelihood_is_content_with_the_true_probabilities_whatever_is_chosen(action):
    actions = torch.full((TRIALS,), action)
    mean = torch.zeros_like(OUTPUT)
    for label in range(CLASSES):  # drawn from pi itself
        reward = torch.full((TRIALS,), float(action == label)).double()
        mean += PI[:, [label]] * error_of(RewardLikelihood(), actions, reward)
    assert mean.abs().max() < TIGHT


def test_reward_likelihood_bears_outputs_that_are_certain():
    certain = torch.tensor([[80.0, -80.0, 0.0], [80.0, -80.0, 0.0]])
    error = error_of(RewardLikelihood(), torch.tensor([0, 1]), torch.tensor([0.0, 1.0]), certain)
    assert error.isfinite().all()


@pytest.mark.parametrize("signal", SIGNALS)
def test_the_cost_of_a_trial_depends_on_its_own_output_alone(signal):
    answer = LABEL if SIGNALS[signal].learns_from == "label" else REWARD
    cost = SIGNALS[signal]().double()(OUTPUT, ACTION, answer)
    for trial in range(TRIALS):
        other = OUTPUT.clone()
        other[trial] += torch.tensor([0.3, -0.2, 0.1])
        stays = (cost(other) == cost(OUTPUT)).tolist()
        del stays[trial]
        assert all(stays)


def test_binary_cross_entropy_asks_about_each_class_alone():
    assert distance(error_of(SIGNALS["label_bce"](), answer=LABEL), OUTPUT.sigmoid() - ONE_HOT) < (
        TIGHT
    )
