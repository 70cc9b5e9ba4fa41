"""The section of what customers buy: cross- and up-selling, discounts, and the product that they may buy next."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from features.economics.cross_selling import cross_selling
from features.economics.discounts import Discounts, discounts
from features.economics.facts import Facts
from features.economics.indicators import with_periods
from features.economics.inputs import KEYS, Inputs, missing
from features.economics.next_product import SUPPORT, Evidence, judge_next_products, next_products
from features.economics.tables import Section, Table
from features.language import translated
from features.table.baskets import MOST_OF_PRICE

_EPOCH = date(1970, 1, 1)
NEXT_PRODUCT = "next_product"
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
    if "product_id" in facts.columns:
        tables += _next_tables(facts, notes)
    if "discount_cents" in facts.columns:
        found = discounts(facts, inputs.unit)
        tables.append(Table("discounts", translated("Discounts"), _dated(found.rows, facts)))
        findings += _discount_findings(found)
    absent = missing(
        categories="category" in facts.columns,
        quantities="quantity" in facts.columns,
        products="product_id" in facts.columns,
        discounts="discount_cents" in facts.columns,
    )
    title = translated("What customers buy")
    return Section("products", title, tuple(tables), tuple(notes), absent, tuple(findings))


def _dated(found: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    table = with_periods(found.reset_index(), facts).assign(provisional=facts.provisional(dated=True))
    return table[[*KEYS, *found.columns]]


def _basket_notes(facts: Facts) -> list[str]:
    if "order_id" in facts.columns:
        return []
    return [
        translated(
            "The log has no order ids (--order-column): here, what a customer buys on a day counts as one order of "
            "several categories; elsewhere each row counts as an order."
        )
    ]


def _next_tables(facts: Facts, notes: list[str]) -> list[Table]:
    """Return the evidence for next products, and the list of them if it is good enough; say which."""
    found = judge_next_products(facts)
    notes.append(_next_note(found, facts))
    if not found.customers:
        return []
    evidence = {
        "from": [_EPOCH + timedelta(days=found.day)],
        "to": [facts.periods.known_until],
        "customers": [found.customers],
        "hits": [found.hits],
        "hit_rate": [found.hits / found.customers],
        "popular_hits": [found.popular_hits],
        "popular_hit_rate": [found.popular_hits / found.customers],
        "better": [found.better],
    }
    judged = Table("next_product_evidence", translated("Next products, judged"), pd.DataFrame(evidence))
    if not found.better:
        return [judged]
    return [judged, Table(NEXT_PRODUCT, translated("Next products"), next_products(facts), personal=True)]


def _next_note(found: Evidence, facts: Facts) -> str:
    if not found.customers:
        return translated(
            "Next products cannot be judged: no customer has one and bought again, by products that {n:,} "
            "customers or more bought together before the last {days:day|days}. They are not shown.",
            n=SUPPORT,
            days=int(facts.periods.boundaries[-1]) - found.day,
        )
    terms = {
        "n": found.customers,
        "first": _EPOCH + timedelta(days=found.day),
        "last": facts.periods.last_day,
        "rate": found.hits / found.customers,
        "popular": found.popular_hits / found.customers,
    }
    if not found.better:
        return translated(
            "Next products are not shown: of {n:,} customers who bought again from {first:date} to {last:date}, "
            "{rate:.1%} bought the one that was known to be likeliest before, and {popular:.1%} the most popular "
            "one that they had not bought. They are shown where they do better, beyond chance.",
            **terms,
        )
    return translated(
        "Next products (next_product.csv): of {n:,} customers who bought again from {first:date} to {last:date}, "
        "{rate:.1%} bought the one that was known to be likeliest before, and {popular:.1%} the most popular one "
        "that they had not bought.",
        **terms,
    )


def _discount_findings(found: Discounts) -> list[str]:
    reasons = {
        translated("no number below ten trillion"): found.unreadable,
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
