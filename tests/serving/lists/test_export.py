"""Lists that people open: the same ids, texts and numbers in CSV, Parquet and Excel, and read back."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest

from features.economics.money import MoneyUnit
from features.errors import OutputError, StayworthError
from features.log.sources import read_table
from serving.lists import export
from serving.lists.export import write_table
from serving.lists.team_list import ListTerms
from serving.lists.written_list import write_list
from training.campaign.settings import ListColumns

IDS = ["0042", "-17", "=1+1", "آرش", 'a,"b"', "line\nbreak", "'=x", "  inner  space", "@home", "_x000D_"]


@pytest.fixture
def scores() -> pd.DataFrame:
    """Ten customers whose ids are hard on files; the last one has no next purchase date."""
    return pd.DataFrame(
        {
            "customer_id": IDS,
            "snapshot_date": [date(1998, 7, 1)] * 10,
            "churn_probability": [0.1 + 0.2, *[0.5] * 9],
            "value_at_risk": [-3.25, *[float(rank) for rank in range(9)]],
            "next_purchase_date": [*[date(1998, 8, 2)] * 9, None],
            "reasons": [["last order 94 days ago", "=2+2"]] * 10,
        }
    )


@pytest.mark.parametrize("extension", [".csv", ".parquet", ".xlsx"])
def test_ids_survive_the_round_trip_to_the_letter(
    scores: pd.DataFrame, tmp_path: Path, extension: str
) -> None:
    write_table(scores, tmp_path / f"list{extension}")

    assert list(read_table(tmp_path / f"list{extension}")["customer_id"]) == IDS


@pytest.mark.parametrize("extension", [".csv", ".parquet", ".xlsx"])
def test_numbers_survive_the_round_trip_to_the_last_digit(
    scores: pd.DataFrame, tmp_path: Path, extension: str
) -> None:
    write_table(scores, tmp_path / f"list{extension}")

    back = read_table(tmp_path / f"list{extension}")
    assert [float(cell) for cell in back["value_at_risk"]] == list(scores["value_at_risk"])
    if extension != ".xlsx":  # Excel keeps 16 digits: .30000000000000004 has 17
        assert float(back["churn_probability"].iloc[0]) == 0.1 + 0.2


def test_excel_marks_utf8_for_excel_and_reads_back_the_same(scores: pd.DataFrame, tmp_path: Path) -> None:
    write_table(scores, tmp_path / "list.csv", excel=True)

    assert (tmp_path / "list.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(read_table(tmp_path / "list.csv")["customer_id"]) == IDS


def test_a_workbook_holds_text_numbers_and_dates_and_no_formula(scores: pd.DataFrame, tmp_path: Path) -> None:
    write_table(scores, tmp_path / "list.xlsx")

    sheet = openpyxl.load_workbook(tmp_path / "list.xlsx").active
    assert sheet is not None
    assert sheet.freeze_panes == "A2"
    assert [cell.value for cell in sheet[1]] == list(scores.columns)
    first = sheet[2]
    assert [cell.data_type for cell in first] == ["s", "d", "n", "n", "d", "s"]
    assert first[0].value == "0042"
    assert first[1].value.date() == date(1998, 7, 1)
    assert first[3].value == -3.25
    assert first[5].value == "last order 94 days ago; =2+2"
    assert sheet["A4"].data_type == "s"  # "=1+1" is a text
    assert sheet["E11"].value is None


def test_an_empty_list_still_has_its_header(scores: pd.DataFrame, tmp_path: Path) -> None:
    for extension in export.EXTENSIONS:
        write_table(scores.iloc[:0], tmp_path / f"list{extension}")

        back = read_table(tmp_path / f"list{extension}")
        assert list(back.columns) == list(scores.columns)
        assert len(back) == 0


def test_another_extension_is_an_error_that_names_the_three(scores: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"name it .csv, .parquet or .xlsx"):
        write_table(scores, tmp_path / "list.xls")


def test_more_rows_than_a_worksheet_holds_is_an_error_that_suggests_csv(tmp_path: Path) -> None:
    million = pd.DataFrame({"rank": range(1_048_576)})

    with pytest.raises(OutputError, match=r"1,048,576 rows, and a worksheet holds 1,048,575. Write list.csv"):
        write_table(million, tmp_path / "list.xlsx")
    assert os.listdir(tmp_path) == []


def test_a_text_longer_than_a_cell_is_an_error_and_not_cut_short(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"'note' has a text of 32,768 characters"):
        write_table(pd.DataFrame({"note": ["x" * 32_768]}), tmp_path / "list.xlsx")


def test_a_date_before_excels_calendar_is_written_as_text(tmp_path: Path) -> None:
    write_table(pd.DataFrame({"born": [date(1850, 1, 2), date(1950, 1, 2)]}), tmp_path / "list.xlsx")

    assert list(read_table(tmp_path / "list.xlsx")["born"]) == ["1850-01-02", "1950-01-02"]


def test_a_workbook_cut_off_by_the_system_leaves_the_old_one_intact(tmp_path: Path) -> None:
    old = tmp_path / "list.xlsx"
    old.write_text("yesterday")
    program = """
        import resource, sys
        import pandas as pd
        from serving.lists.export import write_table
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        write_table(pd.DataFrame({"x": range(5000)}), sys.argv[1])
    """

    cut = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(old)], capture_output=True, text=True, timeout=60
    )

    assert f"OutputError: Cannot write {old}: " in cut.stderr
    assert old.read_text() == "yesterday"
    assert os.listdir(tmp_path) == ["list.xlsx"]


def test_a_table_from_another_program_is_read_whatever_its_separator(tmp_path: Path) -> None:
    path = tmp_path / "crm.csv"
    path.write_bytes("\ufeffcustomer_id;name;balance\n0042;NA;-5,20\n17;;\n".encode())

    table = read_table(path)

    assert table.to_dict("list") == {
        "customer_id": ["0042", "17"],
        "name": ["NA", ""],
        "balance": ["-5,20", ""],
    }


def test_a_number_typed_as_an_id_in_excel_keeps_its_digits(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["customer_id", "since"], [17, date(2020, 1, 31)], [18.0, None]):
        book.active.append(row)
    book.save(tmp_path / "crm.xlsx")

    table = read_table(tmp_path / "crm.xlsx")

    assert table.to_dict("list") == {"customer_id": ["17", "18"], "since": ["2020-01-31", ""]}


def test_a_table_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes("customer_id,name\n17,Müller\n".encode("latin-1"))
    (tmp_path / "not.xlsx").write_text("customer_id\n17\n")
    (tmp_path / "not.parquet").write_text("customer_id\n17\n")
    (tmp_path / "list.doc").write_text("customer_id\n17\n")
    (tmp_path / "empty.csv").write_text("")

    for name, reason in {
        "latin.csv": "line 2: not UTF-8",
        "not.xlsx": "cannot be read: File is not a zip file",
        "not.parquet": "it is text. If it is a table, rename it to not.csv",
        "list.doc": "of no kind that can be read",
        "empty.csv": "is empty",
        "missing.csv": "There is no file",
    }.items():
        with pytest.raises(StayworthError, match=rf"(?s){name}.*{reason}|{reason}.*{name}"):
            read_table(tmp_path / name)


@pytest.mark.parametrize("kind", ["all", "team"])
def test_a_full_disk_is_said_of_a_workbook_and_nothing_is_left(
    small_disk: Path, scored_list: Callable[..., pd.DataFrame], kind: ListColumns
) -> None:
    old = small_disk / "list.xlsx"
    old.write_text("yesterday")
    draw = np.random.default_rng(0)
    rows = scored_list([f"{each:x}" for each in draw.integers(1 << 60, size=40_000)])
    terms = ListTerms(MoneyUnit("EUR"), date(1998, 7, 1), 90, "1", ends="window", starts=date(1998, 7, 1))

    with pytest.raises(OutputError, match="the disk is full. Free some space"):
        write_list(rows, old, kind, terms)

    assert old.read_text() == "yesterday"
    assert os.listdir(small_disk) == ["list.xlsx"]
