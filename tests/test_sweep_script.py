"""scripts/sweep.py as a user runs it."""

import pytest

from agents.comparison.statistics import hitting_time, median_time
from agents.runs import run as running
from agents.runs.folder import find
from agents.runs.job import result_of


def test_a_sweep_runs_every_combination_on_every_seed(command, made, tmp_path):
    said = command(
        "sweep", "--agents", "q_agrel,supervised", "--seeds", "2", "--vary", "lr=0.05,1e30",
        "optimizer=sgd,adam",
    )  # fmt: skip
    assert len(made) == 16
    records, _ = find(tmp_path)
    settings = {
        (r.config["agent"], r.config["settings"]["lr"], r.config["settings"]["optimizer"])
        for r in records
    }
    assert len(settings) == 8
    assert {record.config["seed"] for record in records} == {100, 101}
    assert sum(record.status == "diverged" for record in records) >= 4
    line = next(line.split() for line in said.splitlines() if "supervised  1e+30  sgd" in line)
    assert line[-4:] == ["10.0", "2", "2", "0"]
    command("sweep", "--agents", "q_agrel", "--seeds", "3", "--vary", "lr=0.05")
    assert len(made) == 17  # but one of them was done


def test_a_sweep_shows_the_trials_to_a_level(command, made, tmp_path):
    said = command("sweep", "--agents", "supervised", "--vary", "lr=0.5,1e30", "--level", "0.2")
    assert "20 %" in said
    records, _ = find(tmp_path)
    sound = [result_of(record) for record in records if record.status == "done"]
    assert len(sound) == 3
    hits = [hitting_time(result.trials, result.validation, 0.2) for result in sound]
    line = next(line.split() for line in said.splitlines() if "supervised  0.5" in line)
    assert line[-4] == f"{median_time(hits):,.0f}"
    line = next(line for line in said.splitlines() if "supervised  1e+30" in line)
    assert "not reached" in line


def test_a_sweep_varies_settings_of_the_credit_rule(command, made, tmp_path):
    said = command("sweep", "--agents", "dfc", "--seeds", "1", "--vary", "credit.rate=0,0.1")
    records, _ = find(tmp_path)
    assert {r.config["settings"]["credit"]["rate"] for r in records} == {0, 0.1}
    assert [line.split()[:2] for line in said.splitlines() if " dfc " in line] == [
        ["dfc", "0.0"], ["dfc", "0.1"],
    ]  # fmt: skip


def test_a_sweep_is_read_from_a_file(command, made, tmp_path):
    (tmp_path / "sweep.toml").write_text(
        'agents = "supervised"\nseeds = 1\nbatch = 64\n'
        "[vary]\nsizes = [[8], [9, 8]]\nlr = [1, 0.5]\n"
    )
    command("sweep", "--file", "sweep.toml")
    records, _ = find(tmp_path)
    assert {(*r.config["settings"]["sizes"], r.config["settings"]["lr"]) for r in records} == {
        (8, 1.0), (8, 0.5), (9, 8, 1.0), (9, 8, 0.5),
    }  # fmt: skip
    assert {record.config["batch"] for record in records} == {64}


def test_a_sweep_in_which_a_run_fails_ends_with_a_sentence_and_the_others(
    command, made, monkeypatch, tmp_path
):
    def learning(job):
        if job.seed == 100:
            raise RuntimeError("bad luck")
        return Learning(job)

    Learning = running.Learning  # noqa: N806
    monkeypatch.setattr(running, "Learning", learning)
    said = command("sweep", "--agents", "supervised", "--seeds", "2")
    assert said == "error: 1 of 2 runs failed, the others are kept"
    records, _ = find(tmp_path)
    assert [record.status for record in records] == ["failed", "done"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--vary", "lr"], "vary 'lr': give name=value,value such as lr=0.05,0.1"),
        (["--vary", "lr=fast"], "vary lr: 'fast' is no float"),
        (["--vary", "drops=soon"], "vary drops: 'soon' is no row of whole numbers such as 64-32"),
        (["--vary", "betas=b-c"], "vary betas: 'b-c' is no row of numbers such as 0.9-0.999"),
        (["--vary", "betas=0.9", "--optimizer", "adam"], "betas are two numbers from 0 to below 1"),
        (
            ["--agents", "label+node_perturbation", "--vary", "credit.symmetric=no"],
            "'no' is neither true nor false",
        ),
        (["--vary", "lr=1", "lr=2"], "vary lr is given twice: give all its values at once"),
        (["--vary", "rate=1"], "'rate' cannot be varied: choose of env, network"),
        (["--vary", "lr=-1"], "lr is a positive learning rate"),
        (["--agents", "dfc", "--vary", "credit.nois=1"], "credit.nois cannot be varied: dfc has"),
        (["--agents", "dfc", "--vary", "credit.noise=loud"], "vary credit.noise: 'loud' is no"),
        (["--agents", "dfc", "--vary", "credit.rate=2"], "rate is a part in 0..1"),
        (["--agents", "ppo", "--vary", "credit.rate=1"], "cannot be varied: backprop has none"),
        (["--seeds", "0"], "seeds is the number of runs of a combination"),
        (["--workers", "-1"], "workers is 0 or more"),
        (["--level", "50"], "level is an accuracy in 0..1, or 0 for none, got 50"),
        (["--file", "nowhere.toml"], "nowhere.toml cannot be read as TOML"),
        (["--file", "bad.toml"], "seeds is of the type int, got 'two'"),
        (["--file", "unknown.toml"], "unknown option 'seed'"),
        (["--file", "nowhere_to_run.toml"], "executor is local or slurm, got 'cloud'"),
        (["--file", "out.toml"], "out is of the type str, got 3"),
        (["--first-seed", "-2"], "seed is a whole number, 0 or more, got -2"),
    ],
)
def test_what_cannot_be_swept_is_refused_in_a_sentence(
    command, made, arguments, sentence, tmp_path
):
    (tmp_path / "bad.toml").write_text('seeds = "two"\n')
    (tmp_path / "unknown.toml").write_text("seed = 2\n")
    (tmp_path / "nowhere_to_run.toml").write_text('executor = "cloud"\n')
    (tmp_path / "out.toml").write_text("out = 3\n")
    said = command("sweep", *arguments)
    assert said.startswith("error: ")
    assert sentence in said
    assert "\n" not in said
    assert made == []
