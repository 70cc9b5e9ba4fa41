"""Files about customers beside the log: how many of them the log has is said, and what would match."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pandas as pd
import pytest

from features.economics.facts import Facts
from features.economics.report import build_report
from features.economics.settings import ReportSettings
from features.economics.tables import EconomicsReport
from features.errors import StayworthError
from features.log.settings import LogSettings
from features.log.validation import validate
from serving.report.sources import ReportSources

ORDERS = pd.DataFrame({"customer_id": ["007", "008"], "ordered_at": "2022-01-10", "amount": 10.0})


def sources(folder: Path, surveys: str, *, loosely: bool = False) -> ReportSources:
    file = folder / "surveys.csv"
    file.write_text(f"customer_id,answered_at,kind,score\n{surveys}")
    settings = ReportSettings(out=folder / "report", surveys=file, loose_ids=loosely)
    return ReportSources(settings, LogSettings(transactions="orders.csv"), validate(ORDERS), {})


def test_a_file_whose_customers_are_in_the_log_needs_no_word(tmp_path: Path) -> None:
    assert sources(tmp_path, "007,2022-02-01,nps,9\n").said == []


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            "007,2022-02-01,nps,9\nX,2022-02-01,nps,9\n",
            "1 of 2 customers of surveys.csv are in the log; the others",
        ),
        ("7,2022-02-01,nps,9\n8,2022-02-01,nps,9\n", "0 of 2 customers of surveys.csv are in the log"),
        ("7,2022-02-01,nps,9\n8,2022-02-01,nps,9\n", "2 more would match without leading zeros"),
    ],
)
def test_strangers_are_counted_and_explained(tmp_path: Path, rows: str, said: str) -> None:
    [sentence] = sources(tmp_path, rows).said

    assert said in sentence


def test_loose_ids_are_those_of_the_log(tmp_path: Path) -> None:
    loose = sources(tmp_path, "7,2022-02-01,nps,9\n", loosely=True)

    assert loose.said == []
    with loose.facts() as facts:
        assert _asked(loose, facts) == ["007"]


def test_targets_whose_mark_may_group_thousands_are_said(tmp_path: Path) -> None:
    targets = tmp_path / "targets.csv"
    targets.write_text("indicator,period,target\nnet_revenue,2022-01,1.250\n")
    settings = ReportSettings(out=tmp_path / "report", targets=targets)
    given = ReportSources(settings, LogSettings(transactions="orders.csv"), validate(ORDERS), {})

    with given.facts() as facts, ExitStack() as stack:
        given.inputs(facts, stack)

    [said] = given.said
    assert "targets.csv: the numbers in target with the mark '.' have three digits after it" in said


def test_spend_in_another_currency_than_the_log_is_refused(tmp_path: Path) -> None:
    spend = tmp_path / "spend.csv"
    spend.write_text("channel,from,to,amount,currency\ntv,2022-01-01,2022-02-01,5,USD\n")
    settings = ReportSettings(out=tmp_path / "report", spend=spend)
    orders = validate(ORDERS.assign(currency="EUR"))
    given = ReportSources(settings, LogSettings(transactions="orders.csv"), orders, {})

    with (
        given.facts() as facts,
        ExitStack() as stack,
        pytest.raises(StayworthError, match=r"spend\.csv are in USD, those of the log in EUR"),
    ):
        given.inputs(facts, stack)


def test_the_only_channel_of_the_spend_is_named_if_the_log_writes_it_otherwise(tmp_path: Path) -> None:
    said = "Nobody was acquired through 'Shop': compare how the channels are written."

    assert said in str(report_with_spend(tmp_path, "Shop").findings)
    assert said not in str(report_with_spend(tmp_path, "shop").findings)


def report_with_spend(folder: Path, channel: str) -> EconomicsReport:
    spend = folder / "spend.csv"
    spend.write_text(f"channel,from,to,amount\n{channel},2022-01-01,2022-02-01,5\n")
    settings = ReportSettings(out=folder / "report", spend=spend)
    given = ReportSources(
        settings, LogSettings(transactions="orders.csv"), validate(ORDERS.assign(channel="shop")), {}
    )
    with given.facts() as facts, ExitStack() as stack:
        return build_report(facts, given.inputs(facts, stack))


def _asked(loose: ReportSources, facts: Facts) -> list[str]:
    with ExitStack() as stack:
        surveys = loose.inputs(facts, stack).surveys
    assert surveys is not None
    answered: list[str] = surveys.table["customer_id"].to_pylist()
    return answered
