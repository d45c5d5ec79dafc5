"""Environments that each break one promise, and the sentence that must name it."""

import numpy as np
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode

from credit_envs.env import RewardEnv
from credit_envs.vector import RewardVectorEnv


class LeaksInReset(RewardEnv):
    def reset(self, *, seed=None, options=None):
        image, _ = super().reset(seed=seed, options=options)
        return image, {"target": int(self.task.labels[self._shown])}


class LeaksInStep(RewardEnv):
    def step(self, action):
        *outcome, _ = super().step(action)
        return *outcome, {"label": int(self.task.labels[self._shown])}


class RepeatsAnImage(RewardEnv):
    """Draws with replacement."""

    def reset(self, *, seed=None, options=None):
        was_open = self._open
        _, info = super().reset(seed=seed, options=options)
        if not was_open or seed is not None:
            self._drawn = int(self.np_random.integers(len(self.task.images)))
        self._shown = self._drawn
        return self.task.observe(self._shown), info


class ShowsOneOrder(RewardEnv):
    """Every pass is the first pass again."""

    def reset(self, *, seed=None, options=None):
        if seed is None:
            options = {"position": self.position % len(self.task.images)}
        return super().reset(seed=seed, options=options)


class AcceptsASecondGuess(RewardEnv):
    def step(self, action):
        outcome = super().step(action)
        self._open = True
        return outcome


class LosesTheImageOnRefusal(RewardEnv):
    def step(self, action):
        try:
            return super().step(action)
        except (TypeError, ValueError):
            self._stream.advance()
            raise


class AcceptsAnyAction(RewardEnv):
    def step(self, action):
        if isinstance(action, int | np.integer):
            action = int(action) % self.task.classes
        return super().step(action)


class ShowsAWrongImageAgain(RewardEnv):
    """Lets a learner find the label by elimination, one episode after the other."""

    def step(self, action):
        outcome = super().step(action)
        if outcome[1] == 0:
            self._stream.position -= 1
        return outcome


class ReadsPixelsAsSigned(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.task.observe = lambda index: self.task.images[index].view(np.int8).copy()
        self.observation_space = Box(-128, 127, self.observation_space.shape, np.int8)


class WrapsPixels(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**{**keywords, "dtype": "float32"})
        self.task.observe = lambda index: (
            self.task.images[index].view(np.int8).astype(np.float32) / 255
        )


class DimsPixels(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.task.observe = lambda index: self.task.images[index] // 16


class PaysMinusOne(RewardEnv):
    def step(self, action):
        image, reward, *rest = super().step(action)
        return image, 2 * reward - 1, *rest


class EndsWithZeros(RewardEnv):
    def step(self, action):
        image, *rest = super().step(action)
        return np.zeros_like(image), *rest


class NeverEnds(RewardEnv):
    def step(self, action):
        image, reward, _, truncated, info = super().step(action)
        self._open = True
        return image, reward, False, truncated, info


class HandsOutItsBuffer(RewardEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.task.observe = lambda index: self.task.images[index]


class ReversesBatches(RewardVectorEnv):
    def _show(self):
        self._index = self._stream.indices()
        self._index = self._index[::-1] if self._device is None else self._index.flip(0)
        return self._batch.observe(self._index)

    def __init__(self, **keywords):
        self._device = keywords.get("device")
        super().__init__(**keywords)


class SharesBuffers(RewardVectorEnv):
    _buffer = None

    def _show(self):
        images = super()._show()
        if self._buffer is None:
            self._buffer = images
        self._buffer[:] = images
        return self._buffer


class LeaksInBatches(RewardVectorEnv):
    def step(self, actions):
        self.reveal_label = True
        return super().step(actions)


class SkipsImages(RewardVectorEnv):
    def reset(self, *, seed=None, options=None):
        if self._index is not None and seed is None:
            self._stream.advance()
        return super().reset(seed=seed, options=options)


class ClaimsNextStep(RewardVectorEnv):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        self.metadata = {**self.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}


class TakesShortBatches(RewardVectorEnv):
    def step(self, actions):
        missing = self.num_envs - len(actions)
        return super().step(actions[[0] * missing + list(range(len(actions)))])


FAULTS = {
    LeaksInReset: "Reset's info must be empty",
    LeaksInStep: "Step's info must be empty",
    RepeatsAnImage: "A pass must show each image of the split once",
    ShowsOneOrder: "second pass must be shuffled anew",
    AcceptsASecondGuess: "A second guess on the same image must be refused",
    LosesTheImageOnRefusal: "Without a guess, reset must show the same image",
    AcceptsAnyAction: "Action True must be refused",
    ShowsAWrongImageAgain: "What is shown must not depend on the guesses",
    ReadsPixelsAsSigned: "must be uint8 in 0..255 or float32",
    WrapsPixels: "were bytes read as signed",
    DimsPixels: "No pixel is above half of 255",
    PaysMinusOne: "wrong guess was paid -1.0",
    EndsWithZeros: "terminal observation must be the image classified",
    NeverEnds: "Every step must terminate",
    HandsOutItsBuffer: "Gymnasium's check_env refuses it: .* share an object",
    ReversesBatches: "vector form must show the single one's order",
    SharesBuffers: "must return new arrays",
    LeaksInBatches: "Step's info must be empty in the vector form",
    SkipsImages: "refused batch must stay open",
    ClaimsNextStep: "autoreset mode is AutoresetMode.NEXT_STEP",
    TakesShortBatches: "must refuse the actions",
}
