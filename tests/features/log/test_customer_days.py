"""Customers as numbers, the blocks that they are looked at in, and a sample of them that every engine draws alike."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, strategies as st

from features.engines.duckdb import DuckDBEngine
from features.engines.spark_log import USED, drawn_sql
from features.log.checks import check
from features.log.customer_days import _are_in_turn, customer_blocks, customer_days, drawn_rows, encoded, kept
from features.log.identity import encoded_ids, read_ids
from features.log.settings import Columns, LogRules
from features.log.validation import validate, with_encoded_ids

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


def test_ids_of_more_text_than_one_array_can_hold_are_read() -> None:
    long = pa.array(["x" * (100 << 20)])

    ids = encoded(pa.chunked_array([long, pa.array(["y"])] + [long] * 21))

    assert ids.indices.to_pylist() == [0, 1] + [0] * 21


def test_categories_of_several_parts_are_one_numbering_without_those_of_nobody() -> None:
    parts = [pa.array(names).dictionary_encode() for names in (["b", "a", "b"], ["c", "a"])]

    ids = encoded(pa.chunked_array([parts[0].slice(1), parts[1]]))

    assert ids.to_pylist() == ["a", "b", "c", "a"]
    assert ids.dictionary.to_pylist() == ["a", "b", "c"]


@given(st.lists(st.integers(0, 6) | st.none()), st.integers(1, 4))
def test_texts_are_numbered_as_they_come_and_a_look_at_the_numbers_tells_it(
    numbers: list[int | None], block: int
) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array(numbers, pa.int32()), [str(each) for each in range(7)])
    found: list[int] = []
    for number in numbers:
        if number is not None and number not in found:
            found.append(number)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("features.log.customer_days._BLOCK_ROWS", block)
        ordered = encoded(pa.chunked_array([texts]))
        again = encoded(pa.chunked_array([ordered]))
        assert _are_in_turn(ordered)
        assert _are_in_turn(texts) == (ordered.dictionary.equals(texts.dictionary))

    assert ordered.dictionary.to_pylist() == [str(each) for each in found]
    assert ordered.to_pylist() == texts.to_pylist()
    assert again.equals(ordered)


def test_blocks_hold_each_row_once_and_each_customer_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.log.customer_days._BLOCK_ROWS", 10)
    customers = np.random.default_rng(0).integers(0, 30, 200).astype(np.int32)

    blocks = list(customer_blocks(customers))

    assert len(blocks) > 5
    assert np.sort(np.concatenate(blocks)).tolist() == list(range(200))
    holders = [set(customers[rows].tolist()) for rows in blocks]
    assert sum(map(len, holders)) == len(set.union(*holders))


def test_distinct_days_are_those_of_a_set_of_pairs() -> None:
    draw = np.random.default_rng(0)
    customers, days = draw.integers(0, 9, 300).astype(np.int32), draw.integers(-40, 40, 300).astype(np.int32)

    found = customer_days(customers, days)

    pairs = list(zip(found.customers.tolist(), found.days.tolist(), strict=True))
    assert pairs == sorted(set(zip(customers.tolist(), days.tolist(), strict=True)))


def test_a_log_is_read_and_checked_the_same_in_blocks_of_whatever_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draw = np.random.default_rng(0)
    days = (np.datetime64("2024-01-01") + draw.integers(0, 300, 800)).astype(str)
    raw = pa.table(
        {
            "customer_id": [f"C{number}" for number in draw.integers(0, 60, 800)],
            "ordered_at": days.tolist(),
            "amount": np.round(draw.normal(0, 4, 800), 3),  # parts of a cent, and refunds of nothing
        }
    )
    raw = pa.concat_tables([raw, raw.slice(0, 40)])
    whole = validate(raw)
    said = [finding.message for finding in check(whole, LogRules())]

    monkeypatch.setattr("features.log.customer_days._BLOCK_ROWS", 50)
    monkeypatch.setattr("features.log.amounts._BLOCK_ROWS", 50)
    log = validate(with_encoded_ids(raw, LogRules(), Columns()))

    assert log.table.to_pydict() == whole.table.to_pydict()
    assert log.report == whole.report
    assert log.report.identical_rows >= 40
    assert [finding.message for finding in check(log, LogRules())] == said
    assert any("negative" in message for message in said)
