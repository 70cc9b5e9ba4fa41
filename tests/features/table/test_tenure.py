"""Time features by hand: age, silence and rhythm."""

from math import isnan, sqrt

import pandas as pd

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory

GAPS = ["mean_gap_days", "std_gap_days", "last_gap_days", "max_gap_days", "overdue_ratio"]


def customer(days: list[str], snapshot: str, amounts: list[float] | None = None) -> pd.Series:
    """The features of one customer who orders on these days."""
    raw = {"customer_id": "17", "ordered_at": days, "amount": amounts or [10.0] * len(days)}
    with PurchaseHistory(validate(pd.DataFrame(raw))) as history:
        return history.features(Snapshot.parse(snapshot)).iloc[0]


def test_gaps_are_the_days_between_successive_purchase_days():
    row = customer(["2024-01-01", "2024-01-11", "2024-01-31", "2024-02-03"], "2024-02-25")

    # gaps 10, 20, 3: mean 33 / 3; Σx² = 509, (Σx)² = 1089, variance (3·509 − 1089) / (3·2) = 438 / 6 = 73
    assert row.mean_gap_days == 11.0
    assert row.std_gap_days == sqrt(73)
    assert (row.last_gap_days, row.max_gap_days) == (3.0, 20.0)
    # 3 to 25 February = 22 days of silence, twice the usual gap
    assert (row.days_since_last_purchase, row.overdue_ratio) == (22, 2.0)


def test_tenure_is_the_time_since_the_first_purchase_and_silence_the_time_since_the_last():
    row = customer(["2024-01-01", "2024-01-11"], "2024-02-01")

    # 31 days of January; T = 31 = recency 10 + silence 21
    assert (row.tenure_days, row["T"], row.recency, row.days_since_last_purchase) == (31, 31, 10, 21)


def test_the_day_of_the_first_purchase_stays_as_the_snapshot_moves_on():
    earlier, later = (customer(["2024-01-01", "2024-01-11"], day) for day in ("2024-02-01", "2025-02-01"))

    # 54 years with 13 leap days: 54·365 + 13 = 19,723 days since 1970-01-01
    assert earlier.first_purchase_day == later.first_purchase_day == 19_723
    assert later["T"] - earlier["T"] == 366


def test_a_one_time_buyer_has_no_gaps():
    row = customer(["2024-01-01", "2024-01-01"], "2024-02-01")

    # two orders of one day: no gap, unknown rather than zero
    assert all(isnan(row[name]) for name in GAPS)


def test_one_gap_has_a_mean_but_no_deviation():
    row = customer(["2024-01-01", "2024-01-08"], "2024-01-15")

    assert (row.mean_gap_days, row.last_gap_days, row.max_gap_days, row.overdue_ratio) == (7, 7, 7, 1)
    assert isnan(row.std_gap_days)


def test_a_day_of_refunds_alone_does_not_break_a_gap_in_two():
    days = ["2024-01-01", "2024-01-05", "2024-01-11"]

    row = customer(days, "2024-02-01", amounts=[10, -10, 10])

    # purchases on 1 and 11 January: one gap of 10 days, not two of 4 and 6
    assert (row.mean_gap_days, row.max_gap_days) == (10.0, 10.0)


def test_active_months_are_calendar_months_with_a_purchase():
    days = ["2023-01-31", "2023-02-01", "2023-02-28", "2024-02-10", "2024-03-05"]

    row = customer(days, "2024-04-01", amounts=[1, 1, 1, 1, -1])

    # January and February 2023, February 2024 (another year); March 2024 saw a refund only
    assert row.active_months == 3


def test_dates_before_1970_count_like_any_other():
    row = customer(["1968-12-31", "1969-01-10"], "1969-01-20")

    # day numbers −366, −356 and the snapshot's −346
    assert (row.frequency, row.recency, row["T"], row.orders_30d) == (1, 10, 20, 2)
    assert (row.snapshot_weekday, row.snapshot_month, row.active_months) == (0, 1, 2)  # a Monday
