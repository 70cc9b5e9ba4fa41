"""The report as one HTML page, which opens offline: styles, tables, and plotly's script for its pictures inside.

The text is in ``templates/report.html``; this module gathers what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from features.economics.catalogue import INDICATORS
from features.economics.indicator import Indicator
from features.economics.periods import written_date
from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport, Table, Terms
from features.language import currency, current_language, day_of, text_direction, translated, translated_in
from serving.report.pictures import pictures

SHOWN_ROWS = 24
"""Rows of a table that the page shows, the newest; its CSV file has all."""

SHOWN_CUSTOMERS = 10
"""Customers of a table that the page names, the first."""

_SHOWN_SEGMENTS = 12
_MARKS = {"provisional"}
_HIDDEN = {"from", "to"}


@dataclass(frozen=True)
class Cell:
    """A cell as text, whether a later log may change it, and what stands small beside it."""

    text: str
    provisional: bool = False
    beside: str = ""


@dataclass(frozen=True)
class Part:
    """The rows of a table about one segment or channel; both are empty where the table has none.

    Attributes
    ----------
    segment : str, its name
    told_apart : str, what the rows are told apart by, for the reader
    """

    segment: str
    told_apart: str
    heads: list[Indicator]
    rows: list[list[Cell]]
    left_out: int


@dataclass(frozen=True)
class Tile:
    """A number of the last closed period, what it was a period before."""

    value: str
    name: str
    before: str


def report_page(report: EconomicsReport) -> str:
    """Return the page, in the chosen language (`features.language`).

    Examples
    --------
    >>> from features.economics.tables import Terms
    >>> page = report_page(EconomicsReport(Terms(90, "month", "gregorian", "1997-01-01", "1998-06-30"), ()))
    >>> page.startswith("<!DOCTYPE html>"), len(page) < 6_000_000
    (True, True)
    """
    environment = Environment(
        loader=PackageLoader("serving.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(translated=translated, translated_in=translated_in)
    drawn = pictures(report)
    return environment.get_template("report.html").render(
        language=current_language(),
        direction=text_direction(),
        report=report,
        terms=report.terms,
        covers=_covers(report.terms),
        tiles=tiles_of(report),
        parts=partial(_parts, calendar=report.terms.calendar),
        pictures=drawn,
        definitions=_definitions(report),
        script=get_plotlyjs() if drawn else "",
    )


def _covers(terms: Terms) -> list[str]:
    """Say in sentences what every number of the report depends on."""
    period = {
        "week": translated("by week"),
        "month": translated("by month"),
        "quarter": translated("by quarter"),
        "year": translated("by year"),
    }[terms.period]
    calendar = {
        "gregorian": translated("Gregorian calendar"),
        "jalali": translated("Jalali calendar"),
    }[terms.calendar]
    said = [
        translated(
            "Orders of {first:date} to {last:date}, {period} ({calendar}).",
            first=terms.first_day,
            last=terms.last_day,
            period=period,
            calendar=calendar,
        ),
        terms.activity(),
    ]
    if terms.segment:
        said.append(translated("Customers are told apart by {segment}.", segment=terms.segment))
    if terms.money_unit:
        said.append(translated("Money is in {unit}.", unit=currency(terms.money_unit)))
    if terms.real_money_of:
        said.append(translated("Money is at the prices of {month:label}.", month=terms.real_money_of))
    if terms.margin:
        said.append(translated("Margins: {source}.", source=terms.margin))
    return [*said, translated("Rows marked * are provisional: a later log may change them.")]


def tiles_of(report: EconomicsReport) -> list[Tile]:
    """Return the last closed period's main numbers, and the period that they are of, by way of its label."""
    tables = {table.name: table.rows for table in report.tables}
    if not {"customer_base", "sales"} <= tables.keys():
        return []
    merged = tables["customer_base"].merge(
        tables["sales"], on=["segment", "period", "from", "to", "provisional"]
    )
    closed = merged[(merged["segment"] == EVERYONE) & ~merged["provisional"]]
    if closed.empty:
        return []
    last = closed.iloc[-1]
    before = closed.iloc[-2] if len(closed) > 1 else last
    period = last["period"]
    shown = {
        "end": translated("customers active at the end of {period:label}", period=period),
        "churn_rate": translated("of those active at the start of {period:label} were lost", period=period),
        "net_revenue": translated("net revenue of {period:label}", period=period),
        "sales_per_customer": translated("net revenue per buyer of {period:label}", period=period),
        "repeat_rate": translated("of the buyers of {period:label} had bought on another day", period=period),
    }
    return [
        Tile(INDICATORS[name].shown(last[name]), meaning, INDICATORS[name].shown(before[name]))
        for name, meaning in shown.items()
    ]


def _parts(table: Table, calendar: str) -> Iterator[Part]:
    """Cut a table by segments or, where its rows are by channel and period, by channels; everybody first."""
    rows = table.rows
    if "segment" in rows:
        column, told_apart = "segment", translated("By segment")
    elif {"channel", "period"} <= set(rows):
        column, told_apart = "channel", translated("By channel")
    else:
        yield _part(table, rows, calendar)
        return
    for name in list(dict.fromkeys(rows[column]))[:_SHOWN_SEGMENTS]:
        own = rows[rows[column] == name].drop(columns=column)
        yield _part(table, own, calendar, INDICATORS[column].shown(name), told_apart)


def _part(table: Table, rows: pd.DataFrame, calendar: str, segment: str = "", told_apart: str = "") -> Part:
    hidden = _MARKS | set(table.provisional.values()) | _HIDDEN
    heads = [
        each
        for each in table.columns
        if each.name not in hidden and each.name in rows and rows[each.name].notna().any()
    ]
    shown = rows.head(SHOWN_CUSTOMERS) if table.personal else rows.tail(SHOWN_ROWS)
    cells = [[_cell(row, head, table, calendar) for head in heads] for _, row in shown.iterrows()]
    return Part(segment, told_apart, heads, cells, len(rows) - len(shown))


def _cell(row: pd.Series, head: Indicator, table: Table, calendar: str) -> Cell:
    mark = table.provisional.get(head.name)
    unit = INDICATORS[row["indicator"]] if head.unit == "that of the indicator" else head
    return Cell(
        _text(row[head.name], unit),
        bool(mark and row[mark]) or bool(row.get("provisional", False)),
        first_day_beside(row, calendar) if head.name == "period" else "",
    )


def _text(value: Any, head: Indicator) -> str:
    if head.name == "indicator" and value in INDICATORS:
        return INDICATORS[value].title
    return head.shown(value)


def first_day_beside(row: pd.Series, calendar: str) -> str:
    """Return a period's first day in the calendar that its label is not of, where readers may use both; else nothing.

    Examples
    --------
    >>> from features.language import use_language
    >>> with use_language("fa"):
    ...     first_day_beside(pd.Series({"from": "2024-05-01"}), "gregorian")
    'از ۱۴۰۳/۰۲/۱۲'
    """
    if "from" not in row or (calendar == "gregorian" and current_language() != "fa"):
        return ""
    other = written_date(day_of(row["from"]), "jalali" if calendar == "gregorian" else "gregorian")
    return translated("from {day:label}", day=other)


def _definitions(report: EconomicsReport) -> list[Indicator]:
    """Return what the page's columns mean, each once."""
    found = {each.name: each for table in report.tables for each in table.columns}
    return [each for name, each in found.items() if name not in _HIDDEN]
