"""Against other libraries: Stable-Baselines3's environments and agents, and gymnax."""

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

import gymnasium as gym
import numpy as np

from agents.settings import Settings
from agents.speed.case import Case, Missing, Sample, Side, race, side
from agents.speed.images import Clock, Scale
from agents.speed.learning import trials
from agents.speed.stepping import NATIVE, stepping

WORKER = Path(__file__).with_name("gymnax_worker.py")
SMALL = (64, 64)  # hidden sizes of SB3's MlpPolicy
REINFORCE = Settings("policy_gradient", sizes=SMALL)


def _gymnax(scale: Scale) -> Sample:
    """A process of gymnax's own Python steps when it is told to."""
    python, batch = scale.gymnax_python, scale.size(1024)
    if not python:
        raise Missing("gymnax pins an older gymnasium: name a Python that has it, --gymnax-python")
    peer = subprocess.Popen(
        [python, str(WORKER), str(batch), scale.clock.__name__],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip

    def run(steps: int, clock: Clock) -> float:
        try:
            print(steps, file=peer.stdin, flush=True)
            return float(cast(IO[str], peer.stdout).readline())
        except (OSError, ValueError):
            with peer:
                said = cast(IO[str], peer.stderr).read().strip().splitlines()
            raise Missing(f"{python} ended: {said[-1] if said else 'it said nothing'}") from None

    return race(stepping(scale.gray, batch), Side(run, batch), scale)


def _monitored(env_id: str, envs: int) -> Any:
    """What SB3 makes of an environment's id."""
    from stable_baselines3.common.env_util import make_vec_env

    return make_vec_env(env_id, n_envs=envs)  # DummyVecEnv, each one in a Monitor


def _native(env_id: str, envs: int) -> Any:
    from agents.sb3 import RewardVecEnv

    return RewardVecEnv(gym.make_vec(env_id, num_envs=envs))


def _stepping(env: Any) -> Side:
    env.reset()
    actions = np.arange(env.num_envs) % 10
    return side(lambda: env.step(actions), env.num_envs)


def _vec_envs(scale: Scale) -> Sample:
    ours = _stepping(_native(scale.gray, scale.size(1024)))
    theirs = _stepping(_monitored(scale.gray, scale.size(64)))
    return race(ours, theirs, scale)


def _rollouts(net: list[int], scale: Scale) -> Sample:
    ours = _collecting(_native(scale.gray, scale.size(1024)), 4, net)
    theirs = _collecting(_monitored(scale.gray, scale.size(64)), 64, net)
    return race(ours, theirs, scale)


def _collecting(env: Any, steps: int, net: list[int]) -> Side:
    """PPO's collection of rollouts of so many steps, without its learning."""
    from stable_baselines3 import PPO

    model = PPO(
        "MlpPolicy",
        env,
        n_steps=steps,
        batch_size=steps * env.num_envs,
        policy_kwargs={"net_arch": net},
        device="cpu",
    )
    _, callback = model._setup_learn(10**9)
    buffer: Any = model.rollout_buffer
    return side(
        lambda: model.collect_rollouts(model.env, callback, buffer, steps),  # pyright: ignore
        steps * env.num_envs,
    )


def _agents(theirs: Callable[[Scale], Any], steps: int, scale: Scale) -> Sample:
    """Our reinforce against an agent of SB3's that learns for so many steps at a time."""
    model = theirs(scale)
    model.learn(200)  # DQN only looks on until it has seen 100 or 128 images
    trained = steps * model.n_envs
    learning = side(lambda: model.learn(trained, reset_num_timesteps=False), trained)
    batch = scale.size(128)
    ours = trials(REINFORCE, scale.gray, batch, "cpu")[1]
    return race(side(ours, batch), learning, scale)


def _a2c(scale: Scale) -> Any:
    from stable_baselines3 import A2C

    return A2C("MlpPolicy", _monitored(scale.gray, 1), device="cpu")


def _a2c_batch(scale: Scale) -> Any:
    from stable_baselines3 import A2C

    return A2C("MlpPolicy", _native(scale.gray, scale.size(128)), n_steps=1, device="cpu")


def _dqn(scale: Scale) -> Any:
    from stable_baselines3 import DQN

    env = _monitored(scale.gray, 1)
    return DQN("MlpPolicy", env, buffer_size=20_000, device="cpu")


def _dqn_batch(scale: Scale) -> Any:
    from stable_baselines3 import DQN

    return DQN(
        "MlpPolicy", _native(scale.gray, scale.size(128)), buffer_size=20_000, train_freq=1,
        batch_size=scale.size(128), learning_starts=scale.size(128), device="cpu",
    )  # fmt: skip


OURS = "reinforce, 64-64, batch 128"

CASES = (
    Case("gymnax", NATIVE, "gymnax's MNISTBandit, vmap and jit", "images/s", _gymnax, 5),
    Case("sb3-step", "RewardVecEnv, 1024", "DummyVecEnv(64), Monitor", "images/s", _vec_envs, 40),
    Case(
        "sb3-rollout", "PPO's rollouts, net 64, RewardVecEnv, 1024", "DummyVecEnv(64), Monitor",
        "images/s", partial(_rollouts, [64]), 4,
    ),
    Case(
        "sb3-rollout-500", "the same, net 500-300", "DummyVecEnv(64), Monitor", "images/s",
        partial(_rollouts, [500, 300]),
    ),
    Case("a2c", OURS, "SB3's A2C as it comes", "images/s", partial(_agents, _a2c, 50), 20),
    Case("dqn", OURS, "SB3's DQN as it comes", "images/s", partial(_agents, _dqn, 50), 20),
    Case(
        "a2c-batch", OURS, "A2C on RewardVecEnv, batch 128", "images/s",
        partial(_agents, _a2c_batch, 10), 2,
    ),
    Case(
        "dqn-batch", OURS, "DQN on RewardVecEnv, batch 128", "images/s",
        partial(_agents, _dqn_batch, 10), 1.5,
    ),
)  # fmt: skip
