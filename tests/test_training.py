"""Agents in the loop with their environment: what they may see, and what they reach."""

from functools import cache, partial

import gymnasium as gym
import numpy as np
import pytest
from cells import GRID, PERTURBING, REWARD_SIGNALS, served
from gymnasium.vector import AutoresetMode, VectorWrapper
from states import alike, equal, state

from agents import Settings, evaluate, make_agent, train
from agents.credit import RULES
from agents.signals import SIGNALS
from credit_envs.datasets import load

SMALL = {"sizes": (12, 8), "lr": 0.05}
DIGITS = "DigitsReward-v0"


def make_env(num_envs=16, **keywords):
    env = gym.make_vec(DIGITS, num_envs=num_envs, **keywords)
    env.reset(seed=3)
    return env


def trained(env, signal, rule, trials=320, seed=0, **settings):
    agent = make_agent(Settings(signal, rule, **SMALL | settings), env, seed=seed, device="cpu")
    train(agent, env, trials, progress_bar=False)
    return agent


class OtherLabels(VectorWrapper):
    """The same images and rewards; the labels it reveals are wrong."""

    def step(self, actions):
        *trial, info = self.env.step(actions)
        return *trial, {"label": (info["label"] + 1) % 10}


class Counted(VectorWrapper):
    """Counts its steps, and shuts what may not be looked at."""

    steps = 0

    def step(self, actions):
        self.steps += 1
        *trial, info = self.env.step(actions)
        assert not info
        return *trial, info


@pytest.mark.parametrize(
    ("signal", "rule"), [(signal, rule) for signal, rule in GRID if signal in REWARD_SIGNALS]
)
def test_labels_never_reach_an_agent_that_learns_from_reward(signal, rule):
    make = partial(make_env, presentations=RULES[rule].presentations)
    blind = trained(make(), signal, rule)
    assert alike(blind, trained(make(reveal_label=True), signal, rule))
    assert alike(blind, trained(OtherLabels(make(reveal_label=True)), signal, rule))


@pytest.mark.parametrize("signal", ["label", "label_mse"])
def test_labels_are_what_a_supervised_agent_learns_from(signal):
    right = trained(make_env(reveal_label=True), signal, "backprop")
    assert alike(right, trained(make_env(reveal_label=True), signal, "backprop"))
    wrong = trained(OtherLabels(make_env(reveal_label=True)), signal, "backprop")
    assert not alike(right, wrong)


@pytest.mark.parametrize("rule", RULES)
def test_a_trial_is_one_step_of_the_environment_per_presentation(rule):
    presentations = RULES[rule].presentations
    env = Counted(make_env(presentations=presentations))
    agent = trained(env, served(rule), rule, trials=100)
    assert env.steps == 7 * presentations  # whole batches of 16
    assert agent.trials == 112


@pytest.mark.parametrize("single", [True, False])
def test_training_in_parts_is_training_at_once(single):
    agents = []
    for parts in ((96,), (32, 16, 48)):
        env = gym.make(DIGITS) if single else make_env()
        env.reset(seed=3)
        agent = make_agent(Settings("policy_gradient", **SMALL), env, seed=0, device="cpu")
        for trials in parts:
            train(agent, env, trials, progress_bar=False)
        agents.append(agent)
    assert alike(*agents)
    assert agents[0].trials == 96


def test_numpy_tensors_and_a_batch_of_one_train_alike():
    arrays, tensors = (
        trained(make_env(device=device), "agrel", "backprop") for device in [None, "cpu"]
    )
    assert alike(arrays, tensors)
    env = gym.make(DIGITS)
    env.reset(seed=3)
    single = trained(env, "agrel", "backprop", trials=40)
    assert alike(single, trained(make_env(num_envs=1), "agrel", "backprop", trials=40))


class Oracle:
    """An agent with no more than the two methods: right in its first trials only."""

    def __init__(self, labels, right):
        self.labels, self.right, self.seen, self.answers = labels, right, 0, []

    def act(self, images):
        trials = np.arange(self.seen, self.seen + len(images))
        self.seen += len(images)
        return np.where(trials < self.right, self.labels[trials], (self.labels[trials] + 1) % 10)

    def learn(self, answer):
        self.answers.extend(answer)


@pytest.mark.parametrize("trials", [10, 32])
def test_train_returns_the_mean_reward_of_the_trials_it_ran(trials):
    env = make_env(reveal_label=True)
    _, labels = order(env, 32)
    oracle = Oracle(labels, right=8)
    mean = train(oracle, env, trials, progress_bar=False)
    ran = -(-trials // 16) * 16
    assert oracle.answers == [1.0] * 8 + [0.0] * (ran - 8)
    assert mean == pytest.approx(8 / ran)


def order(env, trials):
    """The images and labels that the environment is about to show."""
    shown = []
    images, _ = env.reset(seed=3)
    for _ in range(trials // env.num_envs):
        following, _, _, _, info = env.step(np.zeros(env.num_envs, int))
        shown.append((images, info["label"]))
        images = following
    env.reset(seed=3)
    return tuple(map(np.concatenate, zip(*shown, strict=True)))


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_evaluate_is_the_accuracy_over_every_image_once(split):
    labels = load("Digits", split).labels
    assert evaluate(Oracle(labels, right=100), DIGITS, split) == 100 / len(labels)
    agent = trained(make_env(), "reward_prediction", "backprop")
    before = state(agent)
    right = agent.predict(np.array(load("Digits", split).images)) == labels
    assert evaluate(agent, DIGITS, split) == pytest.approx(right.mean())
    assert equal(agent.tensors(), before)


def test_a_label_agent_needs_an_environment_that_reveals_labels():
    for env in (make_env(), gym.make(DIGITS)):
        agent = make_agent("supervised", env, device="cpu")
        with pytest.raises(ValueError, match="make the environment with reveal_label=True"):
            train(agent, env, 8, progress_bar=False)
        assert agent.trials == 0


def test_an_agent_that_was_made_for_other_actions_is_refused():
    agent = make_agent("q_agrel", make_env(), device="cpu")
    for env in (make_env(rewards={"abstain": 0.3}), gym.make(DIGITS, rewards={"abstain": 0.3})):
        with pytest.raises(ValueError, match="chooses among 10, the environment has 11 actions"):
            train(agent, env, 8, progress_bar=False)


def test_a_label_agent_is_told_that_gymnasiums_own_vector_forms_hide_labels():
    same_step = {"autoreset_mode": AutoresetMode.SAME_STEP}
    env = make_env(vectorization_mode="sync", vector_kwargs=same_step, reveal_label=True)
    for name in ("supervised", "policy_gradient+node_perturbation_two_rewards"):
        agent = make_agent(name, make_env(), device="cpu")
        with pytest.raises(ValueError, match="keep to themselves: use gym.make_vec"):
            train(agent, env, 8, progress_bar=False)


def test_an_unknown_split_or_id_is_refused():
    with pytest.raises(ValueError, match="split"):
        evaluate(Oracle(np.zeros(1), 0), DIGITS, "testing")
    with pytest.raises(ValueError, match="unknown environment 'NoSuchReward-v0': choose one of"):
        evaluate(Oracle(np.zeros(1), 0), "NoSuchReward-v0")


TASKS = [  # hidden layers so narrow that random ones are of little use: signal, rate, passes
    pytest.param("label", 0.1, 20),
    pytest.param("reward_prediction", 0.1, 40),
    pytest.param("agrel", 0.02, 40, marks=pytest.mark.slow),
    pytest.param("policy_gradient", 0.1, 40, marks=pytest.mark.slow),
]


QUICK = [rule for rule in RULES if rule not in ("readout_only", *PERTURBING)]


@cache
def accuracy(signal, rule, rate, passes, seed) -> float:
    env = make_env(num_envs=32, reveal_label=SIGNALS[signal].learns_from == "label")
    agent = trained(env, signal, rule, passes * 1294, seed, sizes=(16, 16), lr=rate)
    return evaluate(agent, DIGITS, "validation")


@pytest.mark.parametrize("rule", QUICK)
@pytest.mark.parametrize(("signal", "rate", "passes"), TASKS)
@pytest.mark.parametrize("seed", [0, 1])
def test_rules_that_carry_credit_beat_frozen_hidden_layers(signal, rate, passes, rule, seed):
    control = accuracy(signal, "readout_only", rate, passes, seed)
    assert accuracy(signal, rule, rate, passes, seed) > control + 0.2
