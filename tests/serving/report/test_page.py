"""The report's page: all sections are there, provisional rows are marked, texts stay texts, nothing is fetched."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.economics.facts import Facts
from features.economics.inputs import Inputs
from features.economics.money import MoneyUnit
from features.economics.periods import Periods
from features.economics.report import build_report
from features.economics.segments import EVERYONE, FirstPurchaseSegments
from features.economics.tables import EconomicsReport
from features.language import use_language
from features.log.validation import validate
from serving.report.page import SHOWN_ROWS, report_page
from serving.report.pictures import cohorts, customer_base, revenue

HOSTILE = "</script><script>alert('خرید')</script>"
OUTSIDE = {"src", "href", "srcset", "action", "data", "poster"}


class Elements(HTMLParser):
    """Collects a page's elements, and its texts outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.elements[-1:] and self.elements[-1][0] not in ("script", "style"):
            self.texts.append(data)


@pytest.fixture(scope="module")
def report() -> EconomicsReport:
    """Two years and a half of a shop with two channels, one of a hostile name, in a currency of a hostile name."""
    draw = np.random.default_rng(1)
    rows = pd.DataFrame(
        {
            "customer_id": draw.integers(0, 150, 1_500).astype(str),
            "ordered_at": [
                date(2022, 1, 10) + timedelta(days=int(day)) for day in draw.integers(0, 900, 1_500)
            ],
            "amount": draw.integers(100, 3_000, 1_500) / 100,
            "channel": draw.choice(["web", HOSTILE], 1_500),
        }
    )
    log = validate(rows)
    periods = Periods(log.first_day, log.last_day, "month", "gregorian")
    segments = FirstPurchaseSegments("first_channel")
    with Facts(log, periods, inactivity_days=90, margin=0.3, segments=segments) as facts:
        return build_report(facts, Inputs(unit=MoneyUnit.of(HOSTILE, None), segment="first_channel"))


@pytest.fixture(scope="module")
def page(report: EconomicsReport) -> str:
    return report_page(report)


def test_every_section_and_table_is_there_and_every_link_leads_to_one(
    report: EconomicsReport, page: str
) -> None:
    read = Elements(page)
    ids = {attributes["id"] for _, attributes in read.elements if "id" in attributes}
    links = [attributes["href"] for tag, attributes in read.elements if tag == "a"]

    assert {section.name for section in report.sections} <= ids
    assert all(link and link[0] == "#" and link[1:] in ids for link in links)
    for table in report.tables:
        assert table.rows.empty or table.title in read.texts
    for section in report.sections:
        assert set(map(str, section.missing)) | set(section.notes) <= set(read.texts)


def test_text_from_files_stays_text_in_tables_and_pictures(page: str) -> None:
    read = Elements(page)

    assert "alert('خرید')" not in page  # neither as an element, nor within the scripts of pictures
    assert any(HOSTILE in text for text in read.texts)  # as a segment that a person can read
    assert sum(tag == "script" for tag, _ in read.elements) == 1 + page.count('class="plotly-graph-div"')


def test_it_opens_offline(page: str) -> None:
    for _, attributes in Elements(page).elements:
        for name in OUTSIDE & attributes.keys():
            assert str(attributes[name]).startswith("#")
    assert len(page.encode()) < 6_000_000


def test_provisional_rows_are_marked_and_closed_ones_are_not(report: EconomicsReport, page: str) -> None:
    rows = report.table("customer_base").rows
    everyone = rows[rows["segment"] == EVERYONE].tail(SHOWN_ROWS)
    first_table = re.search(r"<table>.*?</table>", page, re.DOTALL)

    assert first_table is not None
    marked = re.findall(r"(\d{4}-\d{2})\*</th>", first_table[0])
    assert marked == everyone["period"][everyone["provisional"]].tolist() != []
    assert len(re.findall(r'<th scope="row"', first_table[0])) == len(everyone)


def test_a_value_that_is_missing_is_empty_and_a_column_without_values_is_left_out(
    report: EconomicsReport,
) -> None:
    table = report.table("channels")
    assert table.rows["spend"].isna().all()

    read = Elements(report_page(EconomicsReport(report.terms, report.sections)))
    heads = [attributes.get("title") or "" for tag, attributes in read.elements if tag == "abbr"]

    spend = next(each for each in table.columns if each.name == "spend")
    assert not any(head.startswith(spend.meaning) for head in heads)
    assert not {"nan", "NaN", "None", "<NA>"} & set(read.texts)


def test_a_report_of_one_period_has_tables_and_no_pictures() -> None:
    log = validate(pd.DataFrame({"customer_id": ["1"], "ordered_at": ["2024-01-05"], "amount": [10.0]}))
    with Facts(log, Periods(log.first_day, log.last_day, "month", "gregorian"), inactivity_days=90) as facts:
        page = report_page(build_report(facts, Inputs()))

    assert "plotly-graph-div" not in page
    assert "<table>" in page


def test_the_marks_of_an_axis_say_where_they_stand() -> None:
    periods = ["2024-01", "2024-02"]
    rows = pd.DataFrame(
        {"segment": "all", "period": periods, "net_revenue": [2.0, 10.0], "provisional": False}
    )

    figure = revenue(rows)

    assert figure is not None
    axis = figure.layout.yaxis
    assert list(map(float, axis.ticktext)) == list(axis.tickvals)
    assert len(set(axis.ticktext)) > 3
    assert [note.text for note in figure.layout.annotations] == ["net revenue"]


def test_two_years_of_weekly_cohorts_are_a_small_picture() -> None:
    weeks = [f"2023-W{number:02}" for number in range(105)]
    rows = pd.DataFrame(
        [(week, age, 0.5 / age) for place, week in enumerate(weeks) for age in range(1, 105 - place)],
        columns=["cohort", "age", "share_buying"],
    ).assign(segment=EVERYONE)

    with use_language("fa"):
        figure = cohorts(rows)

    assert figure is not None
    assert len(figure.to_json()) < 400_000
    (heat,) = figure.data
    assert (heat.text[0][1], heat.text[-1][1]) == ("۲۵٫۰٪", "")
    assert "%{text} خرید کردند" in heat.hovertemplate.replace("\u2068", "").replace("\u2069", "")


@pytest.mark.slow
def test_contacts_of_campaigns_cost_what_was_planned_and_are_neither_shifted_nor_forecast(
    shop_folder: Path, shop_report: Callable[[str], Path]
) -> None:
    planned = pd.read_csv(shop_folder / "campaigns" / "spring" / "list.csv")["expected_cost"]
    booked, shifted, forecast = (
        pd.read_csv(shop_report("fa") / f"{name}.csv") for name in ("bookings", "shift", "cost_forecast")
    )

    (own,) = booked[booked["item"] == "spring: voucher"].to_dict("records")
    # In tomans, of ten rials each; a contact costs the mean in whole rials' hundredths.
    assert own["booked"] == pytest.approx(planned.sum() / 10, rel=1e-4)
    assert own["allocated"] == own["booked"] > 0
    assert not shifted["touchpoint"].str.contains("spring").any()
    assert not forecast["cost_item"].str.contains("spring").any()


def test_few_customers_are_counted_in_whole_numbers_and_none_stands_twice() -> None:
    rows = pd.DataFrame(
        {"segment": EVERYONE, "period": ["2015-01", "2015-02", "2015-03"], "provisional": False}
    )
    rows = rows.assign(new=[3, 0, 0], returned=0, lost=0, end=3)

    figure = customer_base(rows)

    assert figure is not None
    assert list(figure.layout.yaxis.ticktext) == ["0", "1", "2", "3"]
