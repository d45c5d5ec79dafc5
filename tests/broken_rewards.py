"""Environments that each break a promise of their options, and the sentence that names it."""

from credit_envs.env import RewardEnv
from credit_envs.vector import RewardVectorEnv


class Late(RewardEnv):
    asked = {"rewards": {"delay": 2}}


class IsNotLate(Late):
    def __init__(self, **keywords):
        super().__init__(**keywords | {"rewards": None})


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


class PaysZeroForWrong(RewardEnv):
    asked = {"rewards": {"matrix": "-1/+1"}}

    def __init__(self, **keywords):
        super().__init__(**keywords | {"rewards": None})


class IsNoisierThanItSays(RewardEnv):
    def step(self, action):
        image, reward, *rest = super().step(action)
        return image, reward + 0.1, *rest


class FlipsBatches(RewardVectorEnv):
    def step(self, actions):
        images, rewards, *rest = super().step(actions)
        return images, 1 - rewards, *rest


class KeepsAllImages(RewardEnv):
    asked = {"order": {"imbalance": 10}}

    def __init__(self, **keywords):
        super().__init__(**keywords | {"order": None})


class ShowsStagesTwice(RewardEnv):
    asked = {"order": {"classes_per_stage": 5}}

    def __init__(self, **keywords):
        super().__init__(**keywords | {"order": {"classes_per_stage": 5, "stage_passes": 2}})


REWARD_FAULTS = {
    IsNotLate: "Step's info must be {'trial'}",
    TellsAPendingLabel: "Step's info must be {'trial'}",
    LosesLateRewards: "Each trial must be paid once, in order",
    NamesTheOpenTrial: "info\\['trial'\\] must name it",
    PaysWhileNothingIsDue: "Until a reward is due, it must be 0.0",
    PaysZeroForWrong: "wrong guess was paid 0.0 and not -1.0",
    IsNoisierThanItSays: "right guess was paid 1.1 and not 1.0",
    FlipsBatches: "wrong guess was paid 1.0 and not 0.0",
    KeepsAllImages: "Every pass must show the same images",
    ShowsStagesTwice: "as often as its order says",
}
