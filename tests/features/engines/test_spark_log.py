"""The log contract on Spark: the rows, the quarantine and the refusals of DuckDB's path."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.datasets import cdnow_sample
from features.engines import spark_log
from features.engines.spark import SparkEngine
from features.engines.spark_log import SparkLog, open_spark_log
from features.errors import LogError, MissingColumnError
from features.log.settings import Columns, LogRules
from features.log.transactions import TransactionLog
from features.log.validation import validate

pytestmark = pytest.mark.spark


@pytest.fixture
def engine(spark) -> Iterator[SparkEngine]:
    with SparkEngine(spark) as engine:
        yield engine


@pytest.fixture
def opened(engine: SparkEngine, tmp_path: Path) -> Callable[..., tuple[TransactionLog, SparkLog]]:
    """Reads the same rows by both paths; on Spark from two files of several row groups."""

    def opened(
        raw: pa.Table, rules: LogRules | None = None, columns: Columns | None = None
    ) -> tuple[Any, Any]:
        folder = tmp_path / "orders"
        folder.mkdir()
        half = raw.num_rows // 2
        for name, rows in (("a", raw.slice(0, half)), ("b", raw.slice(half))):
            pq.write_table(rows, folder / f"{name}.parquet", row_group_size=1_000)
        rules, columns = rules or LogRules(), columns or Columns()
        return validate(raw, rules, columns), open_spark_log(engine, str(folder), rules, columns)

    return opened


def rows_of(table: pa.Table) -> list[str]:
    return sorted(map(str, table.to_pylist()))


def soiled() -> pa.Table:
    """CDNOW's sample as text, with a row for each reason of the quarantine and fields that are read otherwise."""
    orders = cdnow_sample()
    cells = {
        name: [str(each) for each in orders[name].to_pylist()]
        for name in ("customer_id", "ordered_at", "amount")
    }
    rows = orders.num_rows
    cells["currency"] = ["eur"] * rows
    cells["margin"] = [str(number % 7) for number in range(rows)]
    cells["order_id"] = [f"o{number // 2}" for number in range(rows)]
    for name, place, cell in (
        *(("customer_id", 5, None), ("customer_id", 6, " "), ("customer_id", 4_000, "NULL")),
        *(("ordered_at", 10, "31/01/1997"), ("ordered_at", 11, "2999-01-01")),
        *(("amount", 20, "x"), ("amount", 21, "inf"), ("amount", 22, "1e14"), ("amount", 5, "both")),
        *(("currency", 40, "USD"), ("currency", 41, None)),
        ("margin", 5_000, "?"),
    ):
        cells[name][place] = cell  # type: ignore[assignment, call-overload]
    return pa.table({name: pa.array(column, pa.string()) for name, column in cells.items()})


def test_rows_and_quarantine_are_those_of_duckdbs_path(opened) -> None:
    here, there = opened(soiled(), LogRules(currency="EUR"))

    assert there.quarantined == here.quarantine.counts()
    assert sum(there.quarantined.values()) == 10  # of the eleven cells, two are of one row
    assert there.rows_in == there.rows_used + 10 == here.quarantine.rows_in
    assert there.columns == tuple(here.table.column_names)
    assert "margin_cents" not in there.columns  # a cell of it is no number, and nobody asked for it
    assert rows_of(there.engine.query("SELECT * FROM transactions")) == rows_of(here.table)
    assert (there.first_day, there.last_day, there.currency) == (here.first_day, here.last_day, "EUR")
    raw = here.quarantine.table().drop_columns("row_number")
    assert rows_of(there.quarantine().toArrow()) == rows_of(raw)


def test_a_column_that_was_asked_for_sets_rows_aside(opened) -> None:
    columns = Columns(margin_column="margin")

    here, there = opened(soiled(), LogRules(currency="EUR"), columns)

    assert there.quarantined == here.quarantine.counts()
    assert there.quarantined["margin missing or not a finite number"] == 1
    assert rows_of(there.engine.query("SELECT * FROM transactions")) == rows_of(here.table)


def test_a_log_larger_than_the_sample_is_read_whole(opened, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        spark_log, "SAMPLE_ROWS", 500
    )  # of 6,919 rows: the margin that is no number is outside

    here, there = opened(soiled(), LogRules(currency="EUR"))

    assert not there.is_whole
    assert 0 < there.sample.quarantine.rows_in <= 1_000
    assert there.quarantined == here.quarantine.counts()
    assert "margin_cents" not in there.columns
    assert rows_of(there.engine.query("SELECT * FROM transactions")) == rows_of(here.table)


def test_parts_of_a_cent_are_rounded_by_the_sum_of_each_customer(opened) -> None:
    customers = pa.array([f"c{number % 40}" for number in range(2_000)])
    amounts = np.random.default_rng(3).gamma(2.0, 0.8, 2_000)  # as many digits as a double has
    days = pa.array([date(2024, 1, 1 + number % 28) for number in range(2_000)])

    here, there = opened(pa.table({"customer_id": customers, "ordered_at": days, "amount": amounts}))

    assert rows_of(there.engine.query("SELECT * FROM transactions")) == rows_of(here.table)


@pytest.mark.parametrize("kind", [pa.timestamp("us"), pa.timestamp("us", "UTC"), pa.date32()], ids=str)
def test_days_are_those_of_the_time_zone_whatever_the_type_of_the_column(opened, kind: pa.DataType) -> None:
    moments = [1_706_731_200_000_000, 1_706_819_400_000_000]  # 2024-01-31T20:00Z, and 2024-02-01T20:30Z
    times = pa.array(moments, pa.timestamp("us")).cast(kind, safe=False)
    amounts = pa.array(["1.50", "2"]).cast(pa.decimal128(9, 2))
    raw = pa.table({"customer_id": [1, 2], "ordered_at": times, "amount": amounts})

    here, there = opened(raw, LogRules(timezone="Asia/Tehran"))  # 3:30 ahead

    found = there.engine.query("SELECT ordered_on FROM transactions ORDER BY customer_id")[
        "ordered_on"
    ].to_pylist()
    assert found == here.table["ordered_on"].to_pylist()
    assert found == [
        date(2024, 1, 31),
        date(2024, 2, 2) if kind == pa.timestamp("us", "UTC") else date(2024, 2, 1),
    ]


def test_a_log_of_two_currencies_is_refused_as_on_duckdbs_path(opened) -> None:
    with pytest.raises(LogError, match=r"mixes 3 currencies in 'currency': EUR \(6,9.. rows\)") as here:
        validate(soiled(), LogRules())
    with pytest.raises(LogError, match=re.escape(str(here.value))):
        opened(soiled())


def test_a_missing_column_is_named_as_on_duckdbs_path(opened) -> None:
    raw = soiled().rename_columns(["client", "ordered_at", "amount", "currency", "margin", "order_id"])

    with pytest.raises(MissingColumnError, match="for 'customer_id' use --customer-column 'client'"):
        opened(raw)


@pytest.mark.parametrize(
    "source", ["orders.csv", "postgresql://me:secret@host/shop?table=orders", "a.parquet?query=x"]
)
def test_what_spark_does_not_read_is_refused(engine: SparkEngine, source: str) -> None:
    with pytest.raises(LogError, match="--engine spark reads Parquet and tables") as refused:
        open_spark_log(engine, source, LogRules(), Columns())

    assert "secret" not in str(refused.value)


def test_a_table_that_is_not_there_is_named(engine: SparkEngine) -> None:
    with pytest.raises(LogError, match=r"Spark cannot read the log main\.orders: .*cannot be found"):
        open_spark_log(engine, "main.orders", LogRules(), Columns())


def test_a_table_of_the_catalogue_is_a_log(spark, engine: SparkEngine) -> None:
    orders = cdnow_sample().select(["customer_id", "ordered_at", "amount"])
    spark.createDataFrame(orders).createOrReplaceGlobalTempView("orders")

    there = open_spark_log(engine, "global_temp.orders", LogRules(), Columns())

    assert there.rows_used == orders.num_rows
    spark.catalog.dropGlobalTempView("orders")
