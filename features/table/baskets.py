"""Features of what customers buy and of what they pay for it, where the log tells products, quantities or prices.

They are no part of the table that every model learns from: training tries them as it tries a file beside the log, as
two groups, ``products`` and ``prices``, and a version has those that surely make it better. As in
`features.table.purchase_days` the log is collapsed once to a row per customer and day, of which none depends on a later
day; a snapshot is a pass over the days before it. All is told of the customer's own lines, so that a request of one
customer gets the numbers of the list: what others paid for a product plays no part.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.engines.engine import Engine
from features.snapshot import Snapshot
from features.table.catalogue import Feature, catalogue_markdown
from features.table.purchase_days import LOG

PRODUCTS, PRICES = "products", "prices"
GROUPS = (PRODUCTS, PRICES)
"""What features of baskets tell of: each group is tried alone."""

MOST_OF_PRICE = 0.99
"""Larger shares of the price let off are mistakes, such as a price in another unit; all of it is a gift."""

_MOST_TO_AMOUNT = round(MOST_OF_PRICE / (1 - MOST_OF_PRICE))
BEYOND_PRICE = f"amount_cents > 0 AND discount_cents > {_MOST_TO_AMOUNT} * CAST(amount_cents AS HUGEINT)"
"""SQL of a line whose discount takes off more than that."""

BASKET_DAYS = "basket_days"

_SOUND = f"discount_cents >= 0 AND NOT ({BEYOND_PRICE})"


def _sum(what: str, condition: str) -> str:
    return f"sum(CASE WHEN {condition} THEN {what} ELSE 0 END)"


# Sums of a day's lines, by the column that they take. Quantities are thousandths, for sums of whole numbers are exact.
_OF_LINES = {
    "quantity": {
        "units": _sum("CAST(round(quantity * 1000) AS BIGINT)", "quantity > 0 AND quantity < 1e12"),
        "counted_cents": _sum("amount_cents", "quantity > 0 AND quantity < 1e12"),
    },
    "discount_cents": {
        "off_cents": _sum("discount_cents", _SOUND),
        "listed_cents": _sum("amount_cents + discount_cents", _SOUND),
        "off_lines": _sum("1", f"{_SOUND} AND discount_cents > 0"),
        "priced_lines": _sum("1", _SOUND),
    },
    "margin_cents": {
        "earned_cents": "sum(margin_cents)",
        "below_cost_cents": _sum("amount_cents", "margin_cents <= 0"),
        "sold_cents": "sum(amount_cents)",
    },
}

# Days of a product or category, numbered: the first is new, the highest number so far is the favourite's.
_OF_DAYS = {
    "product_id": {"products": "count(*)", "known_products": _sum("1", "nth > 1")},
    "category": {
        "categories": "count(*)",
        "new_categories": _sum("1", "nth = 1"),
        "favourite_days": "max(nth)",
    },
}

_RECENT_DAYS = 365


def _recent(column: str) -> str:
    return _sum(column, f"day >= {{snapshot}} - {_RECENT_DAYS}")


_TOTALS = {
    "product_id": {
        "product_days": _recent("products"),
        "known_product_days": _recent("known_products"),
        "told_days": _recent("CASE WHEN products > 0 THEN 1 ELSE 0 END"),
        "last_products": "max_by(products, CASE WHEN products > 0 THEN day END)",
    },
    "category": {
        "category_days": "sum(categories)",
        "categories_bought": "sum(new_categories)",
        "favourite_days": "max(favourite_days)",
    },
    "quantity": {
        "units": _recent("units"),
        "counted_cents": _recent("counted_cents"),
        "counted_days": _recent("CASE WHEN units > 0 THEN 1 ELSE 0 END"),
    },
    "discount_cents": {name: _recent(name) for name in _OF_LINES["discount_cents"]},
    "margin_cents": {name: _recent(name) for name in _OF_LINES["margin_cents"]},
}


def _feature(name: str, unit: str, meaning: str, expression: str, needs: str) -> Feature:
    return Feature(name, "float64", unit, meaning, expression, needs)


def _ratio(part: str, whole: str) -> str:
    return f"CASE WHEN {whole} > 0 THEN {part} / (1e0 * {whole}) END"


OF_PRODUCTS: tuple[Feature, ...] = (
    _feature(
        "products_per_day_365d",
        "products",
        "Distinct products of a purchase day, the mean of the last 365 days; NaN without one.",
        _ratio("product_days", "told_days"),
        "product_id",
    ),
    _feature(
        "products_last_day",
        "products",
        "Distinct products of the last purchase day with a known product; NaN without one.",
        "last_products",
        "product_id",
    ),
    _feature(
        "repeat_product_share_365d",
        "0 to 1",
        "Of the products of the purchase days of the last 365 days, the share that the customer had bought on an "
        "earlier day; NaN without a product.",
        _ratio("known_product_days", "product_days"),
        "product_id",
    ),
    _feature(
        "distinct_categories", "categories", "Distinct categories bought.", "categories_bought", "category"
    ),
    _feature(
        "main_category_share",
        "0 to 1",
        "Purchase days with the favourite category / the sum over all categories; NaN if no category is known.",
        _ratio("favourite_days", "category_days"),
        "category",
    ),
    _feature(
        "units_per_day_365d",
        "units",
        "Units of a purchase day, the mean of the last 365 days; NaN where no quantity is known.",
        _ratio("units", "(1000 * counted_days)"),
        "quantity",
    ),
)

OF_PRICES: tuple[Feature, ...] = (
    _feature(
        "spend_per_unit_365d",
        "money",
        "Price level: gross spend per unit in the last 365 days; NaN where no quantity is known.",
        "CASE WHEN units > 0 THEN 1e1 * counted_cents / units END",
        "quantity",
    ),
    _feature(
        "discount_rate_365d",
        "0 to 1",
        "Discount / list price of what was bought in the last 365 days; NaN where nothing was.",
        _ratio("off_cents", "listed_cents"),
        "discount_cents",
    ),
    _feature(
        "discounted_share_365d",
        "0 to 1",
        "Share of the lines of the last 365 days that were bought at a discount; NaN without a line.",
        _ratio("off_lines", "priced_lines"),
        "discount_cents",
    ),
    _feature(
        "margin_rate_365d",
        "ratio",
        "Margin / gross spend of what was bought in the last 365 days; NaN where nothing was spent.",
        _ratio("earned_cents", "sold_cents"),
        "margin_cents",
    ),
    _feature(
        "below_cost_share_365d",
        "0 to 1",
        "Share of the gross spend of the last 365 days on lines without a margin; NaN where nothing was spent.",
        _ratio("below_cost_cents", "sold_cents"),
        "margin_cents",
    ),
)

FEATURES: tuple[Feature, ...] = (*OF_PRODUCTS, *OF_PRICES)

GROUP_OF = {
    feature.name: group
    for group, features in zip(GROUPS, (OF_PRODUCTS, OF_PRICES), strict=True)
    for feature in features
}
"""The group of each feature."""

NEEDS = {feature.name: str(feature.needs) for feature in FEATURES}
"""The column of the log without which a feature is not known."""


def told_by(columns: Collection[str]) -> tuple[str, ...]:
    """Return the features that a log with these columns tells.

    Quantities are told of products or categories: of an order as a whole they say what its amount says.

    Examples
    --------
    >>> told_by(["customer_id", "ordered_on", "amount_cents", "category"])
    ('distinct_categories', 'main_category_share')
    >>> told_by(["customer_id", "ordered_on", "amount_cents", "quantity"])
    ()
    """
    known = set(columns)
    if not known & _OF_DAYS.keys():
        known.discard("quantity")
    return tuple(name for name, column in NEEDS.items() if column in known)


def basket_days_sql(columns: Collection[str]) -> str:
    """Return the query that collapses a log with these columns to a row per customer and day with a purchase.

    Examples
    --------
    >>> print(basket_days_sql(["margin_cents"]))
    WITH lines AS (
    ...
      sum(margin_cents) AS earned_cents,
    ...
    """
    sums = {name: sql for column in _OF_LINES.keys() & {*columns} for name, sql in _OF_LINES[column].items()}
    made = "".join(f",\n    {sql} AS {name}" for name, sql in sorted(sums.items()))
    steps = [
        f"lines AS (\n  SELECT customer_id, ordered_on, count(*) AS bought_lines{made}\n  FROM {LOG}\n"
        "  WHERE amount_cents >= 0\n  GROUP BY customer_id, ordered_on\n)"
    ]
    select = "".join(f",\n  CAST({name} AS BIGINT) AS {name}" for name in sorted(sums))
    joins = ""
    for column, counts in _OF_DAYS.items():
        if column not in columns:
            continue
        steps.append(_numbered(column, counts))
        select += "".join(f",\n  CAST(coalesce({column}s.{name}, 0) AS BIGINT) AS {name}" for name in counts)
        joins += f"\nLEFT JOIN {column}s ON {column}s.customer_id = lines.customer_id"
        joins += f" AND {column}s.ordered_on = lines.ordered_on"
    head = "\nSELECT lines.customer_id AS customer_id, unix_date(lines.ordered_on) AS day"
    return "WITH " + ",\n".join(steps) + head + select + "\nFROM lines" + joins


def _numbered(column: str, counts: dict[str, str]) -> str:
    made = ", ".join(f"{sql} AS {name}" for name, sql in counts.items())
    return f"""{column}_days AS (
  SELECT DISTINCT customer_id, {column}, ordered_on
  FROM {LOG}
  WHERE amount_cents >= 0 AND {column} IS NOT NULL
),
numbered_{column}_days AS (
  SELECT customer_id, ordered_on,
    row_number() OVER (PARTITION BY customer_id, {column} ORDER BY ordered_on) AS nth
  FROM {column}_days
),
{column}s AS (
  SELECT customer_id, ordered_on, {made}
  FROM numbered_{column}_days
  GROUP BY customer_id, ordered_on
)"""


def basket_columns(
    engine: Engine,
    columns: Collection[str],
    snapshot: Snapshot,
    names: Sequence[str],
    customer_ids: np.ndarray,
) -> dict[str, np.ndarray]:
    """Return features of baskets of customers at a snapshot; NaN where undefined or where the log lacks the column.

    Parameters
    ----------
    engine : Engine, which has the log and, of a log with one of their columns, `BASKET_DAYS`
    columns : collection of str, those of the log
    snapshot : Snapshot
    names : sequence of str, of `FEATURES`
    customer_ids : ndarray of shape (n_customers,)
    """
    found = {name: np.full(len(customer_ids), np.nan) for name in names}
    told = [feature for feature in FEATURES if feature.name in {*names} & {*told_by(columns)}]
    if not told:
        return found
    day = (snapshot.date - date(1970, 1, 1)).days
    needed = dict.fromkeys(NEEDS[each.name] for each in told)
    totals = [f"{sql} AS {name}" for column in needed for name, sql in _TOTALS[column].items()]
    sums = ", ".join(totals).format(snapshot=day)
    features = ", ".join(f"CAST({each.expression} AS DOUBLE) AS {each.name}" for each in told)
    rows = engine.query(
        f"WITH totals AS (SELECT customer_id, {sums} FROM {BASKET_DAYS} WHERE day < {day} GROUP BY customer_id)\n"
        f"SELECT customer_id, {features} FROM totals ORDER BY customer_id"
    )
    places = pc.index_in(pa.array(customer_ids, pa.string()), value_set=rows["customer_id"].combine_chunks())
    known = rows.take(places)
    return found | {each.name: known[each.name].to_numpy() for each in told}


def basket_catalogue_markdown() -> str:
    """Return `FEATURES` as a Markdown table: name, type, unit, meaning."""
    return catalogue_markdown(FEATURES)
