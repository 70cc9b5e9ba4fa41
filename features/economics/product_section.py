"""The section of what customers buy: cross- and up-selling, discounts, and the product that they may buy next."""

from __future__ import annotations

import pandas as pd

from features.economics.cross_selling import cross_selling
from features.economics.discounts import MOST_OF_PRICE, Discounts, discounts
from features.economics.facts import Facts
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, Inputs, missing
from features.economics.tables import Section, Table
from features.language import translated

PERIOD_TABLES = ("cross_selling", "discounts")
"""Tables of indicators by segment and period."""


def product_section(facts: Facts, inputs: Inputs) -> Section:
    """Return what the log's columns of categories, products and discounts tell."""
    tables: list[Table] = []
    notes: list[str] = []
    findings: list[str] = []
    if "category" in facts.columns:
        tables.append(
            Table("cross_selling", translated("Cross- and up-selling"), _dated(cross_selling(facts), facts))
        )
        notes += _basket_notes(facts)
    if "discount_cents" in facts.columns:
        found = discounts(facts, inputs.unit)
        tables.append(Table("discounts", translated("Discounts"), _dated(found.rows, facts)))
        findings += _discount_findings(found)
    absent = missing(
        categories="category" in facts.columns,
        quantities="quantity" in facts.columns,
        discounts="discount_cents" in facts.columns,
    )
    title = translated("What customers buy")
    return Section("products", title, tuple(tables), tuple(notes), absent, tuple(findings))


def _dated(found: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    table = with_periods(found.reset_index(), facts).assign(provisional=facts.provisional())
    return table[[*KEYS, *found.columns]]


def _basket_notes(facts: Facts) -> list[str]:
    if "order_id" in facts.columns:
        return []
    return [
        translated(
            "The log has no order ids (--order-column): what a customer buys on a day counts as one order of "
            "several categories."
        )
    ]


def _discount_findings(found: Discounts) -> list[str]:
    reasons = {
        translated("no number"): found.unreadable,
        translated("negative"): found.negative,
        translated(
            "more than {share:.0%} of the price, and not all of it", share=MOST_OF_PRICE
        ): found.beyond,
    }
    findings = [
        translated(
            "{n:purchase row is|purchase rows are} left out of discounts: {reason}.", n=count, reason=reason
        )
        for reason, count in reasons.items()
        if count
    ]
    if not found.given:
        findings.append(translated("No purchase has a discount above 0 in the log's column discount."))
    if found.perhaps_percentages:
        findings.append(
            translated(
                "All discounts are a few amounts up to 100. They are read as money; if they are percentages, turn "
                "them first: FILE?query=SELECT *, amount * percent / (100 - percent) AS discount FROM log."
            )
        )
    return findings
