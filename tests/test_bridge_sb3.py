"""Stable-Baselines3's agents learn through feedback weights."""

import pytest
import torch
from cells import distance
from stable_baselines3 import A2C, DQN, PPO, SAC
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn
from torch.optim import AdamW

import credit_envs  # noqa: F401
from agents.bridge import check_optimizer, swap
from agents.bridge.callback import MirrorPhases
from agents.bridge.optimizers import held, moved
from agents.weighted import weighted

LR, DECAY = 1e-3, 1.0
RULES = ["backprop", "feedback_alignment", "sign_symmetry_batchwise", "kolen_pollack"]
RULES += ["weight_mirror"]
ADAMW = {"optimizer_class": AdamW, "optimizer_kwargs": {"weight_decay": DECAY}}


class Small(BaseFeaturesExtractor):
    """An extractor for images too small for NatureCNN."""

    def __init__(self, space):
        super().__init__(space, 16)
        self.cnn = nn.Sequential(
            nn.Conv2d(space.shape[0], 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(144, 16)
        )

    def forward(self, images):
        return self.cnn(images)


def ppo(policy="MlpPolicy", seed=0) -> PPO:
    """PPO whose every rollout makes 2 epochs of 2 batches."""
    env, kwargs = "CartPole-v1", dict(ADAMW)
    if policy == "CnnPolicy":
        import gymnasium as gym

        env = gym.make("DigitsReward-v0", layout="CHW")
        kwargs |= {"features_extractor_class": Small}
    return PPO(
        policy, env, learning_rate=LR, n_steps=32, batch_size=16, n_epochs=2, seed=seed,
        device="cpu", policy_kwargs=kwargs,
    )  # fmt: skip


MAKE = {
    "ppo": ppo,
    "ppo images": lambda: ppo("CnnPolicy"),
    "a2c": lambda: A2C("MlpPolicy", "CartPole-v1", LR, device="cpu", policy_kwargs=dict(ADAMW)),
    "dqn": lambda: DQN(
        "MlpPolicy", "CartPole-v1", LR, learning_starts=16, batch_size=8, train_freq=4,
        buffer_size=100, device="cpu", policy_kwargs=dict(ADAMW),
    ),
    "sac": lambda: SAC(
        "MlpPolicy", "Pendulum-v1", LR, learning_starts=16, batch_size=8, train_freq=4,
        buffer_size=100, device="cpu", policy_kwargs={"net_arch": [8, 8]} | ADAMW,
    ),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("kind", MAKE)
def test_an_agent_learns_under_any_rule(kind, rule):
    model = MAKE[kind]()
    swap(model.policy, rule, torch.Generator().manual_seed(0))
    assert not any(isinstance(m, nn.Linear | nn.Conv2d) for m in model.policy.modules())
    learning = [layer for its in held(model.policy) for layer in moved(its, model.policy)]
    before = [layer.weight.detach().clone() for layer in learning]
    model.learn(64, callback=MirrorPhases() if rule == "weight_mirror" else None)
    for layer, old in zip(learning, before, strict=True):
        assert distance(layer.weight, old) > 1e-4
        assert layer.weight.isfinite().all()
    model.predict(model.observation_space.sample())


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("kind", MAKE)
def test_the_optimiser_draws_feedback_to_the_weights(kind, trained):
    """From the first step on, also where an agent has learned by backprop before."""
    model = MAKE[kind]()
    if trained:
        model.learn(64)
    swap(model.policy, "kolen_pollack", torch.Generator().manual_seed(0))
    layers, apart, steps = {}, {}, {}
    for its in held(model.policy):
        check_optimizer(its, model.policy)
        layers[its], steps[its] = moved(its, model.policy), 0
        apart[its] = [(m.weight - m.feedback).detach() for m in layers[its]]

        def count(optimizer, *_):
            steps[optimizer] += 1

        its.register_step_post_hook(count)
    model.learn(64)
    for its, start in apart.items():
        assert steps[its] > 3
        for layer, old in zip(layers[its], start, strict=True):
            shrunk = (1 - LR * DECAY) ** steps[its]
            assert distance(layer.weight - layer.feedback, shrunk * old) < 1e-5


def test_one_step_of_the_optimiser_is_one_mirror_phase(monkeypatch):
    model, phases = ppo(), []
    swap(model.policy, "weight_mirror")
    monkeypatch.setattr("agents.bridge.callback.mirror", lambda *given: phases.append(given))
    callback = MirrorPhases(trials=7)
    callback.init_callback(model)
    callback.on_training_start({}, {})  # of a training that was cut short
    for learned in (1, 2):
        model.learn(32, callback=callback)
        assert len(phases) == 4 * learned
    layers, rule, trials = phases[0]
    assert list(layers) == weighted(model.policy)
    assert (rule, trials) == (callback.rule, 7)
    model.train()  # no phases beyond `learn`
    assert len(phases) == 8


def test_the_actors_feedback_stays_while_the_critic_steps(monkeypatch):
    model, phases = MAKE["sac"](), []
    swap(model.policy, "weight_mirror")
    monkeypatch.setattr("agents.bridge.callback.mirror", lambda *given: phases.append(given))
    model.learn(20, callback=MirrorPhases())
    for part in (model.actor, model.critic):
        assert any(list(layers) == weighted(part) for layers, *_ in phases)
    assert len(phases) == 2 * model._n_updates


@pytest.mark.parametrize("rule", RULES)
def test_a_saved_agent_goes_on_in_one_that_was_swapped_alike(rule, tmp_path):
    models = [ppo(seed=seed) for seed in (0, 1)]
    for seed, model in enumerate(models):
        swap(model.policy, rule, torch.Generator().manual_seed(seed))
    one, other = models
    one.learn(32)
    one.save(tmp_path / "agent.zip")
    other.set_parameters(tmp_path / "agent.zip")
    pairs = zip(one.policy.parameters(), other.policy.parameters(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    (mine,), (its,) = held(one.policy), held(other.policy)
    assert len(its.state_dict()["state"]) == len(mine.state_dict()["state"]) > 0


def test_an_agent_with_an_optimiser_unlike_is_refused():
    model = A2C("MlpPolicy", "CartPole-v1", device="cpu")  # by default RMSprop
    with pytest.raises(ValueError, match=r"got RMSprop: .*\{'optimizer_class': AdamW\}"):
        swap(model.policy, "kolen_pollack")
