"""The report in a real browser: it opens from disk, says nothing, and all of it can be seen."""

from itertools import product

import pytest
from browser import CHROMIUM, Browser
from made_up import write_run

from agents.report import write_report

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium or google-chrome")

SEEN = """[...document.querySelectorAll('figure')].map(figure => {
    const shown = [...figure.querySelectorAll('svg, img')].filter(one => one.checkVisibility());
    const boxes = shown.map(one => one.getBoundingClientRect());
    return [figure.id, boxes.length > 0 && boxes.every(box => box.width >= 60 && box.height >= 60
        && box.left >= 0 && box.right <= document.documentElement.clientWidth)];
})"""
DIM = """(() => {
    const ground = getComputedStyle(document.body).backgroundColor;
    return [...document.querySelectorAll('svg text, svg .mean, p, td')].filter(one => {
        const style = getComputedStyle(one);
        const colour = one.matches('.mean') ? style.stroke : one.matches('text') ? style.fill
            : style.color;
        return colour == ground && !one.matches('.over');
    }).length;
})()"""
OPEN = "document.querySelectorAll('details').forEach(one => { one.open = true })"
WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A comparison of few agents and a grid of many, some of which did not end well."""
    root = tmp_path_factory.mktemp("runs")
    few = ("supervised", "q_agrel", "reinforce", "mine:" + "VeryLong" * 12)
    for agent, seed in product(few, range(100, 105)):
        write_run(root, agent, seed, watched=True)
    rules = ("backprop", "kolen_pollack", "sign_symmetry", "readout_only")
    signals = ("label", "reward_prediction", "agrel")
    for rule, signal, seed in product(rules, signals, (100, 101)):
        write_run(root, f"{signal}+{rule}", seed, env="MNISTReward-v0", watched=True)
    write_run(root, "q_agrel", 105, diverged=2000, watched=True)
    write_run(root, "q_agrel", 106, failed="no memory left " * 20, watched=True)
    write_report(root, root / "report.html")
    return root / "report.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_figure_is_seen_and_the_page_does_not_scroll_sideways(
    browser, report, width, scheme
):  # fmt: skip
    browser.open(report, width, scheme)
    figures = dict(browser.evaluate(SEEN))
    assert {"learning-1", "angles-1", "learning-2", "grid-2", "angles-2"} <= set(figures)
    assert all(figures.values()), figures
    assert browser.evaluate(DIM) == 0
    browser.evaluate(OPEN)
    assert browser.evaluate(WIDER) <= 0


def test_by_night_the_page_is_dark(browser, report):
    grounds = []
    for scheme in ("light", "dark"):
        browser.open(report, scheme=scheme)
        ground = browser.evaluate("getComputedStyle(document.body).backgroundColor")
        grounds.append(sum(map(int, ground.removeprefix("rgb(").rstrip(")").split(","))))
    light, dark = grounds
    assert light > 600
    assert dark < 150


def test_nothing_is_fetched_and_the_console_stays_empty(browser, report):
    browser.open(report)
    assert {url for url in browser.asked if not url.startswith("data:")} == {report.as_uri()}
    assert browser.said == []
