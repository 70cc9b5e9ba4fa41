"""Features of time: tenure, time since the last purchase, and gaps between purchases.

A gap is the number of days between two successive purchase days. A one-time buyer has none, so gap
features are NaN there: unknown, not zero. ``overdue_ratio`` divides the time since the last
purchase by the customer's mean gap: at 1 a purchase is due today, 3 is three times the usual gap.
"""

from __future__ import annotations

from features.table.catalogue import Feature, sample_std, square

TOTALS = {
    "gap_squares": f"sum({square('gap_days')})",
    "last_gap": "max_by(gap_days, purchase_day)",
    "max_gap": "max(gap_days)",
    "months": "sum(new_month)",
    "purchase_days_365": "sum(CASE WHEN purchase_day >= {snapshot} - 365 THEN 1 ELSE 0 END)",
}

FEATURES = (
    Feature(
        "tenure_days",
        "int64",
        "days",
        "Days since the first purchase: the everyday name of T.",
        "{snapshot} - first_day",
    ),
    Feature(
        "first_purchase_day",
        "int64",
        "days since 1970",
        "Day of the first purchase, since 1970-01-01: unlike T it stays as the log grows.",
        "first_day",
    ),
    Feature(
        "days_since_last_purchase",
        "int64",
        "days",
        "Days from the last purchase to the snapshot: T − recency.",
        "{snapshot} - last_day",
    ),
    Feature(
        "mean_gap_days",
        "float64",
        "days",
        "Mean days between successive purchase days; NaN without a repeat purchase.",
        "CASE WHEN days > 1 THEN (last_day - first_day) / (1e0 * (days - 1)) END",
    ),
    Feature(
        "std_gap_days",
        "float64",
        "days",
        "Sample standard deviation of the gaps; NaN with fewer than two gaps.",
        f"CASE WHEN days > 2 THEN {sample_std('(days - 1)', '(last_day - first_day)', 'gap_squares')} END",
    ),
    Feature(
        "last_gap_days",
        "float64",
        "days",
        "Days between the last two purchase days; NaN without a repeat purchase.",
        "last_gap",
    ),
    Feature("max_gap_days", "float64", "days", "Longest gap; NaN without a repeat purchase.", "max_gap"),
    Feature(
        "overdue_ratio",
        "float64",
        "ratio",
        "days_since_last_purchase / mean_gap_days; NaN without a repeat purchase.",
        "CASE WHEN days > 1 THEN ({snapshot} - last_day) * (days - 1) / (1e0 * (last_day - first_day)) END",
    ),
    Feature(
        "active_months",
        "int64",
        "months",
        "Calendar months with a purchase.",
        "months",
    ),
    Feature(
        "purchase_days_365d",
        "int64",
        "days",
        "Purchase days in the last 365 days. For stages; the churn model does not learn from it.",
        "purchase_days_365",
    ),
)
