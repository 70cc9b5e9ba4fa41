"""The columns of bid ceilings, and of acquiring a customer beside keeping one."""

from __future__ import annotations

from features.economics.indicator import Indicator

BIDS = (
    Indicator(
        "newcomers", "customers", "Customers of the list whose first purchase lies in the last 90 days."
    ),
    Indicator("few_newcomers", "yes or no", "Fewer than 30 newcomers."),
    Indicator(
        "bid_ceiling",
        "money",
        "What acquiring a customer may cost at most: what newcomers have brought, net of what they cost, and are "
        "expected to bring.",
        "past_margin + potential",
        "higher",
    ),
    Indicator("headroom", "money", "What is left of it after the spend of these days.", "bid_ceiling - cac"),
)

KEEPING = (
    Indicator("keeping_a_year", "money", "Cost of keeping a customer for a year, by the last closed months."),
    Indicator(
        "cac_to_keeping",
        "number",
        "CAC of these months per cost of a year's keeping; textbooks say 5 to 25.",
        "cac / keeping_a_year",
        called="CAC to keeping",
    ),
)
