"""Bad input to agents: one sentence that says what to do, and nothing lost."""

import cells  # noqa: F401  one torch thread
import gymnasium as gym
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from agents import Settings, load_agent, make_agent, train
from agents.credit.backprop import Backprop
from agents.learner import Agent, Diverged

DIGITS = "DigitsReward-v0"
IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 1), np.uint8)


def make(signal="reward_prediction", rule="backprop", **settings) -> Agent:
    settings = {"sizes": (6, 5)} | settings
    return Agent(Settings(signal, rule, **settings), (8, 8, 1), 10, seed=0)


def make_env(**keywords):
    return gym.make_vec(DIGITS, num_envs=4, **keywords)


@pytest.mark.parametrize(
    ("agent", "sentence"),
    [
        (
            "qagrel",
            "unknown agent 'qagrel': choose one of supervised, .* signal.credit, or your own",
        ),
        ("rewards+backprop", "unknown signal 'rewards': choose one of label, .*agrel"),
        (
            "label+backdrop",
            "unknown credit rule 'backdrop': choose one of backprop, .*readout_only",
        ),
        ("+backprop", "unknown signal ''"),
        ("label+", "unknown credit rule ''"),
        ("no.such.module:Agent", "no class 'Agent' in a module 'no.such.module'"),
        ("agents.learner:Agents", "no class 'Agents' in a module 'agents.learner'"),
    ],
)
def test_unknown_agents_are_refused_by_name(agent, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_agent(agent, make_env())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"network": "resnet"}, "unknown network 'resnet': choose one of dense, conv"),
        ({"init": "glorot"}, "unknown init 'glorot': choose one of he, paper, xavier"),
        ({"explore": "ucb"}, "unknown exploration 'ucb': choose one of greedy"),
        ({"optimizer": "rmsprop"}, "unknown optimizer 'rmsprop': choose one of sgd, adam, adamw"),
        ({"lr": 0.0}, "lr is a positive learning rate, got 0.0"),
        ({"lr": float("nan")}, "lr is a positive learning rate, got nan"),
        ({"lr": float("inf")}, "lr is a positive learning rate, got inf"),
        ({"weight_decay": -1.0}, "weight_decay is 0 or more, got -1.0"),
        ({"momentum": 0.9, "optimizer": "adamw"}, "momentum is in 0..1 and for 'sgd' only"),
        ({"eps": 1e-5}, r"for 'adam' and 'adamw' only, .* got \(0.9, 0.999\) and 1e-05"),
        ({"optimizer": "adam", "betas": (0.9, 1.0)}, "betas are two numbers from 0 to below 1"),
        ({"optimizer": "adam", "betas": (0.9,)}, r"got \(0.9,\) and 1e-08"),
        ({"optimizer": "adamw", "eps": 0.0}, "eps is above 0, got .* and 0.0"),
        ({"pixels": (0.1, 0.0)}, r"pixels are a mean and a deviation above 0, got \(0.1, 0.0\)"),
        ({"pixels": (float("nan"), 1.0)}, "pixels are a mean and a deviation above 0, got"),
        ({"sizes": (0,)}, "sizes are a tuple of whole numbers of units above 0"),
        ({"epsilon": 1.5}, "epsilon is a probability in 0..1, got 1.5"),
        ({"epsilon": float("nan")}, "epsilon is a probability in 0..1, got nan"),
        ({"sizes": 64}, r"sizes are a tuple .*, as \(500, 300\), got 64"),
        ({"lr": "0.1"}, "lr is a number, got '0.1'"),
        ({"drops": (5.5,)}, "drops are numbers of trials"),
        ({"lr": True}, "lr is a number, got True"),
        ({"drops": 5}, "drops is a tuple of numbers, got 5"),
        ({"pixels": ("a", 1.0)}, r"pixels is a tuple of numbers, got \('a', 1.0\)"),
        ({"credit": Backprop}, r"got the class Backprop: give Backprop\(\)"),
    ],
)
def test_settings_that_mean_nothing_are_refused(settings, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        Settings(**settings)


OWN = """
class Bystander:
    def act(self, images):
        return images

class Whole(Bystander):
    def __init__(self, observation_space, action_space, seed):
        self.made = observation_space.shape, int(action_space.n), seed

    def learn(self, reward):
        pass
"""


def test_a_class_of_your_own_needs_act_and_learn(tmp_path, monkeypatch):
    (tmp_path / "my_rules_of_test.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    env = make_env()  # imports what reads images, while it can be found
    monkeypatch.setattr("sys.path", ["/nowhere"])
    with pytest.raises(TypeError, match="needs the methods act.*and learn.*: no learn"):
        make_agent("my_rules_of_test:Bystander", env)
    agent = make_agent("my_rules_of_test:Whole", env, seed=7)
    assert agent.made == ((8, 8, 1), 10, 7)  # of one trial


@pytest.mark.parametrize("layout", ["CHW", "flat"])
def test_only_images_height_first_are_looked_at(layout):
    for env in (make_env(layout=layout), gym.make(DIGITS, layout=layout)):
        with pytest.raises(ValueError, match="layout='HWC'"):
            make_agent("q_agrel", env)


@pytest.mark.parametrize("signal", ["agrel", "reward_likelihood"])
def test_rewards_that_a_signal_cannot_read_are_refused(signal):
    for rewards, said in (({"matrix": "-1/+1"}, "-1 to 1"), ({"abstain": 1.5}, "0 to 1.5")):
        env = make_env(rewards=rewards)
        agent = make_agent(f"{signal}+backprop", env)
        with pytest.raises(ValueError, match=f"{signal} is for rewards of 0 to 1, .*pays {said}:"):
            train(agent, env, 4, progress_bar=False)
        train(make_agent("q_agrel", env), env, 4, progress_bar=False)


@pytest.mark.parametrize("seed", [-1, None, 0.5])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(ValueError, match=f"seed is a whole number, 0 or more, got {seed}"):
        make_agent("q_agrel", make_env(), seed=seed)


def test_an_id_is_no_environment():
    with pytest.raises(TypeError, match="env is an environment, as gym.make.* got 'Digits"):
        make_agent("q_agrel", DIGITS)
    with pytest.raises(TypeError, match="env is an environment, as gym.make.* got 'Digits"):
        train(make(), DIGITS, 4)


@pytest.mark.parametrize("trials", [-1, 3e4, "4"])
def test_trials_are_counted_in_whole_numbers(trials):
    with pytest.raises(ValueError, match=f"trials is a whole number .*, got {trials!r}"):
        train(make(), make_env(), trials)


def test_an_agent_is_given_by_what_makes_it():
    with pytest.raises(TypeError, match="a name, Settings, or a class or function that makes one"):
        make_agent(make(), make_env())


def test_only_classes_are_chosen_among():
    env = make_env()
    env.single_action_space = gym.spaces.Box(0, 1, (2,))
    with pytest.raises(ValueError, match="agents choose one of K classes"):
        make_agent("q_agrel", env)


@pytest.mark.skipif(torch.cuda.is_available(), reason="here is a GPU")
def test_a_gpu_that_is_not_there_is_said_so(tmp_path):
    with pytest.raises(ValueError, match="device='cuda' is not there: torch finds 0 CUDA devices"):
        make_agent("q_agrel", make_env(), device="cuda")
    make().save(tmp_path / "agent")
    with pytest.raises(ValueError, match="device='cuda' is not there"):
        load_agent(tmp_path / "agent", device="cuda")


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="device='gpu' is none: choose .cpu., .cuda. or"):
        make_agent("q_agrel", make_env(), device="gpu")


def test_a_cost_that_is_not_finite_ends_the_run_and_says_when():
    agent = make("label_mse", lr=1e30)
    agent.act(IMAGES)
    agent.learn(np.arange(4))
    agent.act(IMAGES)
    with pytest.raises(Diverged, match="or the weights at trial 4 are not finite: the run"):
        agent.learn(np.arange(4))


def test_files_that_are_no_agents_are_refused(tmp_path):
    path = tmp_path / "agent.safetensors"
    with pytest.raises(FileNotFoundError, match="agent.safetensors"):
        load_agent(path)
    with pytest.raises(OSError, match=f"^{tmp_path} cannot be read"):
        load_agent(tmp_path)
    path.write_bytes(b"no agent at all")
    with pytest.raises(ValueError, match="agent.safetensors is not a sound agent file"):
        load_agent(path)
    make().save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-7])
    with pytest.raises(ValueError, match="is not a sound agent file .*: save it again"):
        load_agent(path)
    save_file({"weight": torch.zeros(3)}, path)
    with pytest.raises(ValueError, match=r"is not an agent file: .* agent.save\(path\)"):
        load_agent(path)
