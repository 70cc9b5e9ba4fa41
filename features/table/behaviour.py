"""Features of purchase behaviour: recent spend, baskets, refunds, products, channels and season.

Money of orders is gross (refunds not subtracted), except ``net_spend`` and ``net_margin``. A basket is the
gross spend of one purchase day. The window of the last N days is ``[snapshot − N, snapshot)``. A trend is
``(now − before) / (now + before)`` of the last 90 days against the 90 before them: −1 went silent, 0 even
(or nothing in both), 1 all of it new.
"""

from __future__ import annotations

from features.table.catalogue import Feature, money, sample_std, square

WINDOWS_DAYS = (30, 90, 180, 365)


def _recent(column: str, days: int) -> str:
    return f"sum(CASE WHEN day >= {{snapshot}} - {days} THEN {column} ELSE 0 END)"


def _trend(what: str) -> str:
    # the last 180 days are "now" and "before" together, so before = 180 days − 90 days
    return f"CASE WHEN {what}_180 > 0 THEN (2 * {what}_90 - {what}_180) / (1e0 * {what}_180) ELSE 0 END"


TOTALS = {
    **{f"orders_{days}": _recent("orders", days) for days in WINDOWS_DAYS},
    **{f"gross_{days}": _recent("gross_cents", days) for days in WINDOWS_DAYS},
    "basket_squares": f"sum({square('basket')})",
    "max_basket_cents": "max(basket)",
    "min_basket_cents": "min(basket)",
    "last_basket_cents": "max_by(basket, purchase_day)",
    "refunded": "sum(refund_cents)",
    "refund_rows": "sum(refunds)",
}

# What a log can add, by the column that it takes.
OPTIONAL_TOTALS = {
    "product_id": {"products": "sum(new_products)"},
    "channel": {
        "channels_used": "sum(new_channels)",
        "channel_days": "sum(channels)",
        "main_channel_days": "max(main_channel_days)",
    },
    "margin_cents": {"margin": "sum(margin_cents)"},
}

_MONEY = "money"

FEATURES = (
    *(
        Feature(
            f"orders_{days}d",
            "int64",
            "orders",
            f"Orders in the last {days} days: a day's distinct order ids where the log has them, else"
            " its rows that are no refund.",
            f"orders_{days}",
        )
        for days in WINDOWS_DAYS
    ),
    *(
        Feature(
            f"spend_{days}d",
            "float64",
            _MONEY,
            f"Gross spend in the last {days} days.",
            money(f"gross_{days}"),
        )
        for days in WINDOWS_DAYS
    ),
    Feature(
        "orders_trend_90d",
        "float64",
        "−1 to 1",
        "Orders of the last 90 days against the 90 before: (now − before) / (now + before); 0 if none.",
        _trend("orders"),
    ),
    Feature(
        "spend_trend_90d",
        "float64",
        "−1 to 1",
        "Gross spend of the last 90 days against the 90 before, in the same form.",
        _trend("gross"),
    ),
    Feature("mean_basket", "float64", _MONEY, "Mean gross spend of a purchase day.", "gross / (1e2 * days)"),
    Feature(
        "max_basket", "float64", _MONEY, "Largest gross spend of a purchase day.", money("max_basket_cents")
    ),
    Feature(
        "min_basket", "float64", _MONEY, "Smallest gross spend of a purchase day.", money("min_basket_cents")
    ),
    Feature(
        "std_basket",
        "float64",
        _MONEY,
        "Sample standard deviation of the purchase days' gross spend; NaN with fewer than two.",
        f"CASE WHEN days > 1 THEN {sample_std('days', 'gross', 'basket_squares')} / 1e2 END",
    ),
    Feature(
        "first_basket",
        "float64",
        _MONEY,
        "Gross spend of the first purchase day.",
        money("first_basket_cents"),
    ),
    Feature(
        "last_basket", "float64", _MONEY, "Gross spend of the last purchase day.", money("last_basket_cents")
    ),
    Feature("refund_count", "int64", "rows", "Rows with a negative amount.", "refund_rows"),
    Feature(
        "refund_share",
        "float64",
        "ratio",
        "Refunded money / gross money; 0 without refunds, NaN where there are refunds and no gross money.",
        "CASE WHEN refunded = 0 THEN 0 WHEN gross > 0 THEN refunded / (1e0 * gross) END",
    ),
    Feature("snapshot_weekday", "int64", "0 to 6", "Weekday of the snapshot, Monday 0.", "{weekday}"),
    Feature("snapshot_month", "int64", "1 to 12", "Calendar month of the snapshot: the season.", "{month}"),
    Feature(
        "distinct_products",
        "float64",
        "products",
        "Distinct products bought; NaN where the log has no product_id.",
        "products",
        needs="product_id",
    ),
    Feature(
        "distinct_channels",
        "float64",
        "channels",
        "Distinct channels bought through; NaN where the log has no channel.",
        "channels_used",
        needs="channel",
    ),
    Feature(
        "main_channel_share",
        "float64",
        "0 to 1",
        "Purchase days in the most used channel / the sum over all channels; NaN if no channel is known.",
        "CASE WHEN channel_days > 0 THEN main_channel_days / (1e0 * channel_days) END",
        needs="channel",
    ),
    Feature("gross_spend", "float64", _MONEY, "Money of all orders, refunds not subtracted.", money("gross")),
    Feature("net_spend", "float64", _MONEY, "Money of all orders less refunds.", money("(gross - refunded)")),
    Feature(
        "net_margin",
        "float64",
        _MONEY,
        "Margin of all rows, refunds included; NaN where the log has no margin.",
        money("margin"),
        needs="margin_cents",
    ),
)
