from datetime import date

import numpy as np
import pyarrow as pa

from features.engines.duckdb import DuckDBEngine
from features.engines.engine import Engine
from features.engines.numbered import NumberedCustomers
from features.log.customer_days import encoded
from features.snapshot import Snapshot
from features.table.history import features_sql, unscored_sql
from features.table.purchase_days import LOG, PURCHASE_DAYS, purchase_days_sql

IDS = ["10", "9", "a", "B", "é", "e", "۱۲", "علی", "😀", "z z", "0010", "_", "a" * 40]


def orders() -> pa.Table:
    draw = np.random.default_rng(3)
    days = draw.integers(19_000, 19_400, 2_000).astype(np.int32)
    return pa.table(
        {
            "customer_id": pa.chunked_array(
                [draw.choice(IDS, 1_500).tolist(), draw.choice(IDS, 500).tolist()]
            ),
            "ordered_on": pa.array(days).cast(pa.date32()),
            "amount_cents": draw.integers(-500, 20_000, 2_000),
        }
    )


def answers(engine: Engine, log: pa.Table) -> list[pa.Table]:
    columns, early = log.column_names, Snapshot(date(2022, 1, 9))
    with engine:
        engine.register(LOG, log)
        engine.create(PURCHASE_DAYS, purchase_days_sql(columns))
        queries = (
            features_sql(columns, Snapshot(date(2023, 1, 1))),
            unscored_sql(early),
            f"SELECT count(*) AS days FROM {PURCHASE_DAYS}",
        )
        return [engine.query(sql) for sql in queries]


def test_customers_by_number_give_what_their_ids_give_in_the_order_of_the_ids() -> None:
    log = orders()

    by_id = answers(DuckDBEngine(), log)
    by_number = answers(NumberedCustomers(DuckDBEngine(), encoded(log["customer_id"])), log)

    for expected, found in zip(by_id, by_number, strict=True):
        assert found.num_rows
        assert found.equals(expected)
