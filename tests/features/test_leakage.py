"""No feature sees the day of the snapshot or later: whatever happens to those rows, not a byte changes."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings, strategies as st

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.feature_table import build_feature_table

FIRST, SNAPSHOT = date(2023, 1, 1), Snapshot(date(2024, 1, 1))


def orders(seed: int, rows: int, first: date, days: int, customers: int) -> pd.DataFrame:
    """Random orders and refunds of some customers in the days from ``first`` on, every column filled."""
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "customer_id": draw.integers(0, customers, rows).astype(str),
            "ordered_at": [first + timedelta(days=int(day)) for day in draw.integers(0, days, rows)],
            "amount": draw.integers(-300, 3_000, rows) / 100,
            "order_id": draw.integers(0, 9, rows).astype(str),
            "margin": draw.integers(-100, 900, rows) / 100,
            "channel": draw.choice(["web", "shop", "app"], rows),
            "product_id": draw.integers(0, 9, rows).astype(str),
        }
    )


def features_as_bytes(raw: pd.DataFrame) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(build_feature_table(validate(raw), [SNAPSHOT]), sink)
    return sink.getvalue().to_pybytes()


PAST = orders(seed=1, rows=120, first=FIRST, days=(SNAPSHOT.date - FIRST).days, customers=12)
WITHOUT_A_FUTURE = features_as_bytes(PAST)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), rows=st.integers(1, 200), customers=st.integers(1, 24))
def test_any_future_leaves_the_feature_table_identical_to_the_byte(seed, rows, customers):
    # the same customers and new ones, from the very day of the snapshot on
    future = orders(seed, rows, first=SNAPSHOT.date, days=365, customers=customers)
    both = pd.concat([PAST, future]).sample(frac=1, random_state=seed)

    assert features_as_bytes(both) == WITHOUT_A_FUTURE


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_scrambling_the_values_of_future_rows_changes_no_byte(seed):
    future = orders(seed=2, rows=100, first=SNAPSHOT.date, days=200, customers=12)
    draw = np.random.default_rng(seed)
    scrambled = future.apply(lambda column: column.to_numpy()[draw.permutation(len(column))])

    assert features_as_bytes(pd.concat([scrambled, PAST])) == features_as_bytes(pd.concat([PAST, future]))


def test_an_order_a_day_earlier_is_seen():
    # the guard of the guards: the comparison above would notice
    yesterday = PAST.head(1).assign(ordered_at=SNAPSHOT.date - timedelta(days=1))

    assert features_as_bytes(pd.concat([PAST, yesterday])) != WITHOUT_A_FUTURE
