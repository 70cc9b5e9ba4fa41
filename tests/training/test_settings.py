"""What customers cost, as settings: here, in a file, and never in two ways."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from features.economics.settings import ReportSettings
from features.errors import StayworthError
from features.settings import Settings
from training.behaviour_settings import BehaviourSettings
from training.cost_settings import CostSettings
from training.settings import TrainSettings


def test_costs_are_those_of_flags_and_file_together(tmp_path: Path) -> None:
    file = tmp_path / "costs.toml"
    file.write_text("[costs]\ncost_per_order = 4.5\ninactivity_days = 90\n")

    stated = CostSettings(file=file, cost_per_day=0.1, inactivity_days=90).stated()

    assert stated == {"cost_per_order": 4.5, "cost_per_day": 0.1, "inactivity_days": 90}
    assert CostSettings().stated() == {}


def test_a_cost_stated_in_two_ways_is_refused_with_both_values(tmp_path: Path) -> None:
    file = tmp_path / "costs.toml"
    file.write_text("[costs]\ncost_per_order = 4.5\n")

    with pytest.raises(
        StayworthError, match=r"cost_per_order is 5 by --cost-per-order .* and 4.5 in .*costs.toml"
    ):
        CostSettings(file=file, cost_per_order=5).stated()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "Can't read the costs file .*costs.toml: No such file"),
        ("[costs\n", "costs.toml is not valid TOML"),
        (
            "cost_per_order = 4",
            "states no costs. Write a table .costs. with keys of cost_per_order, cost_per_day",
        ),
        (
            "[costs]\ncost_per_day = -1",
            r"costs.toml, \[costs\]: cost_per_day: has to be at least 0, not -1",
        ),
        (
            "[costs]\ncost_per_day = nan",
            r"cost_per_day: (Input should be a finite number|has to be at least 0, not nan)",
        ),
        ("[costs]\nbad_debt_rate = 2", "bad_debt_rate: has to be at most 1, not 2"),
        ("[costs]\ncost_per_oder = 2", r"cost_per_oder: is not known\. Did you mean cost_per_order\?"),
    ],
)
def test_a_file_that_cannot_be_used_says_where_and_what(tmp_path: Path, text: str | None, words: str) -> None:
    file = tmp_path / "costs.toml"
    if text is not None:
        file.write_text(text)

    with pytest.raises(StayworthError, match=words):
        CostSettings(file=file).stated()


@pytest.mark.parametrize(
    "costs", [{"cost_per_order": -1}, {"cost_per_day": float("nan")}, {"bad_debt_rate": -0.1}]
)
def test_impossible_costs_are_refused(costs: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        CostSettings(**costs)  # type: ignore[arg-type]


def test_one_file_of_costs_serves_the_report_and_the_values(tmp_path: Path) -> None:
    costs, touches = tmp_path / "costs.toml", tmp_path / "touchpoints.csv"
    costs.write_text(
        '[costs]\nbad_debt_rate = 0.02\n[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 4\nper = "order"\n'
    )
    touches.write_text("customer_id,occurred_at,touchpoint\n17,2015-03-01,call\n")
    settings = CostSettings(file=costs, touchpoints=touches)

    files = settings.files()

    assert settings.stated() == {"bad_debt_rate": 0.02}
    assert files is not None
    assert files.per == {"order"}
    assert CostSettings(file=costs).files() is None  # nothing of single customers


def test_touches_without_costs_are_behaviour_alone(tmp_path: Path) -> None:
    touches, costs = tmp_path / "touchpoints.csv", tmp_path / "costs.toml"
    touches.write_text("customer_id,occurred_at,touchpoint\n17,2015-03-01,call\n")
    costs.write_text('[[touchpoints]]\ntouchpoint = "call"\nunit_cost = 4\nkind = "complaint"\n')
    free, priced = CostSettings(touchpoints=touches), CostSettings(touchpoints=touches, file=costs)

    files = BehaviourSettings().files(free)
    of_both = BehaviourSettings().files(priced, read=priced.files())

    assert free.files() is None
    assert files is not None and files.given == ("touchpoints",)
    assert files.kind_of("call") == "contact"
    assert of_both is not None and of_both.kind_of("call") == "complaint"
    assert BehaviourSettings().files(CostSettings()) is None


@pytest.mark.parametrize(
    ("stated", "per"), [({"cost_per_order": 2}, "order"), ({"cost_per_day": 1}, "period")]
)
def test_a_cost_that_is_stated_and_in_the_files_is_refused(
    tmp_path: Path, stated: dict[str, float], per: str
) -> None:
    costs = tmp_path / "costs.toml"
    costs.write_text(
        f'[[pools]]\npool = "desk"\nmonth = "2015-03"\ncost = 4\ndriver = "orders"\nper = "{per}"\n'
    )

    with pytest.raises(StayworthError, match="is stated as .*, and the files of costs give it for each"):
        CostSettings(file=costs, **stated).files()  # type: ignore[arg-type]


@pytest.mark.parametrize("settings", [TrainSettings, ReportSettings])
@pytest.mark.parametrize("rate", [8.5, 12, 150])
def test_a_discount_rate_in_per_cent_is_refused(settings: type[Settings], rate: float) -> None:
    given = {"out": "report"} if settings is ReportSettings else {}

    with pytest.raises(ValidationError, match=r"The discount rate is .* a year\. Write 15% as 0\.15"):
        settings.model_validate({**given, "discount_rate": rate})
    assert settings.model_validate({**given, "discount_rate": 1.5}).model_dump()["discount_rate"] == 1.5
