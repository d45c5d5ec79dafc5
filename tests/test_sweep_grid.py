"""What is varied in a sweep: values of the types that options, settings and rules have."""

from dataclasses import dataclass

import pytest

from agents.comparison.options import Options
from agents.comparison.plan import Plan, grid_of, read_plan
from agents.credit import RULES, CreditRule


def test_a_grid_has_values_of_its_settings_types():
    given = ["lr=0.05,1", "batch=32", "sizes=64-32,16", "init=paper", "drops=100-200,300"]
    given += ["betas=0.9-0.99", "pixels=-0.1-1e-3"]
    assert grid_of(given) == {
        "lr": [0.05, 1.0], "batch": [32], "sizes": ["64,32", "16"], "init": ["paper"],
        "drops": [(100, 200), (300,)], "betas": [(0.9, 0.99)], "pixels": [(-0.1, 0.001)],
    }  # fmt: skip


@dataclass(frozen=True)
class Odd(CreditRule):
    """Has settings of the names that other rules have, of other types."""

    name = "odd"
    steps: float = 1.0
    state: str = "all"
    symmetric: bool = True
    decays: tuple[float, ...] = (0.5,)


@pytest.mark.parametrize(
    ("agent", "given", "values"),
    [
        ("dfc", "credit.steps=5,10", [5, 10]),
        ("label+odd", "credit.steps=0.5,1", [0.5, 1.0]),
        ("label+odd", "credit.state=mean", ["mean"]),
        ("label+odd", "credit.symmetric=False,true", [False, True]),
        ("label+odd", "credit.decays=0.1-0.2", [(0.1, 0.2)]),
    ],
)
def test_a_rules_settings_have_its_own_types(monkeypatch, agent, given, values):
    monkeypatch.setitem(RULES, "odd", Odd)
    options = Options(agents=agent, network="tanh")
    jobs = Plan(options, (100,), grid_of([given])).jobs()
    name = given.partition("=")[0].removeprefix("credit.")
    assert [getattr(job.settings.rule, name) for job in jobs] == values
    assert [type(getattr(job.settings.rule, name)) for job in jobs] == [*map(type, values)]


def test_a_file_s_lists_are_the_same_values(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text(
        "[vary]\nsizes = [[64, 32], [16]]\ndrops = [[100, 200], 300]\ncredit.noise = [0.1, 1]\n"
        "credit.symmetric = [false]\n"
    )
    grid = grid_of(
        ["sizes=64-32,16", "drops=100-200,300", "credit.noise=0.1,1", "credit.symmetric=false"]
    )
    assert read_plan(path)[1] == grid


@pytest.mark.parametrize(
    "content",
    ["[vary]\nlr = 0.1\n", "vary = 1\n", "[vary]\ncredit.noise = 1\n", "[vary]\nlr = []\n"],
)
def test_what_is_varied_in_a_file_is_lists(content, tmp_path):
    (tmp_path / "sweep.toml").write_text(content)
    with pytest.raises(ValueError, match="has lists of values, such as lr = "):
        read_plan(tmp_path / "sweep.toml")
