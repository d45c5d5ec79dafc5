"""The report of runs: what stands on the page, and what it says where there is little to show."""

import json
import re
import time
from html.parser import HTMLParser
from itertools import product

import pytest
from made_up import POINTS, write_run

from agents.report import write_report
from agents.report.page import page
from agents.runs.folder import CONFIG, DONE, METRICS, write_json
from agents.runs.rows import Row, append_row

AGENTS = {"supervised": 500, "q_agrel": 1500, "reinforce": 4000, "readout_only": 9000}


@pytest.fixture
def runs(tmp_path):
    """A comparison with five seeds."""
    for agent, seed in product(AGENTS, range(100, 105)):
        write_run(tmp_path, agent, seed, AGENTS[agent], watched=True)
    return tmp_path


class Reader(HTMLParser):
    """The page's elements, its figures and its words."""

    VOID = ("meta", "img", "wbr")
    INLINE = ("a", "b", "span", "wbr")

    def __init__(self, text):
        super().__init__()
        self.tags, self.open, self.figures, self.words = [], [], [], []
        self.feed(text)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.append((tag, attrs))
        self.words.append("" if tag in self.INLINE else " ")
        if tag not in self.VOID and not self.get_starttag_text().endswith("/>"):
            self.open.append(tag)
        if tag == "figure":
            self.figures.append({"id": attrs["id"], "pictures": [], "tables": 0})
        if "figure" in self.open and tag in ("svg", "img"):
            self.figures[-1]["pictures"].append(attrs.get("aria-label") or attrs.get("alt"))
        if "figure" in self.open and "details" in self.open and tag == "table":
            self.figures[-1]["tables"] += 1

    handle_startendtag = handle_starttag

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self):
        return " ".join("".join(self.words).split())


def test_the_answer_is_the_first_thing_that_is_said(runs):
    text = Reader(page(runs)).text
    assert re.search(
        r"Learning from reward takes (2\.\d|3\.\d) times as many trials as learning from labels "
        r"\[\d\.\d, \d\.\d\]\. q_agrel, the quickest of 2 agents that learn from reward, to "
        r"\d\d\.\d % validation accuracy; 5 seeds, geometric mean with its 95 % interval\.",
        text,
    ), text[:800]
    assert text.index("Learning from reward takes") < text.index("Learning curves")


def test_every_figure_has_a_table_and_words_for_those_who_do_not_see_it(runs):
    figures = Reader(page(runs)).figures
    assert [figure["id"] for figure in figures] == ["learning-1", "angles-1"]
    for figure in figures:
        assert figure["tables"] == 1
        assert figure["pictures"]
        assert all(len(alt) > 20 for alt in figure["pictures"])


def test_the_grid_has_its_heat_maps(tmp_path):
    signals, rules = ("label", "agrel", "reward_prediction"), ("kolen_pollack", "sign_symmetry")
    cells = [*product(signals, rules), ("label", "backprop"), ("agrel", "readout_only")]
    for (signal, rule), seed in product(cells, range(100, 105)):
        write_run(tmp_path, f"{signal}+{rule}", seed, watched=True)
    figures = {figure["id"]: figure for figure in Reader(page(tmp_path)).figures}
    accuracy, angle = figures["grid-1"]["pictures"]
    assert "kolen_pollack under agrel 9" in accuracy
    assert "sign_symmetry under label 41" in angle
    assert figures["grid-1"]["tables"] == 1


def test_more_agents_than_colours_have_a_small_chart_for_each_rule(tmp_path):
    rules = ("backprop", "kolen_pollack", "sign_symmetry", "feedback_alignment", "weight_mirror")
    for rule, signal in product(rules, ("label", "reward_prediction")):
        write_run(tmp_path, f"{signal}+{rule}", 100)
    (learning, *_) = Reader(page(tmp_path)).figures
    assert len(learning["pictures"]) == len(rules)


@pytest.mark.parametrize("where", ["name", "command", "device_name", "commit", "env", "device"])
def test_what_comes_from_outside_is_escaped(tmp_path, where):
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
    write_run(tmp_path, "supervised", 100)
    write_run(tmp_path, "mine:Own", 100, **{where: evil})
    write_run(tmp_path, "mine:Own", 101, failed=evil, **({} if where == "env" else {where: evil}))
    made = page(tmp_path)
    assert not {"script", "img"} & {tag for tag, _ in Reader(made).tags}
    assert "<script>alert(1)</script>" in Reader(made).text


def test_a_folder_of_an_evil_name_is_escaped(tmp_path):
    root = tmp_path / "<script>alert(1)<" / "script>"
    write_run(root, "supervised", 100)
    tags = {tag for tag, _ in Reader(page(root)).tags}
    assert "script" not in tags


def test_the_page_needs_nothing_but_itself(runs):
    made = page(runs)
    assert all(
        name not in ("src", "href", "xlink:href") or value.startswith(("data:", "#"))
        for _, attrs in Reader(made).tags
        for name, value in attrs.items()
    )
    assert "url(" not in made
    assert "@import" not in made
    assert "<script" not in made


def test_five_hundred_runs_are_a_small_page_in_little_time(tmp_path):
    rules = ("backprop", "kolen_pollack", "sign_symmetry", "feedback_alignment", "readout_only")
    signals = ("label", "reward_prediction", "policy_gradient", "agrel", "label_mse")
    for env in ("DigitsReward-v0", "MNISTReward-v0"):
        for rule, signal, seed in product(rules, signals, range(100, 110)):
            write_run(tmp_path, f"{signal}+{rule}", seed, env=env, watched=True)
    start = time.perf_counter()
    write_report(tmp_path, tmp_path / "report.html")
    assert time.perf_counter() - start < 20
    assert (tmp_path / "report.html").stat().st_size < 3e6


def test_an_empty_folder_is_said_and_no_folder_is_refused(tmp_path):
    text = Reader(page(tmp_path)).text
    assert "There are no runs in this folder." in text
    with pytest.raises(ValueError, match="is no folder: give one that has runs below it"):
        write_report(tmp_path / "none", tmp_path / "report.html")


def test_no_finished_run_is_said(tmp_path):
    write_run(tmp_path, "supervised", 100, rows=3)
    text = Reader(page(tmp_path)).text
    assert "No run has finished yet, so there is no answer." in text
    assert f"3 of {len(POINTS)} evaluations made" in text


def test_few_seeds_have_no_band_no_interval_and_no_claim(tmp_path):
    for agent in AGENTS:
        write_run(tmp_path, agent, 100, AGENTS[agent])
    made = page(tmp_path)
    text = Reader(made).text
    assert "no band: under 5 seeds there is no interval" in text
    assert "one seed: too few for an interval or a claim" in text
    assert 'class="band"' not in made


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        (["q_agrel"], "supervised has not run beside the agents that learn from reward"),
        (["supervised", "lansdell"], "No agent here learns from reward"),
    ],
)
def test_where_there_is_no_answer_it_is_said_why(tmp_path, agents, said):
    for agent in agents:
        write_run(tmp_path, agent, 100)
    assert said in Reader(page(tmp_path)).text


def test_what_is_not_reached_is_a_lower_bound(tmp_path):
    for seed in range(100, 105):
        write_run(tmp_path, "supervised", seed, 500)
        write_run(tmp_path, "q_agrel", seed, 500_000)
    assert re.search(r"takes more than 10 times as many", Reader(page(tmp_path)).text)


def test_all_that_went_wrong_is_listed(runs):
    write_run(runs, "q_agrel", 105, diverged=777)
    write_run(runs, "q_agrel", 106, failed="no memory left")
    write_run(runs, "q_agrel", 107, rows=4)
    (write_run(runs, "q_agrel", 108) / CONFIG).write_text("{")
    append_row(write_run(runs, "q_agrel", 109) / METRICS, Row(1, 0.5, 0.5, None, 1.0))
    write_json(runs / "garbled" / CONFIG, {"format": "credit-envs run 1", "agent": "q_agrel"})
    write_run(runs / "copy", "q_agrel", 100, AGENTS["q_agrel"], watched=True)
    text = Reader(page(runs)).text
    part = text[text.rindex("What did not go well") :]
    for said in (
        "not finite from trial 777 on; it counts as chance", "no memory left",
        f"4 of {len(POINTS)} evaluations made", "seed-108/config.json is damaged",
        "seed-109/metrics.csv is damaged in row", "garbled is left out",
        "it has the settings and the seed of another",
    ):  # fmt: skip
        assert said in part
    assert "1 diverged, 1 failed and 1 unfinished" in text


def test_a_diverged_run_is_drawn_to_where_it_diverged(runs):
    write_run(runs, "q_agrel", 105, diverged=777, watched=True)
    made = page(runs)
    assert made.count('class="cross"') == 2  # on wide and on narrow paper


def test_settings_of_one_agent_that_differ_are_told_apart(tmp_path):
    for key, rate in (("0", 0.1), ("1", 0.2)):
        folder = write_run(tmp_path, "q_agrel", 0, key=key, reads_test=False)
        config = (folder / CONFIG).read_text().replace('"lr": 0.05', f'"lr": {rate}')
        (folder / CONFIG).write_text(config)
    text = Reader(page(tmp_path)).text
    assert "q_agrel (lr 0.1)" in text
    assert "q_agrel (lr 0.2)" in text
    assert "These runs are a search for settings" in text


def test_environments_are_told_apart_and_an_unknown_one_keeps_its_runs(runs):
    write_run(runs, "q_agrel", 100, env="MineReward-v0")
    text = Reader(page(runs)).text
    assert "MineReward" in text
    assert "unknown environment 'MineReward-v0'" in text
    assert "Learning curves" in text


def test_what_ran_under_other_conditions_stands_apart(runs):
    write_run(runs, "q_agrel", 100, batch=64)
    figures = Reader(page(runs)).figures
    assert {"learning-1", "learning-2"} <= {figure["id"] for figure in figures}


def test_a_network_and_a_rule_that_this_version_does_not_know_are_shown_too(runs):
    for seed in range(100, 105):
        folder = write_run(runs, "q_agrel", seed, key="other", env="MNISTReward-v0")
        config = (folder / CONFIG).read_text()
        for known, mine in (("dense", "mine"), ("backprop", "my_rule")):
            config = config.replace(f'"{known}"', f'"{mine}"')
        (folder / CONFIG).write_text(config)
    text = Reader(page(runs)).text
    assert "MNISTReward\u2011v0, mine 64\u201132" in text
    assert "my_rule" in text


def test_a_single_reading_is_no_curve(tmp_path):
    folder = write_run(tmp_path, "supervised", 100, points=POINTS[:1])
    rows = (folder / METRICS).read_text().splitlines(keepends=True)
    (folder / METRICS).write_text("".join(rows[:2]))
    assert "Validation was read only once in these runs" in Reader(page(tmp_path)).text


def test_a_finished_run_without_its_test_accuracy_is_left_out(tmp_path):
    done = write_run(tmp_path, "supervised", 100) / DONE
    write_json(done, json.loads(done.read_text()) | {"test_accuracy": None})
    assert "No run has finished yet" in Reader(page(tmp_path)).text
