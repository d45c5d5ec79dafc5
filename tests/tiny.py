"""A figure of the digits that takes seconds, made in a folder of the test's own."""

from dataclasses import replace

from small import QUIET

from agents.presets.figure import Figure, Goal, Line, Published, Quick
from agents.reproduction import reproduce
from agents.settings import Settings

TINY = Figure(
    "tiny", "a figure of the digits", "DigitsReward-v0", "a test",
    lines=(
        Line("BP", Settings("label", sizes=(12,), lr=0.3), Published(97, "nowhere")),
        Line("Q", Settings("reward_prediction", "kolen_pollack", sizes=(12,), lr=0.3)),
    ),
    epochs=60, own_epochs=60, quick=Quick(2, 1), hours=1, batch=32, seeds=5, patience=45,
    drops=(1, 30), reference="BP", measure="feedback_angle", goals=(Goal("BP", "bound", 90),),
)  # fmt: skip
FREE = replace(TINY, reference="")  # no line counts trials to another's level


def make(tmp_path, figure=TINY, **more):
    more = {"quick": True, "device": "cpu"} | more
    return reproduce.reproduce(
        figure, how=QUIET, out=tmp_path / "runs", rows=tmp_path / "rows", **more
    )
