"""The report as an Excel workbook: a sheet for each table, formatted by units, and one of definitions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import xlsxwriter

from features.economics.indicator import Indicator
from features.economics.tables import EconomicsReport

_FORMATS = {"share": "0.0%", "money": "#,##0.00", "number": "#,##0.00", "date": "yyyy-mm-dd"}
_WHOLE = "#,##0"
_TEXTS = {"text", "yes or no"}
_FIRST_EXCEL_YEAR = 1900
_NARROWEST, _WIDEST = 10, 60
_LONGEST_NAME = 31  # of a sheet

DEFINITIONS = tuple(
    Indicator(name, "text", meaning)
    for name, meaning in (
        ("table", "A sheet."),
        ("column", "A column of it."),
        ("unit", "What it counts."),
        ("meaning", "What it means."),
        ("formula", "How it is computed."),
    )
)


def write_workbook(report: EconomicsReport, path: Path) -> None:
    """Write every table of a report that has rows to a sheet of its own, and the meaning of the columns to the last.

    Numbers are numbers in every sheet: shares as percentages, dates as dates; texts are never formulas or links.
    """
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(path, options) as book:
        for table in report.tables:
            if len(table.rows):
                _fill(book, table.name, table.columns, table.rows)
        _fill(book, "definitions", DEFINITIONS, report.definitions())


def _fill(book: Any, name: str, heads: Sequence[Indicator], rows: pd.DataFrame) -> None:
    """Add a sheet: the heads frozen, with their meaning as comments of the cells, and a filter."""
    sheet = book.add_worksheet(name[:_LONGEST_NAME])
    bold = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"})
    for place, head in enumerate(heads):
        sheet.write_string(0, place, head.name.replace("_", " "), bold)
        if head.meaning:
            sheet.write_comment(0, place, f"{head.meaning} {head.formula}".strip(), {"x_scale": 2})
        cells = rows[head.name].tolist()
        form = book.add_format({"num_format": _FORMATS.get(head.unit, _WHOLE)})
        for row, cell in enumerate(cells, 1):
            _write(sheet, row, place, cell, head.unit, form)
        sheet.set_column(place, place, _width(head.name, head.unit, cells))
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, len(rows), len(heads) - 1)


def _write(sheet: Any, row: int, place: int, cell: Any, unit: str, form: Any) -> None:
    """Write a cell; a missing one stays empty, for it is not 0."""
    if cell is None or cell is pd.NA or cell != cell:
        return
    if isinstance(cell, date) and cell.year >= _FIRST_EXCEL_YEAR:
        sheet.write_datetime(row, place, cell, form)
    elif unit in _TEXTS or unit == "date" or math.isinf(cell):
        sheet.write_string(row, place, ("yes" if cell else "no") if unit == "yes or no" else str(cell))
    else:
        sheet.write_number(row, place, cell, form)


def _width(name: str, unit: str, cells: list[Any]) -> int:
    longest = max((len(str(cell)) for cell in cells), default=0) if unit in _TEXTS else 0
    words = max(map(len, name.split("_")))
    return min(max(_NARROWEST, words + 2, longest + 2), _WIDEST)
