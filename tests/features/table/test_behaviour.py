"""Behaviour features by hand: windows, baskets, refunds, season, products and channels, margin."""

from collections.abc import Sequence
from math import isnan, sqrt

import pandas as pd

from features.log.validation import validate
from features.snapshot import Snapshot
from features.table.history import PurchaseHistory


def customer(snapshot: str, orders: Sequence[tuple[str, float]], **columns: list) -> pd.Series:
    """The features of one customer with these (ordered_at, amount) rows and further columns."""
    raw = pd.DataFrame(orders, columns=["ordered_at", "amount"]).assign(customer_id="17", **columns)
    with PurchaseHistory(validate(raw)) as history:
        return history.features(Snapshot.parse(snapshot)).iloc[0]


def test_windows_end_with_the_snapshot_and_hold_exactly_their_days():
    # 30 days before 1 January 2024 is 2 December, 90 is 3 October, 180 is 5 July, 365 is 1 January 2023
    row = customer(
        "2024-01-01",
        [
            ("2023-12-31", 1),  # in all four
            ("2023-12-02", 2),  # the first of the 30 days
            ("2023-12-01", 4),
            ("2023-10-03", 8),  # the first of the 90
            ("2023-10-02", 16),
            ("2023-07-05", 32),  # the first of the 180
            ("2023-07-04", 64),
            ("2022-12-31", 128),  # 366 days ago
        ],
    )

    assert [row[f"orders_{days}d"] for days in (30, 90, 180, 365)] == [2, 4, 6, 7]
    assert [row[f"spend_{days}d"] for days in (30, 90, 180, 365)] == [3, 15, 63, 127]
    # 4 orders and 15 of money in 90 days, 2 orders and 48 in the 90 before: 2 / 6 and −33 / 63
    assert row.orders_trend_90d == 2 / 6
    assert row.spend_trend_90d == -33 / 63
    assert row.gross_spend == 255.0


def test_a_trend_is_bounded_and_zero_when_there_is_nothing_to_compare():
    silent = customer("2024-01-01", [("2023-08-01", 5)])  # 153 days ago: before, not now
    new = customer("2024-01-01", [("2023-12-25", 5)])
    gone = customer("2024-01-01", [("2020-12-25", 5)])
    for_free = customer("2024-01-01", [("2023-12-25", 0)])

    assert (silent.orders_trend_90d, silent.spend_trend_90d) == (-1, -1)
    assert (new.orders_trend_90d, new.spend_trend_90d) == (1, 1)
    assert (gone.orders_trend_90d, gone.spend_trend_90d) == (0, 0)
    assert (for_free.orders_trend_90d, for_free.spend_trend_90d) == (1, 0)


def test_baskets_are_the_gross_spend_of_purchase_days():
    row = customer(
        "2024-02-01", [("2024-01-01", 10), ("2024-01-05", 3), ("2024-01-05", 4), ("2024-01-09", 1)]
    )

    # baskets 10, 3 + 4, 1: mean 18 / 3; Σx² = 150, (Σx)² = 324, variance (3·150 − 324) / 6 = 21
    assert (row.mean_basket, row.max_basket, row.min_basket) == (6.0, 10.0, 1.0)
    assert (row.first_basket, row.last_basket) == (10.0, 1.0)
    assert abs(row.std_basket - sqrt(21)) < 1e-15
    assert (row.orders_30d, row.gross_spend, row.net_spend) == (3, 18.0, 18.0)  # 1 January is 31 days ago


def test_the_deviation_of_large_baskets_is_exact():
    # 10,000,000.01 and .03: squares of cents have 19 digits; variance ((2·Σx² − (Σx)²) / 2 = 2 cents²
    row = customer("2024-02-01", [("2024-01-01", 10_000_000.01), ("2024-01-05", 10_000_000.03)])

    assert row.std_basket == sqrt(2) / 100


def test_one_basket_has_no_deviation():
    assert isnan(customer("2024-02-01", [("2024-01-01", 10), ("2024-01-01", 20)]).std_basket)


def test_refunds_are_counted_lower_net_spend_and_are_a_share_of_gross():
    row = customer(
        "2024-02-01", [("2024-01-01", 80), ("2024-01-02", 20), ("2024-01-02", -5), ("2024-01-09", -20)]
    )

    # refunded 5 + 20 of 100
    assert (row.refund_count, row.refund_share, row.gross_spend, row.net_spend) == (2, 0.25, 100.0, 75.0)
    assert (row.orders_30d, row.spend_30d, row.last_basket) == (
        1,
        20.0,
        20.0,
    )  # 2 January: refunds are no orders


def test_a_refund_share_of_nothing_spent_is_unknown_but_zero_without_refunds():
    assert isnan(customer("2024-02-01", [("2024-01-01", 0), ("2024-01-03", -5)]).refund_share)
    assert customer("2024-02-01", [("2024-01-01", 0)]).refund_share == 0.0


def test_the_snapshot_brings_its_weekday_and_month():
    row = customer("2024-02-01", [("2024-01-01", 1)])

    # 1 February 2024 is a Thursday; Monday is 0
    assert (row.snapshot_weekday, row.snapshot_month) == (3, 2)


def test_lines_of_one_order_id_are_one_order_a_day():
    days = ["2024-01-10", "2024-01-10", "2024-01-10", "2024-01-11", "2024-01-12", "2024-01-12"]
    orders = list(zip(days, [1, 2, 4, 8, -8, 16], strict=True))

    row = customer("2024-01-20", orders, order_id=["A", "A", "B", "C", "C", "D"])

    # 10 January: A and B; 11 January: C; 12 January: D, and a refund on C that is no order
    assert (row.orders_30d, row.spend_30d, row.frequency) == (4, 31.0, 2)


def test_lines_without_an_order_id_are_an_order_each():
    orders = [("2024-01-10", 1), ("2024-01-10", 2), ("2024-01-10", 4), ("2024-01-10", 8)]

    row = customer("2024-01-20", orders, order_id=["A", None, None, "A"])

    # A once, and two without an id
    assert row.orders_30d == 3


def test_products_are_counted_once_and_refunds_of_them_not():
    orders = [("2024-01-01", 1), ("2024-01-01", 2), ("2024-01-05", 1), ("2024-01-06", -3), ("2024-01-07", 4)]

    row = customer("2024-02-01", orders, product_id=["tea", "mug", "tea", "pot", None])

    # tea and mug; the pot was only sent back
    assert row.distinct_products == 2


def test_the_main_channel_share_counts_purchase_days_in_each_channel():
    days = ["2024-01-01", "2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03", "2024-01-05"]
    orders = list(zip(days, [1, 1, 1, 1, 1, -1], strict=True))

    row = customer("2024-02-01", orders, channel=["shop", "web", "web", "web", "web", "app"])

    # web on 1, 2 and 3 January, shop on 1 January; the app saw a refund only: 3 of 4
    assert (row.distinct_channels, row.main_channel_share) == (2, 0.75)


def test_an_earlier_main_channel_stays_the_main_one():
    orders = [("2024-01-01", 1), ("2024-01-02", 1), ("2024-01-03", 1)]

    row = customer("2024-02-01", orders, channel=["web", "web", "shop"])

    # web 2 days of 3, though the latest was in the shop
    assert row.main_channel_share == 2 / 3


def test_a_customer_whose_channels_are_unknown_has_no_main_channel():
    log = pd.DataFrame(
        {"customer_id": ["a", "b"], "ordered_at": "2024-01-01", "amount": 1, "channel": ["web", None]}
    )

    with PurchaseHistory(validate(log)) as history:
        b = history.features(Snapshot.parse("2024-02-01")).iloc[1]

    assert b.distinct_channels == 0
    assert isnan(b.main_channel_share)


def test_what_a_log_does_not_have_is_unknown():
    row = customer("2024-02-01", [("2024-01-01", 10)])

    assert all(
        isnan(row[name])
        for name in ("distinct_products", "distinct_channels", "main_channel_share", "net_margin")
    )


def test_net_margin_adds_the_margin_of_orders_and_refunds():
    orders = [("2024-01-01", 10), ("2024-01-01", 20), ("2024-01-09", -20), ("2024-02-01", 10)]

    row = customer("2024-02-01", orders, margin=[3, 6.5, -6.5, 3])

    # 3 + 6.50 − 6.50; 1 February is unseen
    assert (row.net_margin, row.net_spend) == (3.0, 10.0)
