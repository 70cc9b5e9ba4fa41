"""Anniversaries of purchases by hand."""

from math import isnan

import pandas as pd
import pytest

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory


def customer(days: list[str], snapshot: str) -> pd.Series:
    """The features of one customer who orders on these days."""
    raw = {"customer_id": "17", "ordered_at": days, "amount": 10.0}
    with PurchaseHistory(validate(pd.DataFrame(raw))) as history:
        return history.features(Snapshot.parse(snapshot)).iloc[0]


def test_a_share_counts_the_purchase_days_whose_anniversary_lies_ahead() -> None:
    row = customer(["2021-12-10", "2022-12-20", "2023-03-01", "2023-12-05", "2024-10-20"], "2024-11-15")

    # three of five in December, 20 to 35 days ahead: one of them, 5 December, within 30; 10 and 20 December too late or
    # not: 15 November + 30 days = 15 December, so 5 and 10 December; 1 March is 106 days ahead, 20 October 339
    assert row.anniversary_share_30d == pytest.approx(2 / 5)
    assert row.anniversary_share_90d == pytest.approx(3 / 5)
    assert row.anniversary_share_180d == pytest.approx(4 / 5)


def test_an_anniversary_is_ahead_on_its_day_and_past_on_the_next() -> None:
    # from 14 June 2023 to 13 and 14 June 2024 it is 365 and 366 days
    assert customer(["2023-06-14"], "2024-06-13").anniversary_share_30d == 1.0
    assert customer(["2023-06-14"], "2024-06-14").anniversary_share_30d == 0.0


def test_of_a_new_customer_it_is_not_known() -> None:
    row = customer(["2024-01-01", "2024-02-01"], "2024-11-01")

    # 305 days old: the first anniversary is 60 days ahead, within 90 days and not within 30
    assert isnan(row.anniversary_share_30d)
    assert (row.anniversary_share_90d, row.anniversary_share_180d) == (0.5, 1.0)
