"""The report's example images: what a saved agent chose, and the reward it got."""

import gymnasium as gym
import pytest
from made_up import write_run

from agents import make_agent, train
from agents.report.gallery import SHOWN, gallery
from agents.report.gather import gather
from agents.report.page import page
from agents.runs.folder import CHECKPOINT, find


def entries(root):
    (comparison,) = gather(find(root)[0])[0]
    return comparison.entries


@pytest.fixture
def runs(tmp_path):
    """Labels and reward, each with a saved agent that has learned a little."""
    for name in ("supervised", "q_agrel"):
        learns = name == "supervised"
        env = gym.make_vec("DigitsReward-v0", num_envs=32, reveal_label=learns)
        env.reset(seed=0)
        agent = make_agent(name, env, device="cpu")
        train(agent, env, 640, progress_bar=False)
        agent.save(write_run(tmp_path, name, 100) / CHECKPOINT)
    return tmp_path


def test_the_best_agent_that_learns_from_reward_chooses_and_gets_its_reward(runs):
    shown = gallery("DigitsReward-v0", entries(runs))
    assert len(shown.trials) == SHOWN
    assert {trial.reward for trial in shown.trials} == {0.0, 1.0}
    assert all(trial.reward == (trial.action == trial.label) for trial in shown.trials)
    assert "as q_agrel saw them at the end of the run with seed 100" in shown.caption
    assert page(runs).count(' src="data:image/png;base64,') == SHOWN


def test_every_image_is_told_in_words_and_in_a_table(runs):
    shown = gallery("DigitsReward-v0", entries(runs))
    made = page(runs)
    for trial, row in zip(shown.trials, shown.table.rows, strict=True):
        assert f'alt="{trial.alt}"' in made
        assert row[1:] == (str(trial.label), str(trial.action), f"{trial.reward:g}")


def test_a_damaged_agent_is_said(runs):
    for path in runs.glob(f"**/{CHECKPOINT}"):
        path.write_bytes(path.read_bytes()[:1000])
    assert "is not a sound agent file" in gallery("DigitsReward-v0", entries(runs))


def test_without_a_saved_agent_there_are_no_images(tmp_path):
    write_run(tmp_path, "q_agrel", 100)
    assert "no finished run here has a saved agent" in gallery("DigitsReward-v0", entries(tmp_path))


def test_a_report_downloads_no_images(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    (write_run(tmp_path, "q_agrel", 100, env="MNISTReward-v0") / CHECKPOINT).touch()
    said = gallery("MNISTReward-v0", entries(tmp_path))
    assert said == ("No example images: MNIST is not on this machine, and a report downloads none.")
