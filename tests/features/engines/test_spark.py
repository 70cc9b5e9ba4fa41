"""Spark as an engine: the features of DuckDB to the bit, and sessions that keep to themselves."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from features.datasets.simulator import simulate_log
from features.engines.duckdb import DuckDBEngine
from features.engines.engine import EngineError
from features.engines.spark import SparkEngine, spark_session
from features.errors import StayworthError
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory

pytestmark = pytest.mark.spark


@pytest.fixture
def engine(spark) -> Iterator[SparkEngine]:
    with SparkEngine(spark) as engine:
        yield engine


@pytest.fixture(scope="module")
def log() -> TransactionLog:
    """5,000 customers with refunds, orders of several lines, margins, channels and products, some unknown."""
    orders = simulate_log(5_000, weeks=150, acquisition_weeks=100, refund_share=0.05, seed=1).transactions
    rows, rng = orders.num_rows, np.random.default_rng(0)

    def drawn(values: list[str | None]) -> pa.Array:
        return pa.array(rng.choice(np.array(values, dtype=object), rows), pa.string())

    return validate(
        orders.append_column("order_id", drawn([f"o{number}" for number in range(rows)]))
        .append_column("margin", pa.array(np.round(rng.normal(5, 9, rows), 2)))
        .append_column("channel", drawn(["web", "shop", "app", None]))
        .append_column("product_id", drawn([*(f"p{number}" for number in range(300)), None]))
    )


def test_features_are_those_of_duckdb_to_the_bit_at_three_snapshots(
    engine: SparkEngine, log: TransactionLog
) -> None:
    snapshots = [Snapshot(date(1998, 1, 1)), Snapshot(date(1998, 9, 1)), Snapshot.after(log.last_day)]

    with (
        DuckDBEngine() as duckdb,
        PurchaseHistory(log, duckdb) as here,
        PurchaseHistory(log, engine) as there,
    ):
        for snapshot in snapshots:
            expected, found = here.columns(snapshot), there.columns(snapshot)
            assert list(found) == list(expected)
            for name, column in expected.items():
                assert found[name].dtype == column.dtype, name
                same = (
                    (found[name] == column).all()
                    if column.dtype == object
                    else found[name].tobytes() == column.tobytes()  # NaN where NaN is
                )
                assert same, f"{name} at {snapshot}"
            assert there.unscored(snapshot).equals(here.unscored(snapshot))
            for one, other in zip(there.gaps(snapshot), here.gaps(snapshot), strict=True):
                assert (one == other).all()
            first, counts = there.repeat_purchases(snapshot)
            assert (first, counts.tolist()) == (
                here.repeat_purchases(snapshot)[0],
                here.repeat_purchases(snapshot)[1].tolist(),
            )
    assert len(found["T"]) == 5_000


def test_a_kept_result_can_be_queried_and_replaced(engine: SparkEngine) -> None:
    engine.register("numbers", pa.table({"n": [3, 1, 2]}))
    engine.create("doubled", "SELECT 2 * n AS n FROM numbers")
    engine.create("doubled", "SELECT n + 1 AS n FROM doubled")

    assert engine.query("SELECT n FROM doubled ORDER BY n").to_pydict() == {"n": [3, 5, 7]}


def test_an_engine_leaves_the_views_and_settings_of_the_callers_session_alone(
    spark, engine: SparkEngine
) -> None:
    spark.sql("SELECT 'mine' AS whose").createOrReplaceTempView("transactions")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tehran")

    engine.register("transactions", pa.table({"whose": ["the engine's"]}))

    assert spark.table("transactions").first().whose == "mine"
    assert spark.conf.get("spark.sql.session.timeZone") == "Asia/Tehran"
    assert engine.query("SELECT whose FROM transactions").to_pydict() == {"whose": ["the engine's"]}
    spark.catalog.dropTempView("transactions")
    spark.conf.unset("spark.sql.session.timeZone")


def test_a_failing_query_is_quoted_line_by_line(engine: SparkEngine) -> None:
    with pytest.raises(EngineError, match=r"nonsense(?s:.*)   2 \| FROM nowhere"):
        engine.query("SELECT nonsense\nFROM nowhere")


def test_what_a_task_says_on_purpose_comes_through_without_a_traceback(engine: SparkEngine) -> None:
    def refuse(batches):
        raise StayworthError("Column 'id': it holds bytes that are no text.")

    engine.keep("refused", engine.frame("SELECT 1 AS n").mapInArrow(refuse, "n INT"))

    with pytest.raises(StayworthError, match="^Column 'id': it holds bytes that are no text.$"):
        engine.query("SELECT * FROM refused")


def test_the_active_session_is_used_and_not_stopped(spark) -> None:
    with spark_session() as first, spark_session("local[2]") as second:
        assert first.sparkContext is second.sparkContext is spark.sparkContext

    assert spark.sql("SELECT 1 AS one").first().one == 1


def test_another_master_than_the_active_sessions_is_refused(spark) -> None:
    refused = pytest.raises(
        StayworthError, match=r"--spark-master yarn: this process has a Spark session .* local\[2\]"
    )

    with refused, spark_session("yarn"):
        pass
