"""A video of a trained agent's guesses on test images, with what each was paid.

pip install "credit-envs[video]"
python scripts/examples/video.py
"""

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import RecordVideo

import credit_envs  # noqa: F401, registers the environments
from agents import Settings, make_agent, train

TRIALS, SHOWN, FOLDER = 30_000, 20, "results/video"

school = gym.make_vec("DigitsReward-v0", num_envs=32)
school.reset(seed=0)
agent = make_agent(Settings("reward_prediction", sizes=(64, 32), lr=0.4), school, seed=0)
train(agent, school, TRIALS)

env = gym.make("DigitsReward-v0", split="test", render_mode="rgb_array")
env.reset(seed=0)  # before the film begins; it shows the same image again
env = RecordVideo(
    env,
    FOLDER,
    episode_trigger=lambda episode: episode == 0,
    video_length=2 * SHOWN,  # in one film: an episode is two frames, before and after the guess
    fps=2,
)
rewards = []
for _ in range(SHOWN):
    image, _ = env.reset()
    _, reward, _, _, _ = env.step(agent.predict(image))
    rewards.append(reward)
env.close()

print(f"{np.mean(rewards):.0%} of {SHOWN} guesses paid: {FOLDER}/rl-video-episode-0.mp4")
