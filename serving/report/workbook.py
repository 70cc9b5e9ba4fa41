"""The report as an Excel workbook: a sheet for each table, formatted by units, and one of definitions."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from features.economics.indicator import Indicator
from features.economics.periods import written_date
from features.economics.tables import EconomicsReport
from features.language import ENGLISH, current_language, day_of, text_direction, translated, written
from serving.lists.excel_book import excel_book
from serving.lists.team_workbook import DIGITS

_FORMATS = {
    "share": "0.0%",
    "money": "#,##0.00",
    "number": "#,##0.00",
    "that of the indicator": "#,##0.00",
    "date": "yyyy-mm-dd",
}
_WHOLE = "#,##0"
_TEXTS = {"text", "period", "yes or no"}
_FIRST_EXCEL_YEAR = 1900
_NARROWEST, _WIDEST = 10, 60
_LONGEST_NAME = 31  # of a sheet

DEFINITIONS = (
    Indicator("table", "text", "A sheet."),
    Indicator("column", "text", "A column of its CSV file."),
    Indicator("title", "text", "The column in this workbook."),
    Indicator("unit", "text", "What it counts."),
    Indicator("meaning", "text", "What it means."),
    Indicator("formula", "text", "How it is computed."),
)
JALALI = Indicator("jalali", "text", "The same day in the Jalali calendar.")


def write_workbook(report: EconomicsReport, path: Path) -> None:
    """Write every table of a report that has rows to a sheet of its own, and the meaning of the columns to the last.

    Numbers are numbers in every sheet: shares as percentages, dates as dates; texts are never formulas or links.
    Sheets, titles and words are in the chosen language; in Persian a column of Jalali dates follows each of dates.
    """
    sheets = {table.name: _sheet_name(table.name, table.title) for table in report.tables}
    definitions = report.definitions()
    definitions["table"] = definitions["table"].map(sheets)
    with excel_book(path, nan_inf_to_errors=True) as book:
        for table in report.tables:
            if len(table.rows):
                _fill(book, sheets[table.name], table.columns, table.rows)
        _fill(book, _sheet_name("definitions", translated("Definitions")), DEFINITIONS, definitions)


def _sheet_name(name: str, title: str) -> str:
    """Return a sheet's name: in English that of the CSV file, else the title as far as Excel takes it."""
    if current_language() == ENGLISH:
        return name[:_LONGEST_NAME]
    return re.sub(r"[\[\]:*?/\\']", " ", title)[:_LONGEST_NAME].strip()


def _fill(book: Any, name: str, heads: Sequence[Indicator], rows: pd.DataFrame) -> None:
    """Add a sheet: the heads frozen, with their meaning as comments of the cells, and a filter."""
    sheet = book.add_worksheet(name)
    if text_direction() == "rtl":
        sheet.right_to_left()
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
    columns = list(_columns(heads, rows))
    for place, (head, cells) in enumerate(columns):
        sheet.write_string(0, place, head.title, bold)
        sheet.write_comment(0, place, head.explanation, {"x_scale": 2})
        digits = DIGITS.get(current_language(), "")
        form = book.add_format({"num_format": digits + _FORMATS.get(head.unit, _WHOLE)})
        for row, cell in enumerate(cells, 1):
            _write(sheet, row, place, cell, head, form)
        sheet.set_column(place, place, _width(head, cells))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(columns) - 1)


def _columns(heads: Sequence[Indicator], rows: pd.DataFrame) -> Iterator[tuple[Indicator, list[Any]]]:
    """Yield the columns of a sheet."""
    for head in heads:
        cells = rows[head.name].tolist()
        yield head, cells
        if head.unit == "date" and current_language() == "fa":
            yield (
                JALALI,
                [
                    written(written_date(day_of(cell), "jalali"), "label") if pd.notna(cell) else None
                    for cell in cells
                ],
            )


def _write(sheet: Any, row: int, place: int, cell: Any, head: Indicator, form: Any) -> None:
    """Write a cell; a missing one stays empty, for it is not 0."""
    if cell is None or cell is pd.NA or cell != cell:
        return
    if isinstance(cell, date) and cell.year >= _FIRST_EXCEL_YEAR:
        sheet.write_datetime(row, place, cell, form)
    elif head.unit in _TEXTS or head.unit == "date" or math.isinf(cell):
        sheet.write_string(row, place, head.shown(cell))
    else:
        sheet.write_number(row, place, cell, form)


def _width(head: Indicator, cells: list[Any]) -> int:
    longest = max((len(str(cell)) for cell in cells), default=0) if head.unit in _TEXTS else 0
    words = max(map(len, head.title.split()))
    return min(max(_NARROWEST, words + 2, longest + 2), _WIDEST)
