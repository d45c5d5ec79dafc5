"""SB3's two kinds of rollout, on-policy and off-policy, each taken apart at the step."""

import numpy as np
import torch
from stable_baselines3 import A2C, DQN, PPO

from agents.sb3.agent import Open, Sb3Agent


class OnPolicy(Sb3Agent):
    """A rollout of `n_steps` batches, then learning from it: collect_rollouts, taken apart."""

    def _choose(self, shown: np.ndarray) -> Open:
        with torch.no_grad():
            action, *beside = self.model.policy(torch.as_tensor(shown, device=self.device))
        return Open(shown, action.cpu().numpy(), tuple(beside))  # values, log probabilities

    def _keep(self, opened: Open, rewards: np.ndarray) -> bool:
        shown, action, beside = opened
        starts = np.ones(self.lanes)  # each step begins an episode
        self.model.rollout_buffer.add(shown, action, rewards, starts, *beside)
        return self.model.rollout_buffer.full

    def _train(self) -> None:
        rollout, over = self.model.rollout_buffer, np.ones(self.lanes, dtype=bool)
        # The value of the next image would be multiplied by 0.
        rollout.compute_returns_and_advantage(torch.zeros(self.lanes), over)
        self.model.train()
        rollout.reset()


class OffPolicy(Sb3Agent):
    """Each batch goes to the replay buffer, then learning: collect_rollouts, taken apart."""

    def _choose(self, shown: np.ndarray) -> Open:
        self.model._last_obs = shown
        action, _ = self.model._sample_action(self.model.learning_starts, n_envs=self.lanes)
        return Open(shown, action)

    def _keep(self, opened: Open, rewards: np.ndarray) -> bool:
        shown, action, _ = opened
        over, infos = np.ones(self.lanes), [{}] * self.lanes
        # The next image has no part in an episode that is over: any will do.
        self.model.replay_buffer.add(shown, shown, action, rewards, over, infos)
        self.model._on_step()
        return self.model.num_timesteps > self.model.learning_starts

    def _train(self) -> None:
        self.model.train(self.model.gradient_steps, self.model.batch_size)


class PpoAgent(OnPolicy):
    """Proximal policy optimisation."""

    algorithm = PPO


class A2cAgent(OnPolicy):
    """Advantage actor-critic."""

    algorithm = A2C


class DqnAgent(OffPolicy):
    """Deep Q-network."""

    algorithm = DQN


SB3_AGENTS: dict[str, type[Sb3Agent]] = {"ppo": PpoAgent, "a2c": A2cAgent, "dqn": DqnAgent}
