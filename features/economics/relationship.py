"""Relationship months: what customers spend and bring in each half-year since their first purchase.

Half-years are [0, 6), [6, 12) … months from each customer's own first purchase day. A row counts only the customers
whose whole half-year the log holds, and compares them with themselves in their months 0 to 6: not with others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.table.purchase_days import PURCHASE_DAYS

HALF_YEARS = 6
MONTHS = 6

_OBSERVED = f"least({HALF_YEARS}, date_sub('month', DATE '1970-01-01' + first_day, DATE '<end>') // {MONTHS})"

_CUSTOMERS = f"""SELECT {{segment}} AS segment, {_OBSERVED} AS observed, count(*) AS customers
FROM customers AS facts{{members}}
WHERE first_day IS NOT NULL
GROUP BY 1, 2"""

# A customer is counted once in a half-year: by the first purchase in it, whose purchase before lies in an earlier one.
_HALVES = f"""WITH aged AS (
  SELECT days.customer AS customer, {_OBSERVED} AS observed,
    date_sub('month', DATE '1970-01-01' + first_day, DATE '1970-01-01' + days.day) // {MONTHS} AS half,
    date_sub('month', DATE '1970-01-01' + first_day, DATE '1970-01-01' + days.day - gap_days) // {MONTHS} AS before,
    orders, CAST(round(gross_cents * factor) AS BIGINT) - CAST(round(refund_cents * factor) AS BIGINT) AS net_cents,
    <margin> AS margin
  FROM {PURCHASE_DAYS} AS days
  JOIN customers ON customers.customer = days.customer
  JOIN calendar ON calendar.day = days.day
  WHERE days.day >= first_day
),
facts AS (SELECT * FROM aged WHERE half < observed)
SELECT {{segment}} AS segment, half, observed,
  CAST(sum(CASE WHEN orders > 0 AND coalesce(before < half, TRUE) THEN 1 ELSE 0 END) AS BIGINT) AS active,
  CAST(sum(net_cents) AS BIGINT) AS net_cents, CAST(sum(margin) AS BIGINT) AS margin_cents
FROM facts{{members}}
GROUP BY 1, 2, 3"""


_COSTS = f"""WITH facts AS (
  SELECT customers.customer AS customer, {_OBSERVED} AS observed,
    date_sub('month', DATE '1970-01-01' + first_day, DATE '1970-01-01' + costs.day) // {MONTHS} AS half,
    sum(cents) AS cents
  FROM (<costs>) AS costs
  JOIN customers ON customers.customer = costs.customer
  WHERE costs.day >= first_day
  GROUP BY 1, 2, 3
)
SELECT {{segment}} AS segment, half, observed, CAST(sum(cents) AS BIGINT) AS cost_cents
FROM facts{{members}}
WHERE half < observed
GROUP BY 1, 2, 3"""


def half_years(facts: Facts, unit: MoneyUnit, costs: str | None = None) -> pd.DataFrame:
    """Return revenue, margin and cost per customer in each half-year of the relationship, by segment.

    Parameters
    ----------
    facts : Facts
    unit : MoneyUnit
    costs : str, optional
        Query of what customers have cost beside their acquisition: ``customer, day, cents``.

    Returns
    -------
    DataFrame, up to `HALF_YEARS` rows for each segment
        segment, from_month, to_month, observed (customers); revenue and margin per acquired and per active customer;
        the same customers' revenue in months 0 to 6, and the change against it. Margins are empty without margins.
        With costs theirs too, and by how much revenue has changed more than costs.
    """
    end = facts.periods.known_until.isoformat()
    customers = facts.by_segment(_CUSTOMERS.replace("<end>", end))
    halves = facts.by_segment(_HALVES.replace("<end>", end).replace("<margin>", facts.margin_sql))
    if costs:
        halves = pd.concat(
            [halves, facts.by_segment(_COSTS.replace("<end>", end).replace("<costs>", costs))],
            ignore_index=True,
        )
    rows = [
        _row(segment, half, customers[customers["segment"] == segment], halves[halves["segment"] == segment])
        for segment in facts.groups
        for half in range(HALF_YEARS)
    ]
    found = pd.DataFrame([row for row in rows if row["observed"]])
    if found.empty:
        return found
    for name in [column for column in found if column.endswith(("_acquired", "_active"))]:
        if not (name.startswith("margin") and not facts.has_margins):
            found[name] = unit.shown(found[name])
        else:
            found[name] = np.nan
    found["revenue_change"] = found["revenue_per_acquired"] / found["first_revenue_per_acquired"] - 1
    if costs:
        revenue, cost = (
            found[f"{name}_per_acquired"] - found[f"first_{name}_per_acquired"]
            for name in ("revenue", "cost")
        )
        found["revenue_less_cost_change"] = revenue - cost
    return found


def _row(segment: str, half: int, customers: pd.DataFrame, halves: pd.DataFrame) -> dict[str, object]:
    observed = int(customers.loc[customers["observed"] > half, "customers"].sum())
    own = halves[halves["observed"] > half]
    here, first = own[own["half"] == half], own[own["half"] == 0]
    active = int(here["active"].sum())

    def per(cents: pd.Series, people: int) -> float:
        return float(cents.sum()) / people if people else np.nan

    return {
        "segment": segment,
        "from_month": MONTHS * half,
        "to_month": MONTHS * (half + 1),
        "observed": observed,
        "revenue_per_acquired": per(here["net_cents"], observed),
        "revenue_per_active": per(here["net_cents"], active),
        "margin_per_acquired": per(here["margin_cents"], observed),
        "margin_per_active": per(here["margin_cents"], active),
        "first_revenue_per_acquired": per(first["net_cents"], observed),
        **(
            {
                "cost_per_acquired": per(here["cost_cents"], observed),
                "cost_per_active": per(here["cost_cents"], active),
                "first_cost_per_acquired": per(first["cost_cents"], observed),
            }
            if "cost_cents" in halves
            else {}
        ),
    }
