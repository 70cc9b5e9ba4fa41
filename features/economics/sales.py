"""Sales by period: buyers, orders, revenue and margin, per customer and per order, and how much the best bring."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.segments import EVERYONE
from features.language import translated

_AT = "facts.period"
TOP_SHARE = 5  # one customer in five

_SALES = """SELECT {segment} AS segment, facts.period AS period,
  count(*) FILTER (WHERE purchase_days > 0) AS buyers,
  CAST(sum(orders) AS BIGINT) AS orders,
  CAST(sum(gross_cents) AS BIGINT) AS gross_cents,
  CAST(sum(refund_cents) AS BIGINT) AS refund_cents,
  CAST(sum(nominal_cents) AS BIGINT) AS nominal_cents,
  CAST(coalesce(sum(margin_cents), 0) AS BIGINT) AS margin_cents
FROM customer_periods AS facts{members}
GROUP BY 1, 2"""

# Ties do not matter: whichever of equal amounts is taken, the sum is the same.
_TOP = f"""WITH placed AS (
  SELECT {{segment}} AS segment, facts.period AS period, <amount> AS amount,
    row_number() OVER (PARTITION BY {{segment}}, facts.period ORDER BY <amount> DESC) AS place,
    count(*) OVER (PARTITION BY {{segment}}, facts.period) AS buyers
  FROM customer_periods AS facts{{members}}
  WHERE purchase_days > 0
)
SELECT segment, period, CAST(sum(amount) AS BIGINT) AS <name>
FROM placed
WHERE place <= (buyers + {TOP_SHARE - 1}) // {TOP_SHARE}
GROUP BY 1, 2"""

_ROWS_A_DAY = """SELECT CAST(sum(orders) AS BIGINT) AS orders, CAST(sum(purchase_days) AS BIGINT) AS days
FROM customer_periods"""
_SOME_ORDERS_A_DAY = 1.05  # of a customer, where a day usually has one

_AMOUNTS = {"top_revenue_cents": "gross_cents - refund_cents", "top_margin_cents": "margin_cents"}


def rows_as_orders(facts: Facts) -> list[str]:
    """Say that each row counts as an order, where the log has no order ids and customers have several rows a day."""
    counts = facts.query(_ROWS_A_DAY).iloc[0]
    if "order_id" in facts.columns or not counts["orders"] > _SOME_ORDERS_A_DAY * counts["days"]:
        return []
    return [
        translated(
            "The log has no order ids, and each row counts as one: {orders:order|orders} on {days:day|days} of "
            "purchase of a customer. If rows are lines of orders, --order-column names the column that tells which.",
            orders=int(counts["orders"]),
            days=int(counts["days"]),
        )
    ]


def sales(facts: Facts, base: pd.DataFrame, unit: MoneyUnit) -> pd.DataFrame:
    """Return the sales of each segment and period, beside its customer base.

    Parameters
    ----------
    facts : Facts
    base : DataFrame, as `features.economics.base.customer_base` returns it
    unit : MoneyUnit

    Returns
    -------
    DataFrame by segment and period number
        buyers, orders; gross_revenue, refunds, net_revenue, nominal_net_revenue and margin in money, the last empty
        without margins; sales_per_customer, sales_per_customer_ever, average_order in money; orders_per_customer;
        repeat_rate, first_to_repeat, top_revenue_share, top_margin_share in shares, empty without a divisor.
    """
    cents = facts.grid(facts.by_segment(_SALES, _AT)).astype(np.int64)
    top = {
        name: facts.grid(facts.by_segment(_TOP.replace("<amount>", amount).replace("<name>", name), _AT))[
            name
        ]
        for name, amount in _AMOUNTS.items()
        if name != "top_margin_cents" or facts.has_margins
    }
    buyers, orders = cents["buyers"], cents["orders"]
    net = cents["gross_cents"] - cents["refund_cents"]
    margin = cents["margin_cents"].astype(float) if facts.has_margins else pd.Series(np.nan, cents.index)
    ever = base["total_base_at_start"] + base["acquired"]
    if facts.dated:  # others were in the segment before
        ever = ever.where(ever.index.get_level_values("segment") == EVERYONE, 0)
    found = {
        "buyers": buyers,
        "orders": orders,
        "gross_revenue": unit.shown(cents["gross_cents"]),
        "refunds": unit.shown(cents["refund_cents"]),
        "net_revenue": unit.shown(net),
        "nominal_net_revenue": unit.shown(cents["nominal_cents"]),
        "margin": unit.shown(margin),
        "sales_per_customer": unit.shown(ratio(net, buyers)),
        "sales_per_customer_ever": unit.shown(ratio(net.groupby(level="segment").cumsum(), ever)),
        "average_order": unit.shown(ratio(cents["gross_cents"], orders)),
        "orders_per_customer": ratio(orders, buyers),
        "repeat_rate": ratio(buyers - base["once_in_period"], buyers),
        "first_to_repeat": ratio(base["repeated_in_window"], base["acquired"]),
        "top_revenue_share": ratio(top["top_revenue_cents"], net),
        "top_margin_share": (ratio(top["top_margin_cents"], margin) if facts.has_margins else margin),
    }
    return pd.DataFrame(found, index=cents.index)


def ratio(part: pd.Series, whole: pd.Series) -> pd.Series:
    """Divide where the divisor is positive; empty elsewhere."""
    return part / whole.where(whole > 0).astype(float)
