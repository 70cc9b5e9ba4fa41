"""The catalogue of a report's columns: name, unit, formula and meaning, stated once.

Tables, their definitions on a page and the documentation are made from it.
"""

from __future__ import annotations

from collections.abc import Iterable

from features.economics.bid_definitions import BIDS, KEEPING
from features.economics.campaign_definitions import CAMPAIGNS
from features.economics.file_definitions import (
    ACQUISITION,
    COST_FORECAST,
    COSTS,
    LEADS,
    PROFITS,
    RECEIVABLES,
    REFERRALS,
    SURVEYS,
    TARGETS,
)
from features.economics.group_definitions import GROUPS
from features.economics.indicator import Indicator
from features.economics.log_definitions import BASE, COHORTS, HALF_YEARS, KEYS, SALES, VALUES
from features.economics.product_definitions import CROSS_SELLING, DISCOUNTS, NEXT_PRODUCTS

INDICATORS: dict[str, Indicator] = {
    each.name: each
    for each in (
        *KEYS,
        *BASE,
        *SALES,
        *ACQUISITION,
        *BIDS,
        *COHORTS,
        *VALUES,
        *HALF_YEARS,
        *COSTS,
        *KEEPING,
        *COST_FORECAST,
        *RECEIVABLES,
        *PROFITS,
        *REFERRALS,
        *SURVEYS,
        *LEADS,
        *TARGETS,
        *GROUPS,
        *CROSS_SELLING,
        *NEXT_PRODUCTS,
        *DISCOUNTS,
        *CAMPAIGNS,
    )
}
"""Every column of a report's tables by name."""

BASE_COLUMNS = tuple(each.name for each in BASE)
SALES_COLUMNS = tuple(each.name for each in SALES)
_BESIDE = (
    *("cac", "nps", "satisfaction", "satisfied_share"),
    *("leads", "conversion_rate", "cost_per_lead", "cost_of_keeping"),
)
_JUDGED = (*BASE, *SALES, *(INDICATORS[name] for name in _BESIDE), *CROSS_SELLING, *DISCOUNTS)

TARGETED = tuple(each.name for each in _JUDGED if each.better)
"""Indicators that a target can be set for."""


def catalogue_markdown(indicators: Iterable[Indicator] = INDICATORS.values()) -> str:
    """Return indicators as a Markdown table, for the documentation.

    Examples
    --------
    >>> print(catalogue_markdown([INDICATORS["churn_rate"]]))
    | column | unit | meaning | formula |
    |---|---|---|---|
    | `churn_rate` | share | Share of the active at the start who are not active at the end. | lost / start |
    """
    rows = (f"| `{each.name}` | {each.unit} | {each.meaning} | {each.formula} |" for each in indicators)
    return "\n".join(["| column | unit | meaning | formula |", "|---|---|---|---|", *rows])
