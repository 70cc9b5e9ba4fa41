"""The feature table: an independent oracle, customers and rows in balance, the same bytes in any order."""

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from math import ceil, nan
from statistics import stdev
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from features import datasets
from features.engines.duckdb import DuckDBEngine
from features.engines.engine import Engine
from features.engines.prepared import PreparedEngine
from features.log.transactions import TransactionLog
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.feature_table import build_feature_table, feature_tables
from features.table.history import (
    FEATURES,
    NO_ORDER_YET,
    REFUNDS_ONLY,
    SCHEMA,
    PurchaseHistory,
    feature_catalogue_markdown,
)

JULY = Snapshot(date(2024, 7, 1))


# --- the oracle: plain Python over one customer's visible rows -----------------------------------------

Row = dict[str, Any]


def oracle(log: TransactionLog, snapshot: Snapshot) -> pd.DataFrame:
    """The feature table, computed without SQL: exact integers of cents, one customer at a time."""
    visible: dict[str, list[Row]] = defaultdict(list)
    for row in log.table.to_pylist():
        if row["ordered_on"] < snapshot.date:
            visible[row["customer_id"]].append(row)
    expected = [
        {
            "snapshot_date": pd.Timestamp(snapshot.date),
            "customer_id": customer,
            **describe(own, snapshot.date),
        }
        for customer, own in sorted(visible.items(), key=lambda entry: entry[0].encode())
        if any(row["amount_cents"] >= 0 for row in own)
    ]
    return pd.DataFrame(expected, columns=SCHEMA.names)


def anniversary_share(days: list[date], today: date, ahead: int) -> float:
    """The share of days since which a whole number of years of 365.25 days ends within ``ahead`` days."""
    if (today - days[0]).days <= 365 - ahead:
        return nan
    ages = [(today - day).days for day in days]
    return sum(ceil(age / 365.25) * 365.25 - age < ahead for age in ages) / len(days)


def describe(own: list[Row], today: date) -> dict[str, float]:
    bought = [row for row in own if row["amount_cents"] >= 0]
    refunds = [-row["amount_cents"] for row in own if row["amount_cents"] < 0]
    basket: Counter[date] = Counter()
    for row in bought:
        basket[row["ordered_on"]] += row["amount_cents"]
    days = sorted(basket)
    baskets = [basket[day] for day in days]
    gaps = [(later - earlier).days for earlier, later in zip(days, days[1:], strict=False)]
    gross, refunded = sum(baskets), sum(refunds)
    silence, recency = (today - days[-1]).days, (days[-1] - days[0]).days
    windows = {n: today - timedelta(days=n) for n in (30, 90, 180, 365)}
    recent_orders = {n: count_orders(bought, start) for n, start in windows.items()}
    recent_cents = {n: sum(basket[day] for day in days if day >= start) for n, start in windows.items()}
    return {
        "frequency": len(days) - 1,
        "recency": recency,
        "T": (today - days[0]).days,
        "monetary_value": sum(baskets[1:]) / (100 * len(gaps)) if gaps else 0,
        "tenure_days": (today - days[0]).days,
        "first_purchase_day": (days[0] - date(1970, 1, 1)).days,
        "days_since_last_purchase": silence,
        "mean_gap_days": sum(gaps) / len(gaps) if gaps else nan,
        "std_gap_days": stdev(gaps) if len(gaps) > 1 else nan,
        "last_gap_days": gaps[-1] if gaps else nan,
        "max_gap_days": max(gaps, default=nan),
        "overdue_ratio": silence * len(gaps) / recency if gaps else nan,
        "active_months": len({(day.year, day.month) for day in days}),
        "purchase_days_365d": sum((today - day).days <= 365 for day in days),
        **{f"orders_{n}d": count for n, count in recent_orders.items()},
        **{f"spend_{n}d": cents / 100 for n, cents in recent_cents.items()},
        "orders_trend_90d": trend(recent_orders),
        "spend_trend_90d": trend(recent_cents),
        "mean_basket": gross / (100 * len(days)),
        "max_basket": max(baskets) / 100,
        "min_basket": min(baskets) / 100,
        "std_basket": stdev(baskets) / 100 if gaps else nan,
        "first_basket": baskets[0] / 100,
        "last_basket": baskets[-1] / 100,
        "refund_count": len(refunds),
        "refund_share": (refunded / gross if gross else nan) if refunded else 0,
        "snapshot_weekday": today.weekday(),
        "snapshot_month": today.month,
        **channels_and_products(bought),
        **{f"anniversary_share_{n}d": anniversary_share(days, today, n) for n in (30, 90, 180)},
        "gross_spend": gross / 100,
        "net_spend": (gross - refunded) / 100,
        "net_margin": sum(row["margin_cents"] for row in own) / 100 if "margin_cents" in own[0] else nan,
    }


def count_orders(bought: list[Row], start: date) -> int:
    recent = [(row["ordered_on"], row.get("order_id")) for row in bought if row["ordered_on"] >= start]
    return len({order for order in recent if order[1]}) + sum(order[1] is None for order in recent)


def trend(recent: dict[int, int]) -> float:
    now, before = recent[90], recent[180] - recent[90]
    return (now - before) / (now + before) if now + before else 0


def channels_and_products(bought: list[Row]) -> dict[str, float]:
    found = {"distinct_products": nan, "distinct_channels": nan, "main_channel_share": nan}
    if "product_id" in bought[0]:
        found["distinct_products"] = len({row["product_id"] for row in bought} - {None})
    if "channel" in bought[0]:
        days = {(row["channel"], row["ordered_on"]) for row in bought if row["channel"] is not None}
        of_channel = Counter(channel for channel, _ in days)
        found["distinct_channels"] = len(of_channel)
        found["main_channel_share"] = max(of_channel.values()) / len(days) if days else nan
    return found


def assert_equals_oracle(log: TransactionLog, snapshot: Snapshot) -> None:
    with PurchaseHistory(log) as history:
        ours = history.features(snapshot)
    expected = oracle(log, snapshot)
    assert ours.customer_id.tolist() == expected.customer_id.tolist()
    for name in expected.columns.drop("customer_id"):
        # all are one rounding away from exact integers but the deviations, whose square root follows two
        rtol = 1e-15 if name.startswith("std_") else 0
        left, right = ours[name], expected[name].astype(ours[name].dtype)
        pd.testing.assert_series_equal(left, right, rtol=rtol, atol=0, check_exact=rtol == 0)


# --- logs ----------------------------------------------------------------------------------------------


def random_log(seed: int, rows: int = 3_000, customers: int = 150, **without: bool) -> TransactionLog:
    """Orders of two years around the snapshot, with refunds, zero amounts, and every optional column."""
    draw = np.random.default_rng(seed)
    ordered = pd.Timestamp("2023-01-01") + pd.to_timedelta(draw.integers(0, 730, rows), unit="D")
    cents = draw.integers(-2_000, 20_000, rows) * (draw.random(rows) > 0.05)
    log = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in draw.zipf(1.3, rows) % customers],
            "ordered_at": ordered,
            "amount": cents / 100,
            "order_id": [f"o{number}" if number else None for number in draw.integers(0, 40, rows)],
            "margin": draw.integers(-500, 5_000, rows) / 100,
            "channel": draw.choice(np.array(["web", "shop", "app", None], dtype=object), rows),
            "product_id": draw.choice(np.array([*map(str, range(30)), None], dtype=object), rows),
        }
    )
    return validate(log.drop(columns=[name for name, absent in without.items() if absent]))


RANDOM_LOG = random_log(seed=3, rows=400, customers=30)


@pytest.fixture(scope="module")
def cdnow() -> TransactionLog:
    return validate(datasets.cdnow())


# --- against the oracle --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_every_column_of_a_random_log_equals_the_oracle(seed):
    log = random_log(seed)

    for snapshot in (Snapshot(date(2023, 2, 10)), Snapshot(date(2024, 2, 29)), Snapshot(date(2025, 6, 1))):
        assert_equals_oracle(log, snapshot)


@pytest.mark.parametrize("absent", ["order_id", "margin", "channel", "product_id"])
def test_a_log_that_lacks_an_optional_column_equals_the_oracle(absent):
    assert_equals_oracle(random_log(seed=7, **{absent: True}), JULY)


@pytest.mark.slow
def test_every_column_of_cdnow_equals_the_oracle(cdnow):
    assert_equals_oracle(cdnow, Snapshot(date(1998, 4, 1)))


def test_cdnow_has_a_row_for_each_of_its_customers(cdnow):
    with PurchaseHistory(cdnow) as history:
        table = history.features(Snapshot.after(cdnow.last_day))
        rows = history.rows_seen(Snapshot.after(cdnow.last_day))

    # 69,659 orders of 23,570 customers; one purchase day more than the repeats, each
    assert (len(table), rows) == (23_570, 69_659)


# --- the same bytes whatever the order, the threads, the path ------------------------------------------


def as_bytes(table: pa.Table) -> bytes:
    """The table as the file it is written to."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    return sink.getvalue().to_pybytes()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_row_order_changes_no_byte(seed):
    log = RANDOM_LOG
    order = np.random.default_rng(seed).permutation(log.table.num_rows)

    shuffled = replace(log, table=log.table.take(order))

    assert as_bytes(build_feature_table(shuffled, [JULY])) == as_bytes(build_feature_table(log, [JULY]))


def test_neither_threads_nor_the_engine_change_a_byte(cdnow):
    # large enough for several threads to share the work
    table = pa.concat_tables([cdnow.table] * 4)
    log, snapshot = replace(cdnow, table=table), Snapshot(date(1998, 4, 1))

    def by(engine: Engine) -> bytes:
        with engine, PurchaseHistory(log, engine) as history:
            return as_bytes(pa.table(history.columns(snapshot)))

    one = by(DuckDBEngine(threads=1))
    assert by(DuckDBEngine(threads=4)) == one
    assert by(DuckDBEngine(small=True)) == one
    assert by(PreparedEngine()) == one


def test_a_customer_alone_is_described_as_among_all_others():
    log = random_log(seed=11)
    with PurchaseHistory(log) as history:
        together = history.features(JULY).set_index("customer_id")

    for customer in together.index[:20]:
        rows = log.table.filter(pc.equal(log.table["customer_id"], customer))
        with PurchaseHistory(replace(log, table=rows)) as history:
            alone = history.features(JULY).set_index("customer_id")
        pd.testing.assert_frame_equal(alone, together.loc[[customer]], check_exact=True)


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400), st.integers(-300, 300)), min_size=1),
    st.integers(1, 500),
)
def test_recency_lies_between_zero_and_T_and_nothing_is_lost(rows, snapshot_day):
    start = date(2023, 1, 1)
    raw = pd.DataFrame(rows, columns=["customer_id", "day", "amount"])
    raw["ordered_at"] = [start + timedelta(days=day) for day in raw.pop("day")]
    log = validate(raw, refunds_only=True)
    snapshot = Snapshot(start + timedelta(days=snapshot_day))

    with PurchaseHistory(log) as history:
        table, unscored = history.features(snapshot), history.unscored(snapshot)
        seen = history.rows_seen(snapshot)

    assert ((table.recency >= 0) & (table.recency <= table["T"]) & (table["T"] >= 1)).all()
    assert ((table.recency == 0) == (table.frequency == 0)).all()
    assert table.orders_trend_90d.between(-1, 1).all()
    assert table.spend_trend_90d.between(-1, 1).all()
    assert len(table) + len(unscored) == raw.customer_id.nunique()
    assert seen == sum(snapshot.sees(day) for day in raw.ordered_at)


# --- customers and rows in balance ---------------------------------------------------------------------

# alice bought, bella only sent back, chris comes later, dana sent back and comes later, eve sends back later
BALANCE = [
    ("alice", "2024-06-01", 10),
    ("bella", "2024-06-02", -10),
    ("chris", "2024-07-01", 10),
    ("dana", "2024-05-01", -5),
    ("dana", "2024-07-02", 5),
    ("eve", "2024-07-03", -5),
]


def test_customers_without_a_purchase_before_the_snapshot_are_listed_with_the_reason():
    log = validate(pd.DataFrame(BALANCE, columns=["customer_id", "ordered_at", "amount"]))

    with PurchaseHistory(log) as history:
        scored, unscored = history.features(JULY), history.unscored(JULY)

    assert scored.customer_id.tolist() == ["alice"]
    assert dict(zip(unscored.customer_id, unscored.reason, strict=True)) == {
        "bella": REFUNDS_ONLY,
        "chris": NO_ORDER_YET,
        "dana": REFUNDS_ONLY,
        "eve": NO_ORDER_YET,
    }


def test_a_snapshot_counts_the_rows_it_sees():
    log = validate(pd.DataFrame(BALANCE, columns=["customer_id", "ordered_at", "amount"]))

    with PurchaseHistory(log) as history:
        # before July: one row of alice, two refunds of others
        assert history.rows_seen(JULY) == 3
        assert history.rows_seen(Snapshot(date(2024, 1, 1))) == 0


def test_a_snapshot_before_the_log_describes_nobody_in_the_same_columns():
    log = validate(pd.DataFrame(BALANCE, columns=["customer_id", "ordered_at", "amount"]))

    with PurchaseHistory(log) as history:
        empty = history.features(Snapshot(date(2024, 1, 1)))
        full = history.features(JULY)

    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()


def test_ids_stay_as_they_are_and_come_in_byte_order():
    # two cases, leading zeros, blanks inside, a composed and a decomposed é, and a character of four bytes
    ids = ["7", "007", "a", "A", "a b", "é", "e\u0301", "😀", "\uffef", "Z"]
    log = validate(pd.DataFrame({"customer_id": ids, "ordered_at": "2024-01-01", "amount": 1}))

    with PurchaseHistory(log) as history:
        found = history.features(JULY).customer_id.tolist()

    assert found == sorted(ids, key=str.encode)


# --- several snapshots, the schema, the catalogue ------------------------------------------------------


def test_a_feature_table_stacks_its_snapshots_and_tells_the_progress():
    log = random_log(seed=5, rows=300, customers=20)
    snapshots = [JULY, Snapshot(date(2024, 1, 1))]
    done: list[Any] = []

    table = build_feature_table(log, snapshots, progress=done.append)

    parts = [build_feature_table(log, [snapshot]) for snapshot in snapshots]
    assert table.equals(pa.concat_tables(parts))
    assert table.schema == SCHEMA
    assert done == snapshots


def test_a_large_log_is_described_part_by_part_and_the_same(
    cdnow: TransactionLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = [Snapshot(date(1997, 2, 10)), Snapshot(date(1998, 4, 1))]
    whole = build_feature_table(cdnow, snapshots)
    monkeypatch.setattr("features.log.customer_days._PART_ROWS", 100_000)

    parts = list(feature_tables(cdnow, snapshots))

    assert len(parts) > 4
    assert pa.concat_tables(parts).equals(whole)


def test_no_snapshot_gives_an_empty_feature_table():
    assert build_feature_table(random_log(seed=5, rows=30), []).equals(SCHEMA.empty_table())


def test_types_are_those_of_the_catalogue():
    with PurchaseHistory(random_log(seed=5, rows=300)) as history:
        table = history.features(JULY)

    assert table.columns.tolist() == ["snapshot_date", "customer_id", *(feature.name for feature in FEATURES)]
    assert {feature.name: str(table[feature.name].dtype) for feature in FEATURES} == {
        feature.name: feature.dtype for feature in FEATURES
    }


def test_the_columns_and_the_table_for_analysis_hold_the_same():
    with PurchaseHistory(random_log(seed=5, rows=300)) as history:
        columns, table = history.columns(JULY), history.features(JULY)

    assert list(columns) == list(table.columns)
    for name, column in columns.items():
        np.testing.assert_array_equal(column, table[name].to_numpy())


def test_the_columns_of_a_long_table_are_put_together_from_the_parts_of_the_engines_answer():
    customers = 130_000
    days = np.datetime64("2024-01-01") + np.arange(2 * customers) % 150
    ids = [f"C{number % customers}" for number in range(2 * customers)]
    orders = pa.table({"customer_id": ids, "ordered_at": days, "amount": np.arange(2.0 * customers)})

    with PurchaseHistory(validate(orders)) as history:
        columns, table = history.columns(JULY), next(history.tables(JULY))

    assert len(table.to_batches()) > 1  # or this looks at nothing
    for name, column in columns.items():
        expected = table[name].to_numpy()
        assert column.dtype == expected.dtype
        np.testing.assert_array_equal(column, expected)


def test_the_catalogue_has_one_row_a_feature_with_unit_and_meaning():
    lines = feature_catalogue_markdown().splitlines()

    assert len(lines) == 2 + len(FEATURES)
    assert lines[2] == "| `frequency` | int64 | days | Repeat purchase days: purchase days − 1. |"
    assert all(line.count("|") == 5 for line in lines)
    assert len({feature.name for feature in FEATURES}) == len(FEATURES)
