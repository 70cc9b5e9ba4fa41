"""The columns of tiers, stages and migration between them."""

from __future__ import annotations

from features.customer_groups import STAGES, TIERS
from features.economics.indicator import Indicator

_MEANINGS = {
    "lapsed": "No purchase day in the inactivity window.",
    "lapsing": "Overdue: silent for longer than the mean gap and two standard deviations and than the longest gap, "
    "before three purchase days than 80% of the log's gaps.",
    "first-time": "One purchase day.",
    "repeat": "Two purchase days or more.",
    "majority": "More than half of their spend on such goods is here (share_of_wallet).",
    "loyal": "Four purchase days or more in 365 days.",
    "advocate": "Somebody whom they referred has bought, and they are no detractor.",
}

STAGE_COLUMNS = {stage: stage.replace("-", "_") for stage in STAGES}
"""The column of each stage, for its customers at the end of a period."""

GROUPS = (
    Indicator(
        "tier", "text", "Tier of the scored list, by what customers are expected to bring.", words=TIERS
    ),
    Indicator(
        "attitude",
        "text",
        "What customers last answered to NPS in the last year: promoters 9 or 10, passives 7 or 8, detractors less.",
        words=("promoters", "passives", "detractors"),
    ),
    Indicator("customers", "customers", "Customers of the row."),
    Indicator("customer_share", "share", "Their share of all customers."),
    Indicator("potential_total", "money", "What they are expected to bring, by the scored list."),
    Indicator("potential_share", "share", "Their share of what all are expected to bring."),
    Indicator(
        "year_revenue", "money", "Net revenue of the log's last 365 days.", called="net revenue of the year"
    ),
    Indicator("year_revenue_share", "share", "Their share of it."),
    Indicator(
        "stage_at_start",
        "text",
        "Stage at the period's start; new: their first purchase is in the period.",
        words=("new", *STAGES),
    ),
    *(
        Indicator(column, "customers", f"In this stage at the end. {_MEANINGS[stage]}")
        for stage, column in STAGE_COLUMNS.items()
    ),
    Indicator("prospects", "number", "Qualified leads who are no customers yet at the period's end."),
    Indicator("suspects", "number", "Other leads who are no customers yet at the period's end."),
    Indicator("lapsed_share", "share", "Share who have lapsed at the end.", "lapsed / customers", "lower"),
    Indicator("buying", "customers", "Of them, with a purchase day in the period."),
    Indicator("revenue", "money", "Their net revenue in the period.", called="net revenue"),
    Indicator("brought_margin", "money", "Their margin in the period."),
)
