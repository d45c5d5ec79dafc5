"""What `evaluate` shows: images as the environment shows them, but to the suite's own agents."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3 import A2C
from vectors import guesses

from agents import Settings, evaluate, make_agent, train
from agents.bridge import swap
from agents.sb3 import Greedy, RewardVecEnv
from credit_envs.datasets import load

DIGITS = "DigitsReward-v0"
FORMS = [
    {},
    {"layout": "CHW"},
    {"layout": "flat", "dtype": "float32"},
    {"dtype": "float32", "device": "cpu"},
    {"layout": "CHW", "device": "cpu"},
]


class Reader:
    """Knows the test images by heart, as an environment of this form shows them."""

    def __init__(self, device=None, **form):
        env = gym.make_vec(DIGITS, 360, split="test", reveal_label=True, device=device, **form)
        shown, _ = env.reset(seed=0)
        *_, info = env.step(guesses(env, 0, device))
        classes = zip(map(key, shown), info["label"], strict=True)
        self.kind, self.classes = type(shown), {image: int(label) for image, label in classes}

    def act(self, images):
        assert type(images) is self.kind
        return [self.classes.get(key(image), -1) for image in images]

    def learn(self, reward):
        pass


def key(image):
    image = np.asarray(image)
    return image.shape, image.dtype, image.tobytes()


@pytest.mark.parametrize("form", FORMS)
def test_an_agent_is_measured_on_images_as_its_environment_shows_them(form):
    reader = Reader(**form)
    assert evaluate(reader, gym.make_vec(DIGITS, 7, **form)) == 1
    if "device" not in form:
        assert evaluate(reader, gym.make(DIGITS, **form)) == 1
        assert evaluate(reader, gym.make_vec(DIGITS, 7, vectorization_mode="sync", **form)) == 1


def test_an_id_has_a_form_too(monkeypatch):
    monkeypatch.setattr(gym.envs.registration, "registry", dict(gym.registry))
    form = {"layout": "flat", "dtype": "float32"}
    gym.register("FlatReward-v0", "credit_envs.env:RewardEnv", kwargs={"dataset": "Digits", **form})
    assert evaluate(Reader(**form), "FlatReward-v0") == evaluate(Reader(), DIGITS) == 1


@pytest.mark.parametrize("agent", [Settings(sizes=(8,)), "a2c"])
def test_the_suites_agents_are_measured_alike_in_any_form(agent):
    env = gym.make_vec(DIGITS, 32)
    env.reset(seed=0)
    agent = make_agent(agent, env, device="cpu")
    train(agent, env, 640, progress_bar=False)
    images, labels = load("Digits", "test")
    expected = (agent.predict(np.array(images)) == labels).mean()
    assert {evaluate(agent, gym.make_vec(DIGITS, 7, **form)) for form in FORMS} == {expected}


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (lambda n: np.zeros((n, 1), int), r"int64 of shape \(360, 1\) for 360 images"),
        (lambda n: np.zeros((n, 10)), r"float64 of shape \(360, 10\)"),
        (lambda n: np.zeros(n), r"float64 of shape \(360,\)"),
        (lambda n: 0, r"int64 of shape \(\)"),
        (lambda n: torch.ones(n, 3, requires_grad=True), r"float32 of shape \(360, 3\)"),
        (lambda n: None, r"object of shape \(\)"),
    ],
)
def test_what_is_not_a_class_for_each_image_is_refused(returned, said):
    class Careless:
        def act(self, images):
            return returned(len(images))

    with pytest.raises(ValueError, match=f"Careless.act returned {said}.*: return the class of"):
        evaluate(Careless(), DIGITS)


def test_what_is_no_agent_is_refused():
    with pytest.raises(TypeError, match="an agent has act.*'q_agrel' has not: make_agent makes"):
        evaluate("q_agrel", DIGITS)


def test_images_are_counted_in_whole_numbers():
    with pytest.raises(ValueError, match=r"images is a number of images, .* got 10\.5"):
        evaluate(Reader(), DIGITS, images=10.5)


def test_slips_with_stable_baselines3_are_said():
    venv = RewardVecEnv(gym.make_vec(DIGITS, 8))
    model = A2C("MlpPolicy", venv, device="cpu")
    with pytest.raises(ValueError, match=r"has no spec: .* or give an id"):
        evaluate(Greedy(model), venv)
    with pytest.raises(ValueError, match=r"returned a tuple .*: .*agents\.sb3\.Greedy\(model\)"):
        evaluate(model, DIGITS)
    with pytest.raises(TypeError, match=r"got a A2C: .* swap\(model\.policy, rule\)"):
        swap(model, "feedback_alignment")
