"""The grid of all cells: what is run, what is summed up, and how it is drawn."""

import csv
from dataclasses import replace

import pytest
from matplotlib.image import imread

from agents.comparison import grid as grids
from agents.comparison import records
from agents.comparison.grid import grid, summarise
from agents.comparison.options import GRID, Options
from agents.credit import RULES
from agents.runs.job import Result
from agents.settings import AGENTS, Settings, name_of, settings_of

SEEDS = 5
CELLS = "q_agrel,reward_prediction+readout_only,supervised,readout_only"
CHANCE = 0.1


def result(agent, seed, accuracy, diverged=None, angle: float | None = 40.0) -> Result:
    return Result(agent, seed, (640,), (accuracy,), accuracy, diverged, 1.0, 640, 640, angle)


def runs(agent, accuracies, **keywords) -> list[Result]:
    return [result(agent, 100 + k, accuracy, **keywords) for k, accuracy in enumerate(accuracies)]


@pytest.fixture
def faked(monkeypatch):
    """Searched settings and made-up runs in the place of real ones; returns the jobs asked for."""
    asked = []

    def run_all(jobs, root, how):
        asked.extend(jobs)
        learned = {"q_agrel": 0.9, "supervised": 0.97}
        return [
            result(job.agent, job.seed, learned.get(job.agent, 0.5) + 0.001 * (job.seed - 100))
            for job in jobs
        ]

    monkeypatch.setattr(grids, "run_all", run_all)
    monkeypatch.setattr(records, "chosen", lambda *given: replace(given[2], lr=0.125))
    return asked


def test_the_grid_is_every_rule_under_every_signal_it_goes_with():
    cells = {(settings_of(agent).signal, settings_of(agent).rule.name) for agent in GRID}
    assert len(cells) == len(GRID)
    for name, rule in RULES.items():
        signals = {signal for signal, credit in cells if credit == name}
        four = {"label", "reward_prediction", "policy_gradient", "agrel"}
        assert signals == (set(rule.signals) or four)


def test_a_cell_has_one_name():
    assert name_of("label", "backprop") == "supervised"
    assert name_of("agrel", "readout_only") == "agrel+readout_only"
    assert all(settings_of(agent) == Settings(*_cell(agent)) for agent in GRID)
    assert not any("+" in agent and Settings(*_cell(agent)) in AGENTS.values() for agent in GRID)


def _cell(agent) -> tuple[str, str]:
    settings = settings_of(agent)
    return settings.signal, settings.rule.name


def test_every_cell_runs_its_searched_settings_on_every_seed_and_is_watched(faked, tmp_path):
    grid(Options(agents=CELLS, sizes="16", epochs=1), SEEDS, tmp_path)
    assert {(job.agent, job.seed) for job in faked} == {
        (agent, seed) for agent in CELLS.split(",") for seed in range(100, 105)
    }
    assert all(job.watched and job.reads_test and job.settings.lr == 0.125 for job in faked)


def test_the_rows_and_the_picture_are_written(faked, tmp_path):
    grid(Options(agents=CELLS, sizes="16", epochs=1), SEEDS, tmp_path)
    with (tmp_path / "grid.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * SEEDS
    assert rows[1] == {
        "signal": "reward_prediction", "credit": "backprop", "lr": "0.125", "init": "he",
        "seed": "101", "test_accuracy": "0.901", "change_angle": "40.0", "diverged": "",
        "seconds": "1.0", "env_steps": "640", "presentations": "0", "forward_passes": "640",
            "multiply_adds": "",
    }  # fmt: skip
    picture = imread(tmp_path / "grid.png")
    assert picture.shape[1] == 1500
    assert len({tuple(pixel) for pixel in picture.reshape(-1, picture.shape[2])[::7]}) > 10


def test_a_cell_sums_its_seeds_and_beats_the_control_of_its_own_signal():
    agents = ("q_agrel", "reward_prediction+readout_only", "supervised", "readout_only")
    settings = {agent: settings_of(agent) for agent in agents}
    made = {
        "q_agrel": runs("q_agrel", [0.6, 0.62, 0.61, 0.63, 0.6]),
        "reward_prediction+readout_only": runs("r", [0.5, 0.51, 0.49, 0.52, 0.5], angle=None),
        "supervised": runs("supervised", [0.7, 0.9, 0.7, CHANCE, 0.9]),
        "readout_only": runs("readout_only", [0.68, 0.7, 0.71, 0.7, 0.7], angle=None),
    }
    made["supervised"][3] = result("supervised", 103, CHANCE, diverged=320, angle=None)
    cells = {cell.credit + cell.signal: cell for cell in summarise(settings, made)}
    carried = cells["backpropreward_prediction"]
    assert carried.accuracy.value == pytest.approx(0.612)
    assert carried.carries_credit is True
    assert carried.angle == 40.0
    uneven = cells["backproplabel"]  # a mean below the control, and one run diverged
    assert (uneven.carries_credit, uneven.diverged, uneven.angle) == (False, 1, 40.0)
    frozen = cells["readout_onlylabel"]
    assert (frozen.carries_credit, frozen.angle) == (None, None)


def test_too_few_seeds_make_no_claim():
    settings = {agent: settings_of(agent) for agent in ("supervised", "readout_only")}
    made = {agent: runs(agent, [0.9 - 0.4 * (agent != "supervised")] * 3) for agent in settings}
    assert summarise(settings, made)[0].carries_credit is None


def test_an_unknown_environment_is_said_to_be_one(tmp_path):
    with pytest.raises(ValueError, match="unknown environment 'Nope': choose one of Digits"):
        grid(Options(env="Nope", agents=CELLS), SEEDS, tmp_path)


def test_what_nobody_searched_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"nobody searched .* for q_agrel: scripts/search.py does"):
        grid(Options(agents="q_agrel", sizes="17"), SEEDS, tmp_path)
    with pytest.raises(ValueError, match="mine:Agent is no cell of the grid"):
        grid(Options(agents="mine:Agent"), SEEDS, tmp_path)
    with pytest.raises(ValueError, match="seeds is the number of runs of each cell"):
        grid(Options(agents="q_agrel"), 0, tmp_path)
