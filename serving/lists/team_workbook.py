"""A list for readers as an Excel workbook: formats, widths, wrapped reasons, a legend, and pages of A4."""

from __future__ import annotations

import math
import os
from typing import Any

from features.errors import OutputError
from features.files import atomic_path
from features.language import current_language, text_direction, translated
from serving.lists.excel_book import excel_book
from serving.lists.export import EXCEL_CELL, EXCEL_ROWS
from serving.lists.team_list import TeamColumn, TeamList

DIGITS = {"fa": "[$-3000429]"}
"""Prefix of a number format, by language: Excel then shows a number in the digits of the language."""

_A4 = 9  # Excel's number of the paper
_FORMATS = {"percent": "0%", "money": "#,##0.00", "date": "yyyy-mm-dd", "text": "@", "long text": "@"}
_WIDTHS = {"percent": (9, 9), "money": (14, 20), "date": (12, 12), "text": (10, 30), "long text": (50, 50)}
"""Least and most width by kind, in characters."""


def write_team_workbook(made: TeamList, path: str | os.PathLike[str]) -> None:
    """Write a list, with a sheet that says what its columns mean; whole or not at all, a new one with mode 0600.

    Texts are texts: none is run as a formula or a link. In a language from right to left, so is the sheet.

    Raises
    ------
    OutputError
        If the list has more rows than a worksheet, a text more letters than a cell, or the file cannot be written.
    """
    _require_fit(made, path)
    # constant_memory: each row goes to the disk before the next, so a long list needs no memory.
    with atomic_path(path, private=True) as beside, excel_book(beside, constant_memory=True) as book:
        _fill_list(book, made)
        _fill_legend(book, made)


def _fill_list(book: Any, made: TeamList) -> None:
    sheet = book.add_worksheet(translated("List"))
    heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    forms = [book.add_format(_format(column)) for column in made.columns]
    for place, column in enumerate(made.columns):
        sheet.set_column(place, place, _width(column))
        sheet.write_string(0, place, column.title, heading)
    for row, cells in enumerate(zip(*(column.cells for column in made.columns), strict=True), 1):
        for place, (cell, column, form) in enumerate(zip(cells, made.columns, forms, strict=True)):
            _write(sheet, row, place, cell, column, form)
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, made.rows, len(made.columns) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
    _for_print(sheet, made.terms.in_words())
    sheet.repeat_rows(0)


def _format(column: TeamColumn) -> dict[str, Any]:
    digits = DIGITS.get(current_language(), "") if column.kind in ("percent", "money") else ""
    wrapped = column.kind in ("text", "long text")
    return {"num_format": digits + _FORMATS[column.kind], "valign": "top", "text_wrap": wrapped}


def _write(sheet: Any, row: int, place: int, cell: Any, column: TeamColumn, form: Any) -> None:
    if cell is None:
        sheet.write_blank(row, place, None, form)
    elif column.kind == "date":
        sheet.write_datetime(row, place, cell, form)
    elif isinstance(cell, float) and math.isfinite(cell):
        sheet.write_number(row, place, cell, form)
    else:
        sheet.write_string(row, place, str(cell), form)


def _fill_legend(book: Any, made: TeamList) -> None:
    sheet = book.add_worksheet(translated("Legend"))
    bold = book.add_format({"bold": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 90)
    rows = [(column.title, column.meaning) for column in made.columns]
    rows.append(
        (
            translated("Customers"),
            " ".join(
                [
                    translated("{n:customer|customers} on the list.", n=made.rows),
                    made.terms.in_words(),
                    made.terms.order_in_words(),
                ]
            ).strip(),
        )
    )
    for row, (title, meaning) in enumerate(rows):
        sheet.write_string(row, 0, title, bold)
        sheet.write_string(row, 1, meaning, wrapped)
    _for_print(sheet, "")


def _for_print(sheet: Any, title: str) -> None:
    """Set pages of A4 across, as wide as the sheet, with the title above and the page's number below."""
    if text_direction() == "rtl":
        sheet.right_to_left()
    sheet.set_paper(_A4)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    if title:
        sheet.set_header(f"&L{title.replace('&', '&&')[:200]}")
    sheet.set_footer("&C&P / &N")


def _width(column: TeamColumn) -> int:
    least, most = _WIDTHS[column.kind]
    longest = max((len(str(cell)) for cell in column.cells[:500] if cell is not None), default=0)
    words = max(map(len, column.title.split()))
    return min(
        max(least, words + 3, longest + 2 if column.kind in ("text", "money") else 0), max(most, words + 3)
    )


def _require_fit(made: TeamList, path: str | os.PathLike[str]) -> None:
    if made.rows >= EXCEL_ROWS:
        raise OutputError(
            translated(
                "Cannot write {path}: {rows:row|rows}, and a worksheet holds {value:,}. Take fewer, or "
                "write a .csv.",
                path=path,
                rows=made.rows,
                value=EXCEL_ROWS - 1,
            )
        )
    longest = max(
        (len(cell) for each in made.columns for cell in each.cells if isinstance(cell, str)), default=0
    )
    if longest > EXCEL_CELL:
        raise OutputError(
            translated(
                "Cannot write {path}: it has a text of {longest:,} characters, an Excel cell holds "
                "{excel_cell:,}. Write a .csv.",
                path=path,
                longest=longest,
                excel_cell=EXCEL_CELL,
            )
        )
