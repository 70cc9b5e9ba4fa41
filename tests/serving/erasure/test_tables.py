"""Rows of customers are removed from files, and what stays is left as it was."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import StayworthError
from features.table_files import write_csv
from serving.erasure.tables import Found, NoIdColumn, erase_rows
from serving.lists.export import write_table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_other_lines_of_a_csv_stay_to_the_byte(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "orders.csv"
    kept = 'sep=;\r\nKunde;"Bemerkung"\r\n018;"zwei\r\nZeilen; 17"\r\n"17.0";x\r\n'
    path.write_bytes((kept + '17;"zwei\r\nZeilen"\r\n 17 ;y\r\n').encode(encoding))
    path.chmod(0o640)

    found = erase_rows(path, ["17"], "Kunde")

    assert found == Found(rows=2, similar=1)
    assert path.read_bytes().decode(encoding) == kept
    assert path.stat().st_mode & 0o777 == 0o640


def test_our_own_lists_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = pd.DataFrame({"customer_id": ["=1+1", "0042", "42", "a,b"], "value_at_risk": [1.5, 0.1, 2.0, 3.0]})
    paths = [tmp_path / f"scored{suffix}" for suffix in (".csv", ".parquet", ".xlsx")]
    for path in paths:
        write_table(rows, path)

    found = {path.suffix: erase_rows(path, ["=1+1", "0042", "a,b"], "customer_id") for path in paths}

    assert set(found.values()) == {Found(rows=3, similar=1)}  # 42 may be 0042 without its zeros
    assert paths[0].read_text() == '"customer_id","value_at_risk"\n"42",2\n'
    assert pq.read_table(paths[1]).to_pylist() == [{"customer_id": "42", "value_at_risk": 2.0}]
    (sheet,) = openpyxl.load_workbook(paths[2]).worksheets
    assert list(sheet.values) == [("customer_id", "value_at_risk"), ("42", 2)]


def test_ids_that_became_numbers_are_found_in_parquet_and_excel(tmp_path: Path) -> None:
    pq.write_table(pa.table({"customer_id": [17.0, 18.0, None]}), tmp_path / "log.parquet")
    book = openpyxl.Workbook()
    for row in (["customer_id"], [17], [18.0]):
        book.active.append(row)
    book.save(tmp_path / "log.xlsx")

    parquet, excel = (
        erase_rows(tmp_path / f"log.{kind}", ["17"], "customer_id") for kind in ("parquet", "xlsx")
    )

    assert parquet.rows == excel.rows == 1
    assert pq.read_table(tmp_path / "log.parquet")["customer_id"].to_pylist() == [18.0, None]


def test_a_file_without_the_customers_is_not_touched(tmp_path: Path) -> None:
    write_csv(pa.table({"customer_id": ["17", "18"]}), tmp_path / "list.csv")
    before = (tmp_path / "list.csv").stat()

    nobody = erase_rows(tmp_path / "list.csv", ["19"], "customer_id")
    counted = erase_rows(tmp_path / "list.csv", ["17"], "customer_id", keep=True)

    assert (nobody.rows, counted.rows) == (0, 1)
    assert (tmp_path / "list.csv").stat().st_ino == before.st_ino


def test_a_table_without_ids_names_its_columns_and_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.csv").write_text("Customer ID,amount\n17,5\n")
    (tmp_path / "log.csv.gz").write_bytes(b"")

    with pytest.raises(
        NoIdColumn, match=r"has no column 'customer_id'; it has Customer ID, amount. .*'Customer ID'"
    ):
        erase_rows(tmp_path / "log.csv", ["17"], "customer_id")
    with pytest.raises(StayworthError, match=r"log.csv.gz: rows can be removed from .csv"):
        erase_rows(tmp_path / "log.csv.gz", ["17"], "customer_id")
