"""Customers as numbers, and a sample of them that every engine draws alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.engines.duckdb import DuckDBEngine
from features.engines.spark_log import USED, drawn_sql
from features.log.customer_days import drawn_rows, encoded, kept
from features.log.identity import encoded_ids, read_ids

IDS = ["0042", "آرش", "a,b", "42", " x", "'q'", "Ω", *(f"C{number:04}" for number in range(500))]


@pytest.mark.parametrize("seed", [0, 1])
def test_a_database_that_knows_md5_draws_the_same_customers(seed: int) -> None:
    orders = pa.table({"customer_id": [*IDS, *IDS[::3]]})
    ids = encoded(orders["customer_id"])

    drawn = drawn_rows(ids, 60, seed)

    assert drawn is not None
    with DuckDBEngine(threads=1) as engine:
        engine.register(USED, orders)
        by_sql = engine.query(drawn_sql(60, seed))["customer_id"].to_pylist()
    assert set(orders["customer_id"].filter(pa.array(drawn)).to_pylist()) == set(by_sql)
    assert len(by_sql) == 60


@pytest.mark.parametrize(
    "cells",
    [
        ["b", "a", "b", None, "c", "a"],
        [" b", "b", "NULL", "", "b ", '="007"', "007"],  # written otherwise, or said not to be there
        [17, 18, None, 17],
        [17.0, None, 18.0],
        [],
    ],
)
def test_ids_are_what_they_are_row_by_row(cells: list[object]) -> None:
    column = (
        pa.chunked_array([pa.array(cells), pa.array(cells)]) if cells else pa.chunked_array([pa.array([""])])
    )

    ids = encoded_ids(column)

    each = read_ids(column)
    assert ids.cast(pa.string()).to_pylist() == each.to_pylist()
    assert ids.dictionary.to_pylist() == pc.drop_null(each.unique()).to_pylist()


def test_rows_that_are_left_are_numbered_as_if_there_were_no_others() -> None:
    texts = pa.chunked_array([["b", "a", "c", "a", "d"]])

    left = kept(encoded(texts), np.array([False, True, True, True, False]))

    assert left.equals(encoded(pa.chunked_array([["a", "c", "a"]])))
