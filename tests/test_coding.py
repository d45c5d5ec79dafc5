"""An autoencoder's figure from end to end on the digits: rows, kept runs, picture, refusals."""

import os
import pickle
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import pytest
import small
import torch

from agents.autoencoder import Coding
from agents.credit.backprop import Backprop
from agents.credit.learned_feedback import LearnedFeedback
from agents.presets import FIGURES
from agents.presets.figure import LEFT, Figure, Goal, Line, Published, Quick
from agents.presets.lansdell import HALF_VARIANCE
from agents.reproduction import coding, readme, results
from agents.reproduction.coding import making
from agents.reproduction.coding import run as coding_run
from agents.reproduction.coding.run import Attempt, images_of, teach, variance_left
from agents.reproduction.plan import Plan
from agents.reproduction.reproduce import reproduce
from agents.reproduction.summary import summarise, verdicts
from agents.reproduction.table import sentences, table
from agents.runs import executors
from agents.runs.attempt import Failed

TINY = Figure(
    "tiny", "an autoencoder of the digits", "DigitsReward-v0", "a test",
    lines=(
        Line("NP", Coding(LearnedFeedback(), 0.02, (20, 2, 20)), Published(60, "nowhere")),
        Line("BP", Coding(Backprop(), 0.01, (20, 2, 20))),
    ),
    epochs=9, own_epochs=4, quick=Quick(3, 1), hours=1, memory=0.1, batch=32, seeds=5, unit=LEFT,
    protocols=("own",), goals=(Goal("NP", "above", 0, "BP"),),
)  # fmt: skip


@pytest.fixture(autouse=True)
def made(monkeypatch):
    """Runs are made in this process; returns the list of those that are."""
    taught = []

    def noted(run):
        taught.append((run.line, run.seed))
        return teach(run)

    monkeypatch.setattr(executors, "ProcessPoolExecutor", small.Inline)
    monkeypatch.setattr(coding_run, "teach", noted)
    return taught


def make(tmp_path, figure=TINY, quick=True, seeds=0):
    return reproduce(figure, quick, small.QUIET, tmp_path / "runs", tmp_path / "rows", "cpu", seeds)


def one(**changes):
    (*_, run) = coding.runs(Plan(TINY, quick=True))
    return replace(run, **changes)


def test_a_figure_is_run_once_and_kept(tmp_path, made):
    first = make(tmp_path)
    assert made == [("NP", 100), ("BP", 100)]
    assert first == results.read(tmp_path / "rows" / "tiny.quick.json")
    assert (tmp_path / "rows" / "tiny.quick.png").stat().st_size > 10_000
    more = make(tmp_path, seeds=2)
    assert made[2:] == [("NP", 101), ("BP", 101)]
    assert [row for row in more.rows if row["seed"] == 100] == first.rows


def test_a_row_that_another_call_wrote_meanwhile_is_left_alone(tmp_path, made):
    path = tmp_path / "row"
    path.write_text("{}")
    Attempt(one(), path, threads=1, source={})()
    assert made == []
    assert path.read_text() == "{}"


def test_a_row_counts_test_where_validation_was_best(tmp_path):
    for row in make(tmp_path).rows:
        assert row["trials"][-1] == row["budget"] == 3904  # three passes over 1294, whole batches
        assert row["chosen"] == row["trials"][row["curve"].index(min(row["curve"]))]
        assert row["left"] == pytest.approx(min(row["curve"]), rel=0.2)
        assert set(row["measured"]) == {"dark output units, %", "degrees from backprop's changes"}
    backprop = row["measured"]
    assert backprop["degrees from backprop's changes"] < 0.01


def test_a_full_figure_has_intervals_goals_and_a_picture_with_bands(tmp_path):
    figure = replace(TINY, own_epochs=1)
    full = make(tmp_path, figure, quick=False)
    assert len(full.rows) == 10
    lines = summarise(figure, full)
    assert lines[0].ours["own"] == [100 * row["left"] for row in full.rows[:5]]
    (verdict,) = verdicts(figure, full, lines)
    assert verdict.goal == "NP below BP"
    assert verdict.reached is not None
    assert "test variance left, %" in str(table(figure, full).columns[0].header)
    assert any("dark output units" in said for said in sentences(figure, full))
    assert "100 %: chance" in coding.sentences()[0]
    assert (tmp_path / "rows" / "tiny.png").exists()


def test_readme_has_a_line_of_it(tmp_path, monkeypatch):
    make(tmp_path)
    monkeypatch.setattr(readme, "FIGURES", {"tiny": TINY})
    (line,) = (row for row in readme.markdown(tmp_path / "rows").splitlines() if "tiny" in row)
    assert line.startswith("| `tiny`, variance left | NP 60.00 |  | NP ")
    assert line.endswith("**quick**: 3 epochs, 1 seed |")


def test_a_run_that_diverges_is_a_result_and_counts_as_the_mean_image(tmp_path):
    wild = Line("BP", Coding(Backprop(), 1e30, (20, 2, 20)))
    figure = replace(TINY, lines=(TINY.lines[0], wild))
    made = make(tmp_path, figure)
    row = made.rows[-1]
    assert (row["left"], row["chosen"], row["measured"]) == (1.0, 0, {})
    assert row["diverged"] in one().points
    assert len(row["curve"]) < len(one().points)
    assert "Runs that diverged, and count as chance: BP (1)." in list(sentences(figure, made))


def test_the_same_run_gives_the_same_row_and_another_seed_another():
    kept = ("left", "curve", "trials", "measured")
    first, again, other = teach(one()), teach(one()), teach(one(seed=7))
    assert [first[name] for name in kept] == [again[name] for name in kept]
    assert first["curve"] != other["curve"]


def test_another_run_has_another_place(tmp_path):
    places = {one(**change).path(tmp_path) for change in (
        {}, {"seed": 1}, {"batch": 8}, {"images": 9}, {"line": "other"},
        {"settings": Coding(Backprop(), 0.02)}, {"settings": Coding(LearnedFeedback(rate=0.1))},
    )}  # fmt: skip
    assert len(places) == 7


def test_a_quick_figure_reads_the_first_images():
    figure = replace(TINY, quick=replace(TINY.quick, images=50))
    *_, run = coding.runs(Plan(figure, quick=True))
    assert run.images == 50
    assert teach(run)["curve"] != teach(one())["curve"]


def test_the_mean_image_leaves_all_of_the_variance_and_the_image_none():
    images = images_of("DigitsReward-v0", "test")
    x = images.flatten(1) / 255
    assert variance_left(x.mean(0).expand_as(x), images) == pytest.approx(1)
    assert variance_left(x, images) == pytest.approx(0, abs=1e-12)
    assert variance_left(torch.zeros_like(x), images) > 2


def test_the_published_losses_are_put_in_the_figures_unit():
    figure = FIGURES["lansdell-autoencoder"]
    numbers = {line.name: line.published.value for line in figure.lines if line.published}
    assert numbers == pytest.approx({"NP": 60.94, "BP": 72.12, "FA": 89.79}, abs=0.01)
    assert {line.settings.sizes for line in figure.lines} == {(50, 2, 50)}


def test_the_variance_that_published_losses_are_divided_by_is_that_of_the_test_images():
    if "CREDIT_ENVS_MIRROR" not in os.environ:
        pytest.skip("MNIST needs the mirror")
    images = images_of("MNISTReward-v0", "test")
    x = images.flatten(1).double() / 255
    assert 0.5 * (x - x.mean(0)).square().sum(1).mean() == pytest.approx(HALF_VARIANCE, abs=1e-3)


def test_missing_images_and_killed_processes_are_said(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDIT_ENVS_MIRROR", str(tmp_path / "empty"))
    monkeypatch.setenv("CREDIT_ENVS_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match="tiny needs images that are not here: .*_MIRROR names"):
        make(tmp_path, replace(TINY, env="CIFAR100Reward-v0"))

    def killed(*_):
        raise BrokenProcessPool

    monkeypatch.setattr(making, "executor", killed)
    with pytest.raises(Failed, match="a run's process was killed .* the same command goes on"):
        make(tmp_path)


def test_a_run_can_be_sent_to_a_process():
    assert pickle.loads(pickle.dumps(one())) == one()
