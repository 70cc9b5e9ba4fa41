"""The report's workbook: what a spreadsheet reads back is what the tables say."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from features.economics.tables import EconomicsReport, Section, Table, Terms
from serving.report.workbook import write_workbook

ROWS = pd.DataFrame(
    {
        "segment": ["all", "=1+1"],
        "period": ["2024-01", "2024-01"],
        "from": [date(2024, 1, 1)] * 2,
        "provisional": [False, True],
        "start": [1_200, 7],
        "churn_rate": [0.25, float("nan")],
        "net_revenue": [1_234.5, -3.0],
    }
)


@pytest.fixture
def book(tmp_path: Path) -> openpyxl.Workbook:
    terms = Terms(90, "month", "gregorian", "2024-01-01", "2024-06-30")
    tables = (Table("customer_base", "The customer base", ROWS), Table("sales", "Sales", ROWS.head(0)))
    write_workbook(
        EconomicsReport(terms, (Section("indicators", "Indicators", tables),)), tmp_path / "report.xlsx"
    )
    return openpyxl.load_workbook(tmp_path / "report.xlsx")


def test_each_table_with_rows_is_a_sheet_and_the_last_one_defines_the_columns(
    book: openpyxl.Workbook,
) -> None:
    assert book.sheetnames == ["customer_base", "definitions"]

    defined = [row[1].value for row in book["definitions"].iter_rows(min_row=2)]
    assert set(ROWS.columns) <= set(defined)


def test_cells_are_read_back_as_what_they_are(book: openpyxl.Workbook) -> None:
    first, second = ([cell.value for cell in row] for row in book["customer_base"].iter_rows(min_row=2))

    assert first == ["all", "2024-01", datetime(2024, 1, 1), "no", 1_200, 0.25, 1_234.5]
    assert second == ["=1+1", "2024-01", datetime(2024, 1, 1), "yes", 7, None, -3]
    assert book["customer_base"]["A3"].data_type == "s"  # text, no formula


def test_numbers_are_shown_by_their_unit_and_heads_say_what_they_mean(book: openpyxl.Workbook) -> None:
    sheet = book["customer_base"]

    assert [sheet.cell(2, place).number_format for place in (3, 5, 6, 7)] == [
        "yyyy-mm-dd",
        "#,##0",
        "0.0%",
        "#,##0.00",
    ]
    assert "lost" in sheet["F1"].comment.text
    assert sheet.freeze_panes == "B2"
