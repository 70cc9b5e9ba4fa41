"""Recency, frequency, T and monetary value, by hand and against the published CDNOW summary."""

from collections.abc import Sequence
from datetime import date
from importlib.metadata import files

import numpy as np
import pandas as pd

from features.datasets import cdnow_sample
from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory


def described(orders: Sequence[tuple[str, str, float]], snapshot: str) -> pd.DataFrame:
    """The feature table of (customer_id, ordered_at, amount) rows, indexed by customer_id."""
    log = validate(pd.DataFrame(orders, columns=["customer_id", "ordered_at", "amount"]))
    with PurchaseHistory(log) as history:
        return history.features(Snapshot.parse(snapshot)).set_index("customer_id")


def test_a_customer_with_one_purchase_has_zero_frequency_recency_and_monetary_value():
    bob = described([("bob", "2024-01-05", 40)], "2024-01-15").loc["bob"]

    # one purchase day: x = 1 − 1, t_x = 5 January − 5 January, T = 15 − 5 January, no repeat day to average
    assert (bob.frequency, bob.recency, bob["T"], bob.monetary_value) == (0, 0, 10, 0.0)


def test_recency_and_T_run_from_the_first_purchase_and_the_first_is_left_out_of_monetary_value():
    orders = [("alice", "2024-01-01", 100), ("alice", "2024-01-11", 10), ("alice", "2024-03-01", 25)]

    alice = described(orders, "2024-03-11").loc["alice"]

    # three purchase days: x = 2; 1 January to 1 March 2024 = 31 + 29 = 60 days; to 11 March 70 days
    assert (alice.frequency, alice.recency, alice["T"]) == (2, 60, 70)
    # the repeat days alone: (10 + 25) / 2, not (100 + 10 + 25) / 3
    assert alice.monetary_value == 17.5


def test_several_orders_on_one_day_are_one_purchase_day():
    orders = [
        ("carol", "2024-01-01 09:00", 5),
        ("carol", "2024-01-01 18:00", 7),  # the same day: no repeat
        ("carol", "2024-01-21 08:00", 30),
        ("carol", "2024-01-21 08:00", 30),  # an identical row is an order all the same
    ]

    carol = described(orders, "2024-02-01").loc["carol"]

    # two days: x = 1, t_x = 20; the one repeat day's spend is 30 + 30
    assert (carol.frequency, carol.recency, carol.monetary_value) == (1, 20, 60.0)


def test_a_refund_is_no_purchase_and_leaves_monetary_value_gross():
    orders = [
        ("dave", "2023-12-30", -9),  # refunds an order before the log: does not open the tenure
        ("dave", "2024-01-01", 50),
        ("dave", "2024-01-08", 20),
        ("dave", "2024-01-08", -20),  # the purchase of that day stays a purchase
        ("dave", "2024-01-20", -50),  # does not count as a visit
    ]

    dave = described(orders, "2024-01-31").loc["dave"]

    # purchase days: 1 and 8 January
    assert (dave.frequency, dave.recency, dave["T"], dave.monetary_value) == (1, 7, 30, 20.0)


def test_a_zero_amount_is_a_purchase():
    erin = described([("erin", "2024-01-01", 12), ("erin", "2024-01-04", 0)], "2024-01-10").loc["erin"]

    # the repeat day cost nothing: x = 1, mean of (0) = 0
    assert (erin.frequency, erin.recency, erin.monetary_value) == (1, 3, 0.0)


def test_the_day_of_the_snapshot_is_unseen():
    orders = [("finn", "2024-01-01", 1), ("finn", "2024-01-09 23:59:59", 2), ("finn", "2024-01-10", 4)]

    finn = described(orders, "2024-01-10").loc["finn"]

    # half-open: 9 January is seen, 10 January is not
    assert (finn.frequency, finn.recency, finn["T"], finn.gross_spend) == (1, 8, 9, 3.0)


def test_money_is_exact_in_cents():
    # 1.1 + 2.2 = 3.3000000000000003 in floating point; 110 + 220 cents = 330 cents
    gina = described([("gina", "2024-01-01", 1.1), ("gina", "2024-01-02", 2.2)], "2024-01-03").loc["gina"]

    assert gina.gross_spend == 3.3


def test_the_cdnow_sample_at_39_weeks_equals_the_published_summary():
    name = "cdnow_customers_summary_with_transactions.csv"
    published = pd.read_csv(next(file.locate() for file in files("lifetimes") or [] if file.name == name))

    with PurchaseHistory(validate(cdnow_sample())) as history:
        ours = history.features(Snapshot(date(1997, 10, 1)))

    # ids are 0001 to 2357 here, 1 to 2357 there; weeks and money are printed there to two digits
    assert ours.customer_id.astype(int).tolist() == published.ID.tolist()
    assert ours.frequency.tolist() == published.x.tolist()
    assert np.abs(ours.recency / 7 - published.t_x).max() < 0.005 + 1e-9
    assert np.abs(ours.monetary_value - published.zbar).max() < 0.005 + 1e-9
    # the summary ends on 30 September; our half-open snapshot of 1 October is one day later
    assert np.abs((ours["T"] - 1) / 7 - published["T"]).max() < 0.005 + 1e-9
