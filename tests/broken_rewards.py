"""Environments that each break a promise of their options, and the sentence that names it."""

import numpy as np

from credit_envs.env import RewardEnv
from credit_envs.rewards import Rewards
from credit_envs.vector import RewardVectorEnv

LATE = Rewards(delay=2)


class Late(RewardEnv):
    def __init__(self, rewards=LATE, **keywords):
        super().__init__(rewards=rewards, **keywords)


class ClaimsToBeLate(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.rewards = LATE


class TellsAPendingLabel(Late):
    def step(self, action):
        *trial, info = super().step(action)
        return *trial, info | {"label": int(self.task.labels[self._shown])}


class LosesLateRewards(Late):
    def flush(self):
        rewards, info = super().flush()
        return rewards[:1], {key: values[:1] for key, values in info.items()}


class NamesTheOpenTrial(Late):
    def step(self, action):
        *trial, info = super().step(action)
        if info.get("trial", -1) >= 0:
            info["trial"] = self.position - 1
        return *trial, info


class PaysWhileNothingIsDue(Late):
    def step(self, action):
        image, reward, *rest, info = super().step(action)
        return image, reward + (info.get("trial") == -1), *rest, info


class ClaimsSymmetricRewards(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.task.payments = Rewards("-1/+1").tables("Digits", 10)


class IsNoisierThanItSays(RewardEnv):
    def step(self, action):
        image, reward, *rest = super().step(action)
        return image, reward + 0.1, *rest


class FlipsBatches(RewardVectorEnv):
    def step(self, actions):
        images, rewards, *rest = super().step(actions)
        return images, 1 - rewards, *rest


class KeepsOtherImages(RewardEnv):
    """Claims that a pass is a class short, and yet shows all."""

    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.task.pass_length -= int(np.sum(self.task.labels == 0))


REWARD_FAULTS = {
    ClaimsToBeLate: "Step's info must be {'trial'}",
    TellsAPendingLabel: "Step's info must be {'trial'}",
    LosesLateRewards: "Each trial must be paid once, in order",
    NamesTheOpenTrial: "info\\['trial'\\] must name it",
    PaysWhileNothingIsDue: "Until a reward is due, it must be 0.0",
    ClaimsSymmetricRewards: "wrong guess was paid 0.0 and not -1.0",
    IsNoisierThanItSays: "right guess was paid 1.1 and not 1.0",
    FlipsBatches: "wrong guess was paid 1.0 and not 0.0",
    KeepsOtherImages: "A pass must show each image of the split once",
}
