"""Discounts: what customers were let off the list price, by segment and period.

The log's column ``discount`` is money by which the amount was reduced: an amount of 300,000 with a discount of
1,700,000 was listed at 2,000,000, and 85% of it was let off. Refunds have none. A discount that is no number, is
negative or takes off more than `MOST_OF_PRICE` of the price and not all of it is left out with its amount, and counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.sales import ratio
from features.table.baskets import BEYOND_PRICE
from features.table.purchase_days import LOG

# Lines of an order count once, as in the purchase days; lines without an id are an order each.
_DISCOUNTS = f"""WITH judged AS (
  SELECT log.customer_id AS customer_id, calendar.period AS period, ordered_on, {{order_id}} AS order_id,
    CASE WHEN discount_cents IS NULL THEN 'unreadable' WHEN discount_cents < 0 THEN 'negative'
      WHEN {BEYOND_PRICE} THEN 'beyond' ELSE 'sound' END AS kind,
    CAST(round(amount_cents * factor) AS BIGINT) AS cents,
    CAST(round(discount_cents * factor) AS BIGINT) AS off_cents
  FROM {LOG} AS log
  JOIN calendar ON calendar.day = unix_date(log.ordered_on)
  WHERE amount_cents >= 0
),
baskets AS (
  SELECT customer_id, period, order_id, ordered_on,
    count(*) FILTER (WHERE kind = 'sound') AS lines,
    count(*) FILTER (WHERE kind = 'sound' AND off_cents > 0) AS off_lines,
    sum(CASE WHEN kind = 'sound' THEN cents ELSE 0 END) AS cents,
    sum(CASE WHEN kind = 'sound' THEN off_cents ELSE 0 END) AS off_cents,
    count(*) FILTER (WHERE kind = 'unreadable') AS unreadable,
    count(*) FILTER (WHERE kind = 'negative') AS negative,
    count(*) FILTER (WHERE kind = 'beyond') AS beyond
  FROM judged
  GROUP BY customer_id, period, ordered_on, order_id
)
SELECT customers.customer AS customer, period,
  CAST(sum(CASE WHEN order_id IS NULL THEN lines ELSE least(lines, 1) END) AS BIGINT) AS orders,
  CAST(sum(CASE WHEN order_id IS NULL THEN off_lines ELSE least(off_lines, 1) END) AS BIGINT) AS off_orders,
  CAST(sum(cents) AS BIGINT) AS cents, CAST(sum(baskets.off_cents) AS BIGINT) AS off_cents,
  CAST(sum(unreadable) AS BIGINT) AS unreadable, CAST(sum(negative) AS BIGINT) AS negative,
  CAST(sum(beyond) AS BIGINT) AS beyond
FROM baskets
JOIN customers ON customers.customer_id = baskets.customer_id
GROUP BY customers.customer, period"""

_SUMS = """SELECT {segment} AS segment, facts.period AS period, CAST(sum(orders) AS BIGINT) AS orders,
  CAST(sum(off_orders) AS BIGINT) AS off_orders, CAST(sum(cents) AS BIGINT) AS cents,
  CAST(sum(off_cents) AS BIGINT) AS off_cents
FROM discounted AS facts{members}
GROUP BY 1, 2"""

_LEFT_OUT = """SELECT CAST(coalesce(sum(unreadable), 0) AS BIGINT) AS unreadable,
  CAST(coalesce(sum(negative), 0) AS BIGINT) AS negative, CAST(coalesce(sum(beyond), 0) AS BIGINT) AS beyond
FROM discounted"""

# A percentage is one of a few whole numbers; so may be a voucher, which is why it is asked.
_FEW_VALUES, _MANY_ROWS = 20, 100
_VALUES = f"""SELECT count(*) AS rows, count(DISTINCT discount_cents) AS amounts, max(discount_cents) AS largest
FROM {LOG} WHERE amount_cents >= 0 AND discount_cents > 0"""


@dataclass(frozen=True)
class Discounts:
    """Discounts of each segment and period, and the rows that could not be used.

    Attributes
    ----------
    rows : DataFrame by segment and period number
        discounts in money, discount_share, orders_on_discount, discounted_order_share; shares are empty without a sale
    unreadable, negative, beyond : int, rows that are left out: no number, negative, more than is sensible
    given : int, rows with a discount
    perhaps_percentages : bool, few whole values up to 100 stand in many rows
    """

    rows: pd.DataFrame
    unreadable: int
    negative: int
    beyond: int
    given: int
    perhaps_percentages: bool


def discounts(facts: Facts, unit: MoneyUnit) -> Discounts:
    """Return the discounts of a log that has the column ``discount_cents``."""
    order_id = "log.order_id" if "order_id" in facts.columns else "CAST(NULL AS VARCHAR)"
    facts.engine.create("discounted", _DISCOUNTS.format(order_id=order_id))
    sums = facts.grid(facts.by_segment(_SUMS, "facts.period")).astype(np.int64)
    found = pd.DataFrame(
        {
            "discounts": unit.shown(sums["off_cents"]),
            "discount_share": ratio(sums["off_cents"], sums["cents"] + sums["off_cents"]),
            "orders_on_discount": sums["off_orders"],
            "discounted_order_share": ratio(sums["off_orders"], sums["orders"]),
        },
        index=sums.index,
    )
    left_out, values = facts.query(_LEFT_OUT).iloc[0], facts.query(_VALUES).iloc[0]
    many = values["rows"] >= _MANY_ROWS and values["amounts"] <= _FEW_VALUES
    return Discounts(
        found,
        unreadable=int(left_out["unreadable"]),
        negative=int(left_out["negative"]),
        beyond=int(left_out["beyond"]),
        given=int(values["rows"]),
        perhaps_percentages=bool(many and values["largest"] <= 100 * 100),
    )
