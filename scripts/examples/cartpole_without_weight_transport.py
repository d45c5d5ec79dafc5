"""PPO learns CartPole without weight transport: Stable-Baselines3, and `agents.bridge.swap`.

    python scripts/examples/cartpole_without_weight_transport.py

Every rule plays the same seeds, with the same initial weights and the settings of RL Baselines3 Zoo
for CartPole, but AdamW (which Kolen-Pollack needs) for all. "frozen" is the control: hidden layers
stay as they are drawn. Writes cartpole.csv, where finished runs are kept, and cartpole.png.
"""

from collections import defaultdict
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
import tyro
from matplotlib.figure import Figure
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env

from agents.bridge import swap
from agents.comparison.records import read_table, write_table
from agents.comparison.statistics import paired_difference
from agents.metrics import angle

COLOURS = dict(backprop="#222", kolen_pollack="#07B", feedback_alignment="#D50", frozen="#3A3")
Curves = dict[tuple[str, int], tuple[list[int], list[float]]]  # (rule, seed): steps, scores


class Curve(BaseCallback):
    """Every 2048 steps, the mean return of the last 20 episodes, and how far B is from W."""

    def __init__(self, rule: str, seed: int):
        super().__init__()
        self.run, self.rows = {"rule": rule, "seed": seed}, []

    def _on_step(self) -> bool:
        if self.num_timesteps % 2048 == 0:
            layer: Any = self.model.policy.get_submodule("mlp_extractor.policy_net.2")
            degrees = angle(getattr(layer, "feedback", None), layer.weight).item()
            score = fmean(episode["r"] for episode in self.model.ep_info_buffer or ())
            now = {"step": self.num_timesteps, "score": f"{score:.2f}", "angle": f"{degrees:.2f}"}
            self.rows.append(self.run | now)
        return True


def play(rule: str, seed: int, steps: int) -> list[dict[str, Any]]:
    """One run: its rows."""
    env = make_vec_env("CartPole-v1", n_envs=8, seed=seed)
    model = PPO(
        "MlpPolicy", env, n_steps=32, batch_size=256, n_epochs=20, gamma=0.98, gae_lambda=0.8,
        learning_rate=lambda left: 1e-3 * left, clip_range=lambda left: 0.2 * left,
        policy_kwargs={"optimizer_class": torch.optim.AdamW}, stats_window_size=20, seed=seed,
        device="cpu",
    )  # fmt: skip
    if rule == "frozen":
        model.policy.mlp_extractor.requires_grad_(False)
    else:
        swap(model.policy, rule, torch.Generator().manual_seed(seed))
    curve = Curve(rule, seed)
    model.learn(steps, callback=curve)
    return curve.rows


def curves_of(rows: list[dict[str, Any]]) -> Curves:
    """Rows of the table as learning curves."""
    curves: Curves = defaultdict(lambda: ([], []))
    for row in rows:
        steps, scores = curves[row["rule"], int(row["seed"])]
        steps.append(int(row["step"]))
        scores.append(float(row["score"]))
    return curves


def draw(curves: Curves, path: Path) -> None:
    """Thin: a run. Thick: the mean of a rule's."""
    figure = Figure(figsize=(8, 4), dpi=150, layout="constrained")
    axes = figure.add_subplot(xlabel="environment steps", ylabel="return, last 20 episodes")
    for rule, colour in COLOURS.items():
        runs = [run for (its, _), run in curves.items() if its == rule]
        for steps, scores in runs:
            axes.plot(steps, scores, color=colour, lw=0.7, alpha=0.4)
        mean = [fmean(at) for at in zip(*(scores for _, scores in runs), strict=True)]
        axes.plot(runs[0][0], mean, color=colour, lw=2.2, label=rule)
    axes.set_title("PPO on CartPole-v1 (thin: a seed, thick: their mean)", loc="left", fontsize=10)
    axes.legend(frameon=False)
    figure.savefig(path)


def late(curves: Curves, rule: str) -> list[float]:
    """Mean score over the last 12,288 steps, by seed."""
    return [fmean(scores[-6:]) for (its, _), (_, scores) in curves.items() if its == rule]


def text(of: list[float]) -> str:
    """Mean and range."""
    return f"{fmean(of):.0f} ({min(of):.0f} to {max(of):.0f})"


def main(steps: int = 50_000, seeds: int = 5, out: Path = Path("benchmarks/bridge")) -> None:
    """Play what has not been played yet, draw, and say how it ended."""
    torch.set_num_threads(1)  # nets this small only wait for a second thread
    rows: list[dict[str, Any]] = [*read_table(out / "cartpole.csv")]
    for run in product(COLOURS, range(100, 100 + seeds)):
        if run not in curves_of(rows):
            rows += play(*run, steps)
            write_table(out / "cartpole.csv", list(rows[0]), rows)
    curves = curves_of(rows)
    draw(curves, out / "cartpole.png")
    for rule in COLOURS:
        print(f"{rule}: {text(late(curves, rule))}")
        for other in ("backprop", "frozen"):
            print("  above", other, paired_difference(late(curves, rule), late(curves, other)))


if __name__ == "__main__":
    tyro.cli(main)
