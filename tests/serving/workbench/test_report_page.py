"""The economics report among the pages: period, calendar and segment are chosen; it is made beside the requests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from features.economics.settings import ReportSettings
from features.language import use_language
from features.log.settings import Columns, LogSettings
from serving.workbench.reports import Reports

Opened = Callable[..., Any]
ORDERS = """customer_id,ordered_at,amount
ann,2025-01-05,10
bob,2025-02-10,20
ann,2025-03-15,30
cy,2025-04-20,40
ann,2025-06-30,50
"""


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    (tmp_path / "orders.csv").write_text(ORDERS)
    settings = ReportSettings(out=Path(), period="quarter")
    return Reports(settings, LogSettings(transactions=str(tmp_path / "orders.csv")), Columns())


def made(browser: Any, address: str) -> Any:
    """Ask for a report until it is there."""
    until = time.monotonic() + 300
    while (answer := browser.get(address)).headers.get("refresh") and time.monotonic() < until:
        assert "in the making" in answer.text and answer.status_code == 200
    return answer


def test_a_report_is_of_the_period_calendar_and_segment_that_are_chosen(
    opened: Opened, reports: Reports
) -> None:
    browser = opened(reports=reports)

    usual = made(browser, "/report")
    links = {
        unescape(re.sub("<[^>]+>", "", name)): unescape(address)
        for address, name in re.findall(r'<a href="(/report\?[^"]+)"[^>]*>(.*?)</a>', usual.text)
    }
    yearly = made(browser, links["years"])
    first = made(browser, links["period of the first purchase"])

    assert usual.status_code == 200 and "2025-Q2" in usual.text
    assert '<a href="/">' not in usual.text and 'class="brand" href="/"' in usual.text
    assert re.search(r'aria-current="true"><bdi>quarters', usual.text)
    assert "2025-Q2" not in yearly.text and re.search(r'aria-current="true"><bdi>years', yearly.text)
    assert "2025-Q1" in first.text and "segment=acquisition_period" in links["period of the first purchase"]
    assert "sandbox allow-scripts" in usual.headers["content-security-policy"]
    overview = browser.seen("/")
    assert "Economics" in overview
    assert "A customer is active for 90 days after a purchase, and lost when they are over." in overview


def test_periods_are_of_the_readers_calendar_unless_the_settings_name_one(tmp_path: Path) -> None:
    log = LogSettings(transactions=str(tmp_path / "orders.csv"))
    unset = Reports(ReportSettings(out=Path()), log, Columns())
    gregorian = Reports(ReportSettings(out=Path(), calendar="gregorian"), log, Columns())

    assert unset.usual.calendar == "gregorian"
    with use_language("fa"):
        assert (unset.usual.calendar, gregorian.usual.calendar) == ("jalali", "gregorian")


def test_what_is_none_of_the_controls_is_left_out(opened: Opened, reports: Reports) -> None:
    answer = made(opened(reports=reports), "/report?period=aeon&segment=../x&calendar=<b>")

    assert answer.status_code == 200
    assert "aeon" not in answer.text and "../x" not in answer.text


def test_a_log_that_cannot_be_read_is_said_and_tried_again(
    opened: Opened, reports: Reports, tmp_path: Path
) -> None:
    browser = opened(reports=reports)
    (tmp_path / "orders.csv").write_text("a,b\n1,2\n")

    bad = made(browser, "/report")
    (tmp_path / "orders.csv").write_text(ORDERS)
    good = made(browser, "/report")

    assert bad.status_code == 400 and "customer_id" in bad.text
    assert good.status_code == 200 and "2025-Q2" in good.text


def test_the_written_report_is_shown_until_something_is_chosen(
    opened: Opened, reports: Reports, tmp_path: Path
) -> None:
    (tmp_path / "report.html").write_text("<html><body>as it was written</body></html>")
    browser = opened(reports=reports, report=tmp_path)

    assert "as it was written" in browser.seen("/report")
    assert "as it was written" not in made(browser, "/report?period=year").text
    assert 'href="/"' in opened(report=tmp_path).seen("/report")  # the way back


def test_the_overview_has_the_numbers_of_the_report_once_it_is_made(opened: Opened, tmp_path: Path) -> None:
    # The last quarter whose customers are known to be active or not is 2025-Q3: dan and eve bought for 72.
    rows = [
        "ann,2025-01-05,10",
        "dan,2025-07-01,40",
        *("dan,2025-08-01,5", "dan,2025-08-01,15"),  # two lines of an order, for all that the log says
        "eve,2025-09-01,12",
        "cy,2025-12-30,5",
    ]
    log = tmp_path / "orders.csv"
    log.write_text("\n".join(["customer_id,ordered_at,amount", *rows]))
    settings = ReportSettings(out=Path(), period="quarter")
    browser = opened(reports=Reports(settings, LogSettings(transactions=str(log)), Columns()))

    first = browser.seen("/")
    made(browser, "/report")
    then = " ".join(unescape(re.sub("<[^>]+>", " ", browser.seen("/"))).split())

    assert "The report is in the making." in first
    assert re.search(r"\b72(\.00)? net revenue of 2025-Q3", then)
    assert "36.00 net revenue per buyer of 2025-Q3" in then
    assert "The whole report" in then
    assert (
        "--order-column names the column that tells which. What begins with -- is set by whoever runs" in then
    )
