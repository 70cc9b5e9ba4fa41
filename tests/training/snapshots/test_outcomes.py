from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pandas as pd

from features.log.transactions import TransactionLog
from features.snapshot import ChurnWindow, Snapshot
from features.table.history import PurchaseHistory
from training.snapshots.outcomes import outcomes

SNAPSHOT = Snapshot(date(2024, 3, 1))


def _after(log: TransactionLog, horizon_days: int = 10) -> pd.DataFrame:
    with PurchaseHistory(log) as history:
        ids = history.features(SNAPSHOT)["customer_id"]
        after = outcomes(history, ChurnWindow(SNAPSHOT, horizon_days), ids)
    return after.set_index(ids)


def test_the_window_holds_its_first_day_and_not_the_day_it_closes(
    log_of: Callable[..., TransactionLog],
) -> None:
    log = log_of(
        ("opens", "2024-01-05", 10.0),
        ("opens", "2024-03-01", 7.0),  # the first day of [1 March, 11 March)
        ("last day", "2024-01-05", 10.0),
        ("last day", "2024-03-10", 8.0),
        ("closed", "2024-01-05", 10.0),
        ("closed", "2024-03-11", 9.0),
    )

    after = _after(log)

    assert after["churned"].to_dict() == {"closed": 1, "last day": 0, "opens": 0}
    assert after["spend"].to_dict() == {"closed": 0.0, "last day": 8.0, "opens": 7.0}


def test_two_orders_of_a_day_are_one_purchase_and_a_refund_is_none(
    log_of: Callable[..., TransactionLog],
) -> None:
    log = log_of(
        ("buyer", "2024-01-05", 10.0),
        ("buyer", "2024-03-02", 5.0),
        ("buyer", "2024-03-02", 6.0),
        ("returner", "2024-01-05", 10.0),
        ("returner", "2024-03-02", -4.0),
    )

    after = _after(log)

    assert after.loc["buyer"].to_dict() == {
        "churned": 0,
        "purchases": 1,
        "spend": 11.0,
        "days_to_purchase": 1.0,
    }
    assert after.loc["returner", ["churned", "purchases", "spend"]].to_dict() == {
        "churned": 1,
        "purchases": 0,
        "spend": -4.0,
    }
    assert after["days_to_purchase"].isna().to_dict() == {"buyer": False, "returner": True}


def test_a_customer_who_first_buys_in_the_window_is_nobodys_outcome(
    log_of: Callable[..., TransactionLog],
) -> None:
    after = _after(log_of(("old", "2024-01-05", 10.0), ("new", "2024-03-03", 5.0)))

    assert after.index.tolist() == ["old"]
