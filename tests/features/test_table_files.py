"""Tables are written whole, exact to the last digit, and no cell of them is run by a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from features.errors import StayworthError
from features.log.sources import read_table
from features.table_files import write_csv, write_parquet, writer_for


@pytest.mark.parametrize("writer", [write_csv, write_parquet])
def test_a_new_table_is_for_its_owner_alone_and_a_replaced_one_keeps_its_mode(
    tmp_path: Path, writer: Callable[..., None]
) -> None:
    table = pa.table({"customer_id": ["17"]})

    writer(table, tmp_path / "new")
    writer(table, tmp_path / "shared")
    (tmp_path / "shared").chmod(0o640)
    writer(table, tmp_path / "shared")

    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("new", "shared")]
    assert modes == [0o600, 0o640]


def test_a_csv_has_guarded_texts_and_names_and_untouched_numbers(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"

    write_csv(pd.DataFrame({"=name": ["=1+1", 'a,"b"\nc'], "amount": [-0.1, 1e-9]}), path)

    with path.open(newline="", encoding="utf-8") as file:
        assert list(csv.reader(file)) == [["'=name", "amount"], ["'=1+1", "-0.1"], ['a,"b"\nc', "1e-9"]]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_a_float_reads_back_to_the_last_digit(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    path = tmp_path_factory.getbasetemp() / "floats.csv"

    write_csv(pd.DataFrame({"value": values}), path)

    assert [float(line) for line in path.read_text().splitlines()[1:]] == values


def test_dates_are_iso_and_lists_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["1998-07-01", None]), "reasons": [["late", "few orders"], []]}
    )

    write_csv(frame, path)

    assert path.read_text().splitlines() == ['"day","reasons"', '1998-07-01,"late; few orders"', ',""']


def test_a_byte_order_mark_is_written_for_excel_only(tmp_path: Path) -> None:
    frame = pd.DataFrame({"name": ["آرش"]})

    write_csv(frame, tmp_path / "plain.csv")
    write_csv(frame, tmp_path / "excel.csv", excel=True)

    assert (tmp_path / "plain.csv").read_bytes() == '"name"\n"آرش"\n'.encode()
    assert (tmp_path / "excel.csv").read_bytes() == b"\xef\xbb\xbf" + '"name"\n"آرش"\n'.encode()


def test_parquet_keeps_lists_and_stores_dates_as_dates(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.to_datetime(["1998-07-01"]), "reasons": [["late", "few orders"]]})

    write_parquet(frame, tmp_path / "list.parquet")

    table = pq.read_table(tmp_path / "list.parquet")
    assert table.schema.field("day").type == pa.date32()
    assert table.column("reasons").to_pylist() == [["late", "few orders"]]


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_tables_one_after_the_other_are_one_file(tmp_path: Path, name: str) -> None:
    table = pa.table({"customer_id": [f"={number}" for number in range(40)], "value": np.arange(40) / 7})
    write = writer_for(name)

    write(table, tmp_path / name)
    write((table.slice(start, 9) for start in range(0, 40, 9)), tmp_path / f"parts-{name}")

    whole, parts = (read_table(tmp_path / each) for each in (name, f"parts-{name}"))
    assert parts.equals(whole)
    assert len(whole) == 40


def test_an_error_while_tables_are_made_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "list.parquet"
    write_parquet(pa.table({"x": [1]}), path)

    def tables() -> Iterator[pa.Table]:
        yield pa.table({"x": [2]})
        raise StayworthError("no more")

    with pytest.raises(StayworthError, match="no more"):
        write_parquet(tables(), path)

    assert read_table(path)["x"].to_list() == [1]
    assert [each.name for each in tmp_path.iterdir()] == ["list.parquet"]


@pytest.mark.parametrize("name", ["list.csv", "list.parquet"])
def test_a_table_is_let_go_while_the_next_is_made(tmp_path: Path, name: str) -> None:
    size, taken = 8 * 200_000, []

    def tables() -> Iterator[pa.Table]:
        for number in range(5):
            taken.append(pa.total_allocated_bytes())
            numbers = np.arange(number, number + 200_000)
            yield pa.table({"number": pa.concat_arrays([pa.array(numbers[:1]), pa.array(numbers[1:])])})

    writer_for(name)(tables(), tmp_path / name)

    assert max(taken) - min(taken) < size
    assert len(read_table(tmp_path / name)) == 1_000_000
