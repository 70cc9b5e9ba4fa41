"""The report as one HTML page, which opens offline: styles, tables, and plotly's script for its pictures inside.

The text is in ``templates/report.html``; this module gathers what it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from plotly.offline import get_plotlyjs

from features.economics.indicator import Indicator
from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport, Table
from serving.report.pictures import pictures
from training.report.formats import money, number, share

SHOWN_ROWS = 24
"""Rows of a table that the page shows, the newest; its CSV file has all."""

_SHOWN_SEGMENTS = 12
_MARKS = {"provisional"}
_HIDDEN = {"from", "to"}


@dataclass(frozen=True)
class Cell:
    """A cell as text, and whether a later log may change it."""

    text: str
    provisional: bool = False


@dataclass(frozen=True)
class Part:
    """The rows of a table about one segment; the segment is empty where the table has none."""

    segment: str
    heads: list[Indicator]
    rows: list[list[Cell]]
    left_out: int


@dataclass(frozen=True)
class Tile:
    """A number of the last closed period, and what it was a period before."""

    value: str
    name: str
    before: str


def report_page(report: EconomicsReport) -> str:
    """Return the page.

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
    drawn = pictures(report)
    return environment.get_template("report.html").render(
        report=report,
        terms=report.terms,
        tiles=_tiles(report),
        parts=_parts,
        pictures=drawn,
        definitions=_definitions(report),
        script=get_plotlyjs() if drawn else "",
    )


def _tiles(report: EconomicsReport) -> list[Tile]:
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
    shown = (
        ("end", "customers", "customers active at its end"),
        ("churn_rate", "share", "of those active at its start were lost"),
        ("net_revenue", "money", "net revenue"),
        ("sales_per_customer", "money", "net revenue per buyer"),
        ("repeat_rate", "share", "of its buyers had bought on another day"),
    )
    return [
        Tile(_text(last[name], unit), f"{meaning}, {last['period']}", _text(before[name], unit))
        for name, unit, meaning in shown
    ]


def _parts(table: Table) -> Iterator[Part]:
    """Cut a table by segments, everybody first."""
    rows = table.rows
    if "segment" not in rows:
        yield _part(table, "", rows)
        return
    for segment in list(dict.fromkeys(rows["segment"]))[:_SHOWN_SEGMENTS]:
        yield _part(table, str(segment), rows[rows["segment"] == segment])


def _part(table: Table, segment: str, rows: pd.DataFrame) -> Part:
    marks = _MARKS | set(table.provisional.values())
    heads = [
        each
        for each in table.columns
        if each.name not in marks | _HIDDEN | {"segment"} and rows[each.name].notna().any()
    ]
    shown = rows.tail(SHOWN_ROWS)
    cells = [[_cell(row, head, table) for head in heads] for _, row in shown.iterrows()]
    return Part(segment, heads, cells, len(rows) - len(shown))


def _cell(row: pd.Series, head: Indicator, table: Table) -> Cell:
    mark = table.provisional.get(head.name)
    return Cell(
        _text(row[head.name], head.unit), bool(mark and row[mark]) or bool(row.get("provisional", False))
    )


def _text(value: Any, unit: str) -> str:
    """Write a value as people read its unit; a missing one is empty, for it is not 0."""
    if value is None or value is pd.NA or value != value:
        return ""
    match unit:
        case "share":
            return share(float(value))
        case "money":
            return money(float(value))
        case "yes or no":
            return "yes" if value else "no"
        case "text" | "date":
            return str(value)
    whole = float(value).is_integer()
    return number(float(value), ",.0f" if whole else ",.2f")


def _definitions(report: EconomicsReport) -> list[Indicator]:
    """Return what the page's columns mean, each once."""
    found = {each.name: each for table in report.tables for each in table.columns}
    return [each for name, each in found.items() if name not in _HIDDEN]
