"""Cohorts: customers by the period of their first purchase, followed through the periods since.

The triangle has a row for each cohort and age, in periods: age 0 is the period of the first purchase. A cohort has
paid back once its cumulative margin per acquired customer covers what acquiring one cost; by purchases, once the mean
margin of the first n purchases does, where a customer who stopped before counts with what they brought until then.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.table.purchase_days import PURCHASE_DAYS

MOST_PURCHASES = 60
"""Purchases up to which payback is looked for."""

# A refund before the first purchase of the log belongs to the cohort's beginning.
_TRIANGLE = """SELECT {segment} AS segment, facts.cohort AS cohort, greatest(facts.period, facts.cohort) AS period,
  count(*) FILTER (WHERE purchase_days > 0) AS buyers,
  CAST(sum(gross_cents - refund_cents) AS BIGINT) AS net_cents,
  CAST(coalesce(sum(margin_cents), 0) AS BIGINT) AS margin_cents
FROM customer_periods AS facts{members}
WHERE facts.cohort IS NOT NULL
GROUP BY 1, 2, 3"""

_ACTIVE = """SELECT {segment} AS segment, customers.first_period AS cohort, facts.from_boundary AS from_boundary,
  facts.to_boundary AS to_boundary, count(*) AS customers
FROM active_runs AS facts
JOIN customers ON customers.customer = facts.customer{members}
GROUP BY 1, 2, 3, 4"""

_ACQUIRED = """SELECT {segment} AS segment, facts.first_period AS cohort, count(*) AS acquired
FROM customers AS facts{members}
WHERE facts.first_day IS NOT NULL
GROUP BY 1, 2"""

# The purchase days up to a row number its purchase: a day of refunds belongs to the purchase before it.
_PURCHASES = f"""WITH numbered AS (
  SELECT customers.first_period AS cohort, {{margin}} AS margin_cents,
    greatest(1, sum(CASE WHEN orders > 0 THEN 1 ELSE 0 END) OVER (
      PARTITION BY days.customer ORDER BY days.day ROWS UNBOUNDED PRECEDING
    )) AS purchase
  FROM {PURCHASE_DAYS} AS days
  JOIN customers ON customers.customer = days.customer
  JOIN calendar ON calendar.day = days.day
  WHERE customers.first_day IS NOT NULL
)
SELECT cohort, CAST(purchase AS BIGINT) AS purchase, CAST(sum(margin_cents) AS BIGINT) AS margin_cents
FROM numbered
WHERE purchase <= {MOST_PURCHASES}
GROUP BY 1, 2"""


def triangle(facts: Facts, unit: MoneyUnit) -> pd.DataFrame:
    """Follow each cohort of each segment through its periods.

    Returns
    -------
    DataFrame, a row for each segment, cohort and age
        segment; cohort, period and age (int, numbers of periods); acquired, buyers, active (int); share_buying,
        share_active; net_revenue, margin, and the cumulative margin per acquired customer in money, the last two
        empty without margins.
    """
    cells = _cells(facts)
    keys = ["segment", "cohort", "period"]
    found = cells.merge(facts.by_segment(_TRIANGLE), "left", on=keys).fillna(
        {"buyers": 0, "net_cents": 0, "margin_cents": 0}
    )
    found["active"] = _active(facts, cells)
    acquired = found["acquired"].astype(float)
    cumulative = found.groupby(["segment", "cohort"], sort=False)["margin_cents"].cumsum()
    if not facts.has_margins:
        found["margin_cents"], cumulative = np.nan, pd.Series(np.nan, found.index)
    return pd.DataFrame(
        {
            **{name: found[name] for name in keys},
            "age": found["period"] - found["cohort"],
            **{name: found[name].astype(np.int64) for name in ("acquired", "buyers", "active")},
            "share_buying": found["buyers"] / acquired,
            "share_active": found["active"] / acquired,
            "net_revenue": unit.shown(found["net_cents"]),
            "margin": unit.shown(found["margin_cents"]),
            "cumulative_margin_per_acquired": unit.shown(cumulative / acquired),
        }
    )


def purchases(facts: Facts, unit: MoneyUnit) -> pd.DataFrame:
    """Return the cumulative margin per acquired customer of each cohort after the first, second … purchase.

    Returns
    -------
    DataFrame of shape (n_cohorts, MOST_PURCHASES), money, by cohort; empty without margins
    """
    if not facts.has_margins:
        return pd.DataFrame()
    found = facts.query(_PURCHASES.format(margin=facts.margin_sql))
    wide = found.pivot(index="cohort", columns="purchase", values="margin_cents")
    wide = wide.reindex(columns=range(1, MOST_PURCHASES + 1)).fillna(0).cumsum(axis="columns")
    acquired = facts.query(_ACQUIRED.format(segment="'all'", members="")).set_index("cohort")["acquired"]
    return pd.DataFrame(unit.shown(wide.div(acquired.astype(float), axis="index")), wide.index, wide.columns)


def first_covering(cumulative: np.ndarray, cost: float) -> int | None:
    """Return the first place at which a running sum covers a cost; None if it never does, or there is no cost.

    Examples
    --------
    >>> first_covering(np.array([20.0, 45.0, 70.0]), 40.0), first_covering(np.array([20.0]), 40.0)
    (1, None)
    """
    reached = np.flatnonzero(np.asarray(cumulative) >= cost)
    return int(reached[0]) if reached.size else None


def _cells(facts: Facts) -> pd.DataFrame:
    """Return every segment, cohort and period since, with the cohort's size."""
    acquired = facts.by_segment(_ACQUIRED).astype({"cohort": np.int64})
    order = {name: place for place, name in enumerate(facts.groups)}
    acquired = acquired.sort_values(
        ["segment", "cohort"], key=lambda column: column.map(order) if column.name == "segment" else column
    )
    since = len(facts.periods) - acquired["cohort"].to_numpy()
    cells = acquired.loc[acquired.index.repeat(since)].reset_index(drop=True)
    cells["period"] = cells["cohort"] + cells.groupby(["segment", "cohort"], sort=False).cumcount()
    return cells


def _active(facts: Facts, cells: pd.DataFrame) -> np.ndarray:
    """Count the customers of each cell who are active at the period's end."""
    runs = facts.by_segment(_ACTIVE)
    keys = ["segment", "cohort", "period"]
    gained = runs.assign(period=runs["from_boundary"] - 1).groupby(keys)["customers"].sum()
    lost = runs.assign(period=runs["to_boundary"]).groupby(keys)["customers"].sum()
    change = gained.sub(lost, fill_value=0).rename("change").reset_index()
    found = cells.merge(change, "left", on=keys)
    found["change"] = found["change"].fillna(0)
    active: np.ndarray = found.groupby(["segment", "cohort"], sort=False)["change"].cumsum().to_numpy()
    return active
