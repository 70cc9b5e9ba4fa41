"""Recency, frequency and monetary value, in the words of the buy-till-you-die literature.

All four count *purchase days*: several orders of one customer on one day are one purchase. Their
meaning never changes, whatever a marketing text calls "recency": that is ``days_since_last_purchase``.

References
----------
Fader, Hardie, Lee (2005), "Counting Your Customers" the Easy Way, Marketing Science 24(2).
Fader, Hardie (2013), The Gamma-Gamma Model of Monetary Value.
"""

from __future__ import annotations

from features.table.catalogue import Feature

TOTALS = {
    "days": "count(purchase_day)",
    "first_day": "min(purchase_day)",
    "last_day": "max(purchase_day)",
    "gross": "sum(basket)",
    "first_basket_cents": "min_by(basket, purchase_day)",
}

FEATURES = (
    Feature("frequency", "int64", "days", "Repeat purchase days: purchase days − 1.", "days - 1"),
    Feature("recency", "int64", "days", "Days from the first to the last purchase.", "last_day - first_day"),
    Feature("T", "int64", "days", "Days from the first purchase to the snapshot.", "{snapshot} - first_day"),
    Feature(
        "monetary_value",
        "float64",
        "money",
        "Mean gross spend of the repeat purchase days (the first excluded); 0 for one-time buyers.",
        "CASE WHEN days > 1 THEN (gross - first_basket_cents) / (1e2 * (days - 1)) ELSE 0 END",
    ),
)
