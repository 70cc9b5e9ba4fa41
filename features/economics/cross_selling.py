"""Cross- and up-selling: orders of several categories, categories new to a customer, and higher prices than before.

An order of the log is a basket; where the log has no order ids, what a customer buys on a day is one. Cross-buyers had
bought before the period and buy in it a category that they had not bought before it. A repeat purchase is the next day
on which a customer buys in a category; its unit price is the day's money in the category per quantity, real money
where there is a deflator, and more than `PRICE_STEP` above that of the customer's last such day is up-selling.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.facts import Facts
from features.economics.sales import ratio
from features.table.purchase_days import LOG

PRICE_STEP = 0.05
_ROUNDING = 1e-9

_CATEGORY_LINES = f"""SELECT customers.customer AS customer, calendar.day AS day, calendar.period AS period,
  category, {{order_id}} AS order_id,
  CAST(round(amount_cents * factor) AS BIGINT) AS cents, {{thousandths}} AS thousandths
FROM {LOG} AS log
JOIN customers ON customers.customer_id = log.customer_id
JOIN calendar ON calendar.day = unix_date(log.ordered_on)
WHERE amount_cents >= 0 AND category IS NOT NULL"""
# Quantities are whole thousandths, so that sums do not depend on their order.
_THOUSANDTHS = """CASE WHEN quantity BETWEEN 0.001 AND 1000000000
    THEN CAST(round(quantity * 1000) AS BIGINT) END"""

_BASKETS = """SELECT customer, period, CAST(sum(orders) AS BIGINT) AS orders, CAST(sum(several) AS BIGINT) AS several
FROM (
  SELECT customer, period, CASE WHEN {without_id} THEN count(*) ELSE 1 END AS orders,
    CASE WHEN {without_id} OR count(DISTINCT category) < 2 THEN 0 ELSE 1 END AS several
  FROM category_lines
  GROUP BY customer, period, day, order_id
) AS baskets
GROUP BY customer, period"""

_FIRSTS = """SELECT customer, category, min(period) AS period
FROM category_lines
GROUP BY customer, category"""
_BUYERS = "SELECT customer, min(period) AS first_period FROM category_firsts GROUP BY customer"

_PRICED = f"""WITH prices AS (
  SELECT customer, category, day, any_value(period) AS period,
    CAST(sum(cents) AS DOUBLE) / CAST(sum(thousandths) AS DOUBLE) AS price
  FROM category_lines
  WHERE cents > 0 AND thousandths > 0
  GROUP BY customer, category, day
),
in_turn AS (
  SELECT customer, period, price, lag(price) OVER (PARTITION BY customer, category ORDER BY day) AS last_price
  FROM prices
)
SELECT customer, period, count(*) AS repeats,
  count(*) FILTER (WHERE price > last_price * {(1 + PRICE_STEP) * (1 + _ROUNDING)!r}) AS dearer
FROM in_turn
WHERE last_price IS NOT NULL
GROUP BY customer, period"""

_COUNTS = (
    (
        "facts.period",
        """SELECT {segment} AS segment, facts.period AS period, CAST(sum(orders) AS BIGINT) AS orders,
  CAST(sum(several) AS BIGINT) AS several, count(*) FILTER (WHERE facts.period > first_period) AS again
FROM category_baskets AS facts
JOIN category_buyers ON category_buyers.customer = facts.customer{members}
GROUP BY 1, 2""",
    ),
    (
        "facts.first_period",
        """SELECT {segment} AS segment, facts.first_period AS period, count(*) AS came
FROM category_buyers AS facts{members}
GROUP BY 1, 2""",
    ),
    (
        "facts.period",
        """SELECT {segment} AS segment, facts.period AS period, count(DISTINCT facts.customer) AS crossed
FROM category_firsts AS facts
JOIN category_buyers ON category_buyers.customer = facts.customer{members}
WHERE facts.period > first_period
GROUP BY 1, 2""",
    ),
    (
        "facts.period",
        """SELECT {segment} AS segment, facts.period AS period, CAST(sum(repeats) AS BIGINT) AS repeats,
  CAST(sum(dearer) AS BIGINT) AS dearer
FROM category_prices AS facts{members}
GROUP BY 1, 2""",
    ),
)

# Where segments change with time.
_EARLIER = """SELECT {segment} AS segment, starts.period AS period, count(*) AS earlier
FROM category_buyers AS facts
JOIN starts ON starts.period > facts.first_period{members}
GROUP BY 1, 2"""


def cross_selling(facts: Facts) -> pd.DataFrame:
    """Return cross- and up-selling of a log that has the column ``category``.

    Returns
    -------
    DataFrame by segment and period number
        category_orders, multi_category_share; earlier_buyers, cross_buyers, cross_buying_rate; buying_again,
        cross_share_of_buying; repeat_purchases and up_selling_share, both empty without quantities.
    """
    has_orders, has_quantities = (name in facts.columns for name in ("order_id", "quantity"))
    lines = _CATEGORY_LINES.format(
        order_id="log.order_id" if has_orders else "CAST(NULL AS VARCHAR)",
        thousandths=_THOUSANDTHS if has_quantities else "CAST(NULL AS BIGINT)",
    )
    facts.engine.create("category_lines", lines)
    without_id = "order_id IS NULL" if has_orders else "FALSE"
    facts.engine.create("category_baskets", _BASKETS.format(without_id=without_id))
    facts.engine.create("category_firsts", _FIRSTS)
    facts.engine.create("category_buyers", _BUYERS)
    facts.engine.create("category_prices", _PRICED)
    counts = pd.concat([facts.grid(facts.by_segment(sql, at)) for at, sql in _COUNTS], axis="columns")
    counts = counts.astype(np.int64)
    if facts.dated:
        earlier = facts.grid(facts.by_segment(_EARLIER, "starts.period"))["earlier"].astype(np.int64)
    else:
        earlier = counts["came"].groupby(level="segment").cumsum() - counts["came"]
    repeats = counts["repeats"].astype(float) if has_quantities else counts["repeats"] * np.nan
    return pd.DataFrame(
        {
            "category_orders": counts["orders"],
            "multi_category_share": ratio(counts["several"], counts["orders"]),
            "earlier_buyers": earlier,
            "cross_buyers": counts["crossed"],
            "cross_buying_rate": ratio(counts["crossed"], earlier),
            "buying_again": counts["again"],
            "cross_share_of_buying": ratio(counts["crossed"], counts["again"]),
            "repeat_purchases": repeats,
            "up_selling_share": ratio(counts["dearer"], repeats),
        }
    )
