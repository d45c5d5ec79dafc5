"""What is handed to an agent: refused with a sentence if it is wrong, and nothing is lost."""

import cells  # noqa: F401  one torch thread
import numpy as np
import pytest
from states import alike, equal, state

from agents import Settings
from agents.credit import RULES
from agents.learner import Agent

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)


def make(signal="reward_prediction", rule="backprop") -> Agent:
    return Agent(Settings(signal, rule, sizes=(6, 5)), (8, 8, 1), 10, seed=0)


def test_learn_needs_an_open_trial_and_closes_it():
    agent = make()
    with pytest.raises(RuntimeError, match=r"learn\(\) settles the trial .* call act\(images\)"):
        agent.learn(np.ones(4))
    agent.act(IMAGES)
    agent.learn(np.ones(4))
    with pytest.raises(RuntimeError, match=r"call act\(images\) first"):
        agent.learn(np.ones(4))


BAD_ANSWERS = [
    (np.ones(3), r"saw 4 images, learn\(\) got answers of shape \(3,\)"),
    (np.ones((2, 2)), r"saw 4 images, learn\(\) got answers of shape \(2, 2\)"),
    (1.0, r"saw 4 images, learn\(\) got answers of shape \(\)"),
    (None, "a reward is a number, got None"),
    (np.array([1, 0, np.nan, 1]), "the reward of trial 2 is not a finite number"),
    (np.array([1, 0, 0, np.inf]), "the reward of trial 3 is not a finite number"),
]
BAD_LABELS = [
    (np.array([1, 0, 10, 1]), "the label of trial 2 is not one of the classes 0..9"),
    (np.array([1, 0, 1, -100]), "the label of trial 3 is not one of the classes 0..9"),
    (np.array([1, 0, 0.7, 1]), "labels are integers"),
    (np.array([1, 0, np.nan, 1]), "labels are integers"),
]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("answer", "sentence"), BAD_ANSWERS)
def test_a_refused_answer_leaves_the_trial_open_and_the_agent_as_it_was(answer, sentence, rule):
    agent, other = make("policy_gradient", rule), make("policy_gradient", rule)
    agent.act(IMAGES)
    before = state(agent)
    with pytest.raises((ValueError, TypeError), match=sentence):
        agent.learn(answer)
    assert equal(state(agent), before)
    agent.learn(np.ones(4))
    other.act(IMAGES)
    other.learn(np.ones(4))
    assert alike(agent, other)


@pytest.mark.parametrize("signal", ["label", "label_mse"])
@pytest.mark.parametrize(("label", "sentence"), BAD_LABELS)
def test_a_label_that_is_no_class_is_refused_and_the_trial_stays_open(label, sentence, signal):
    agent = make(signal, "backprop")
    agent.act(IMAGES)
    with pytest.raises((ValueError, TypeError), match=sentence):
        agent.learn(label)
    agent.learn(np.ones(4, int))
    assert agent.trials == 4


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_an_environment_may_reuse_its_arrays_between_act_and_learn(dtype):
    agent, other = (make("reward_prediction", "learned_feedback") for _ in range(2))
    images = IMAGES if dtype == np.uint8 else IMAGES.astype(dtype) / 255
    reused = images.copy()
    agent.act(reused)
    reused[:] = 0
    other.act(images)
    for each in (agent, other):
        each.learn(np.ones(4))
    assert alike(agent, other)


@pytest.mark.parametrize("shape", [(8, 8), (4, 1, 8, 8), (4, 8, 8), (4, 8, 8, 3), (2, 4, 8, 8, 1)])
def test_images_of_another_shape_are_refused_and_the_open_trial_stays(shape):
    agent = make()
    agent.act(IMAGES)
    for choose in (agent.act, agent.predict):
        with pytest.raises(ValueError, match=r"sees images of shape \(B, 8, 8, 1\), got \(.*8"):
            choose(np.zeros(shape, np.uint8))
    agent.learn(np.ones(4))
    assert agent.trials == 4


def test_images_of_whole_numbers_that_are_no_bytes_are_refused():
    with pytest.raises(TypeError, match="images are uint8 .* or float .*, got torch.int64"):
        make().act(IMAGES.astype(np.int64))


@pytest.mark.parametrize("scale", [1, -1 / 255])
def test_float_images_out_of_their_range_are_refused_and_the_open_trial_stays(scale):
    agent = make()
    agent.act(IMAGES / 255)
    with pytest.raises(ValueError, match="float images lie in 0..1, got .*: divide bytes by 255"):
        agent.act(IMAGES * np.float32(scale))
    agent.learn(np.ones(4))
    assert agent.trials == 4
