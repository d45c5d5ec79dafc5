"""The weight mirror's phases in Stable-Baselines3 (imports it, which takes a while)."""

from stable_baselines3.common.callbacks import BaseCallback
from torch import nn

from agents.bridge.mirroring import mirror
from agents.bridge.optimizers import held, moved
from agents.credit.weight_mirror import WeightMirror


class MirrorPhases(BaseCallback):
    """One mirror phase after every step of an optimiser, of the layers whose weights it moves.

    For `model.learn(..., callback=MirrorPhases())`, after `swap(model.policy, "weight_mirror")`.
    The noise comes from PyTorch's own generator, which the model's `seed` fixes.
    """

    def __init__(self, rule: WeightMirror | None = None, trials: int = 64):
        super().__init__()
        self.rule, self.trials = rule or WeightMirror(), trials
        self._hooks = []

    def _on_training_start(self) -> None:
        self._on_training_end()  # hooks of a training that was cut short
        net = self.model.policy
        for optimizer in held(net):
            layers = nn.ModuleList(moved(optimizer, net))
            hook = optimizer.register_step_post_hook(lambda *_, layers=layers: self._mirror(layers))
            self._hooks.append(hook)

    def _on_step(self) -> bool:
        return True

    def _on_training_end(self) -> None:
        while self._hooks:
            self._hooks.pop().remove()

    def _mirror(self, layers: nn.ModuleList) -> None:
        mirror(layers, self.rule, self.trials)
