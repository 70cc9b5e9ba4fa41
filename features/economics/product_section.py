"""The section of what customers buy: cross- and up-selling, discounts, and the product that they may buy next."""

from __future__ import annotations

import pandas as pd

from features.economics.cross_selling import cross_selling
from features.economics.discounts import MOST_OF_PRICE, Discounts, discounts
from features.economics.facts import Facts
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, Inputs
from features.economics.tables import Section, Table
from features.language import translated

PERIOD_TABLES = ("cross_selling", "discounts")
"""Tables of indicators by segment and period."""


def product_section(facts: Facts, inputs: Inputs) -> Section:
    """Return what the log's columns of categories, products and discounts tell."""
    tables: list[Table] = []
    notes: list[str] = []
    missing: list[str] = []
    if "category" in facts.columns:
        tables.append(
            Table("cross_selling", translated("Cross- and up-selling"), _dated(cross_selling(facts), facts))
        )
        notes += _basket_notes(facts)
    else:
        missing.append(translated("The log's column category (--category-column) adds cross-selling."))
    if not {"category", "quantity"} <= set(facts.columns):
        missing.append(
            translated(
                "The log's columns category and quantity (--category-column, --quantity-column) add up-selling."
            )
        )
    if "discount_cents" in facts.columns:
        found = discounts(facts, inputs.unit)
        tables.append(Table("discounts", translated("Discounts"), _dated(found.rows, facts)))
        notes += _discount_notes(found)
    else:
        missing.append(
            translated(
                "The log's column discount (--discount-column), money by which an amount was reduced, adds discounts."
            )
        )
    return Section("products", translated("What customers buy"), tuple(tables), tuple(notes), tuple(missing))


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


def _discount_notes(found: Discounts) -> list[str]:
    reasons = {
        translated("no number"): found.unreadable,
        translated("negative"): found.negative,
        translated(
            "more than {share:.0%} of the price, and not all of it", share=MOST_OF_PRICE
        ): found.beyond,
    }
    notes = [
        translated(
            "{n:purchase row is|purchase rows are} left out of discounts: {reason}.", n=count, reason=reason
        )
        for reason, count in reasons.items()
        if count
    ]
    if not found.given:
        notes.append(translated("No purchase has a discount above 0 in the log's column discount."))
    if found.perhaps_percentages:
        notes.append(
            translated(
                "All discounts are a few amounts up to 100. They are read as money; if they are percentages, turn "
                "them first: FILE?query=SELECT *, amount * percent / (100 - percent) AS discount FROM log."
            )
        )
    return notes
