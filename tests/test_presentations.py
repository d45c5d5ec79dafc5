"""Two presentations of an image are one trial: what is shown, what counts, and what is learned."""

from dataclasses import replace

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import VectorWrapper
from small import POINTS, job, run_once

from agents import Settings, make_agent, train
from agents.learner import Agent
from credit_envs.testing import check_reward_env

DIGITS = "DigitsReward-v0"
TWICE = "policy_gradient+node_perturbation_two_rewards"
FORMS = pytest.mark.parametrize("form", ["single", "numpy", "tensor"])
BATCH = 5


class Shown:
    """One environment in any of its forms: what it shows next, and where it stands."""

    def __init__(self, form, presentations, **keywords):
        keywords |= {"presentations": presentations}
        self.single = form == "single"
        if self.single:
            self.env = gym.make(DIGITS, **keywords).unwrapped
        else:
            device = None if form == "numpy" else "cpu"
            self.env = gym.make_vec(DIGITS, BATCH, device=device, **keywords)
        self.tensors = form == "tensor"

    def reset(self, **keywords):
        return np.asarray(self.env.reset(**keywords)[0])

    def step(self):
        """Guess class 0; the images shown before the guess, and the rewards."""
        images = np.asarray(self.env.reset()[0])
        guess = torch.zeros(BATCH, dtype=torch.int64) if self.tensors else np.zeros(BATCH, int)
        _, reward, *_ = self.env.step(0 if self.single else guess)
        return images, np.asarray(reward)


@FORMS
@pytest.mark.parametrize("times", [1, 2, 3])
def test_each_image_is_shown_so_many_times_in_a_row(form, times):
    shown, once = Shown(form, times), Shown(form, 1)
    shown.reset(seed=4)
    once.reset(seed=4)
    previous = None
    for trial in range(300):  # passes of 1294 images, in batches of 5
        images, reward = once.step()
        assert previous is None or not np.array_equal(images, previous)
        previous = images
        for presentation in range(times):
            batch = 1 if shown.single else BATCH
            assert shown.env.position == trial * batch  # counts first presentations
            again, rewarded = shown.step()
            assert np.array_equal(again, images), presentation
            assert np.array_equal(rewarded, reward)  # each presentation has a reward of its own


@FORMS
def test_a_step_shows_the_same_images_again_before_the_next(form):
    shown = Shown(form, 2)
    first = shown.reset(seed=0)
    guess = 0 if shown.single else torch.zeros(BATCH, dtype=int) if shown.tensors else [0] * BATCH
    again = np.asarray(shown.env.step(guess)[0])
    assert np.array_equal(again, first)
    shown.reset()
    after = np.asarray(shown.env.step(guess)[0])
    assert np.array_equal(after, first) == shown.single  # its terminal observation


@FORMS
@pytest.mark.parametrize("steps", [1, 3])
@pytest.mark.parametrize("again", [{"seed": 7}, {"options": {"position": 10}}])
def test_a_restart_in_the_middle_of_a_trial_is_clean(form, steps, again):
    shown, fresh = Shown(form, 2), Shown(form, 2)
    shown.reset(seed=7)
    for _ in range(steps):
        shown.step()
    first = shown.reset(**again)
    assert np.array_equal(first, fresh.reset(**{"seed": 7} | again))
    for _ in range(6):  # no presentation of the trial that was left is owed
        assert shown.env.position == fresh.env.position
        assert np.array_equal(shown.step()[0], fresh.step()[0])


@FORMS
def test_a_reset_without_arguments_goes_on_in_the_middle_of_a_trial(form):
    shown = Shown(form, 2)
    first = shown.reset(seed=7)
    for presented in (1, 2):
        shown.step()
        assert np.array_equal(shown.reset(), first) == (presented < 2)


@FORMS
@pytest.mark.parametrize(
    ("presentations", "error"),
    [(0, ValueError), (-1, ValueError), (True, TypeError), (1.5, TypeError), ("2", TypeError)],
)
def test_bad_presentations_are_refused(form, presentations, error):
    with pytest.raises(error, match=f"presentations must be .*not {presentations!r}"):
        Shown(form, presentations)


def test_the_public_check_passes_it():
    check_reward_env(gym.make(DIGITS, split="test", presentations=2))


class Counted(VectorWrapper):
    """Notes the rewards it pays."""

    def __init__(self, env):
        super().__init__(env)
        self.paid = []

    def step(self, actions):
        images, reward, *rest = self.env.step(actions)
        self.paid.append(reward)
        return images, reward, *rest


def make_env(presentations, num_envs=16):
    env = Counted(gym.make_vec(DIGITS, num_envs, presentations=presentations))
    env.reset(seed=3)
    return env


def make_twice(env) -> Agent:
    settings = Settings(*TWICE.split("+"), sizes=(12, 8), lr=0.01)
    return make_agent(settings, env, device="cpu")


def test_training_counts_first_presentations_only():
    env = make_env(2)
    agent = make_twice(env)
    mean = train(agent, env, 100, progress_bar=False)
    assert len(env.paid) == 2 * 7  # whole batches of 16
    assert agent.trials == env.unwrapped.position == 112
    assert mean == pytest.approx(np.mean(env.paid[::2]))
    assert np.mean(env.paid[::2]) != np.mean(env.paid[1::2])


def test_an_agent_learns_at_the_second_presentation_and_keeps_the_first():
    env = make_env(2, num_envs=4)
    agent = make_twice(env)
    seen = []
    agent.watch = lambda net, trial: seen.append(trial)
    images, _ = env.reset()
    start = agent.net[1].weight.clone()
    for presentation in range(4):
        images, reward, *_ = env.step(agent.act(images))
        agent.learn(reward)
        assert torch.equal(agent.net[1].weight, start) == (presentation == 0)
        assert len(seen) == (presentation + 1) // 2
    for trial, first, second in zip(seen, env.paid[::2], env.paid[1::2], strict=True):
        assert np.array_equal(trial.before.reward, first)
        assert np.array_equal(trial.reward, second)
        assert torch.equal(trial.before.images, trial.images)
        assert trial.before.before is None


@pytest.mark.parametrize("agent", ["reinforce", TWICE])
def test_an_environment_with_other_presentations_is_refused(agent):
    needed = 2 if agent == TWICE else 1
    for presentations in {1, 2, 3} - {needed}:
        for env in (make_env(presentations), gym.make(DIGITS, presentations=presentations)):
            one = make_agent(agent, env, device="cpu")
            with pytest.raises(
                ValueError, match=f"make the environment with presentations={needed}"
            ):
                train(one, env, 16, progress_bar=False)
            assert one.trials == 0


def test_training_alone_with_the_single_environment_is_training_in_a_batch_of_one():
    agents = []
    for env in (gym.make(DIGITS, presentations=2), make_env(2, num_envs=1)):
        env.reset(seed=3)
        agents.append(make_twice(env))
        train(agents[-1], env, 20, progress_bar=False)
        assert env.unwrapped.position == agents[-1].trials == 20
    one, other = (agent.tensors() for agent in agents)
    assert all(torch.equal(value, other[name]) for name, value in one.items())


@pytest.mark.parametrize(
    ("rule", "steps", "passes"),
    [
        ("backprop", 1, 1), ("node_perturbation", 1, 2), ("node_perturbation_two_rewards", 2, 2),
        ("node_perturbation_one_reward", 1, 1),
    ],
)  # fmt: skip
def test_a_run_counts_steps_of_the_environment_and_passes_apart(rule, steps, passes):
    result = run_once(replace(job(f"policy_gradient+{rule}"), reads_test=False))
    assert result.diverged is None
    assert result.trials == POINTS
    assert result.env_steps == steps * POINTS[-1]
    assert result.forward_passes == passes * POINTS[-1]
