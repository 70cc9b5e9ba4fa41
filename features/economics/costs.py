"""What keeping customers costs: touches at their price of the day, and overhead shared out by its driver.

A pool is shared out in whole cents by the largest remainder, ties by customer id, so that *allocated + unallocated =
booked*, to the cent. Unallocated is what no customer of the log drives: touches of people who are not in it, and pools
of a month in which nothing drives them. Touches up to the first purchase day belong to acquisition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.cost_table import DRIVERS, CostTable, PoolCost
from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.economics.touches import THOUSANDTHS, Touches
from features.errors import StayworthError
from features.suggestion import did_you_mean
from features.table.purchase_days import PURCHASE_DAYS

NOBODY = 2_147_483_647
"""Number of who is no customer of the log: last among equal remainders."""

_TOUCHED = f"""SELECT coalesce(customers.customer, {NOBODY}) AS customer, calendar.period AS month, touchpoint,
  quantity, touch_cents, CASE WHEN touches.day > customers.first_day THEN 1 ELSE 0 END AS keeping
FROM touches
LEFT JOIN customers ON customers.customer_id = touches.customer_id
LEFT JOIN calendar ON calendar.day = touches.day AND calendar.period < {{months}}"""

# Days of a month on which a customer is active: from the day after a purchase to the window's end or the next purchase.
_ACTIVE_DAYS = f"""SELECT customer, sum(least(until, {{end}}) - greatest(since, {{start}})) AS weight
FROM (
  SELECT customers.customer AS customer, days.day + 1 AS since,
    least(days.day + {{inactivity}}, coalesce(lead(days.day) OVER (PARTITION BY days.customer ORDER BY days.day),
      days.day + {{inactivity}})) + 1 AS until
  FROM {PURCHASE_DAYS} AS days
  JOIN customers ON customers.customer = days.customer
  WHERE orders > 0
) AS spells
WHERE since < {{end}} AND until > {{start}}
GROUP BY customer"""

_WEIGHTS = {
    "orders": "SELECT customer, orders AS weight FROM customer_periods WHERE period = {month}",
    "revenue": "SELECT customer, greatest(0, gross_cents - refund_cents) AS weight FROM customer_periods "
    "WHERE period = {month}",
    "equal": "SELECT customer, 1 AS weight FROM active_runs "
    "WHERE {month} BETWEEN from_boundary AND to_boundary UNION "
    "SELECT customer, 1 AS weight FROM customer_periods WHERE period = {month} AND purchase_days > 0",
    "active days": _ACTIVE_DAYS,
    "touchpoint": "SELECT customer, sum(quantity) AS weight FROM touched WHERE month = {month} GROUP BY customer",
}
_OWN_TOUCHES = (
    "SELECT customer, sum(quantity) AS weight FROM touched WHERE month = {month} AND touchpoint = '{name}' "
    "GROUP BY customer"
)

_SHARED_OUT = """WITH driven AS (
  SELECT customer, CAST(weight AS HUGEINT) AS weight FROM ({weights}) AS weights WHERE weight > 0
),
whole AS (SELECT sum(weight) AS weight FROM driven),
shares AS (
  SELECT customer, {cents} * driven.weight // whole.weight AS share, {cents} * driven.weight % whole.weight AS rest
  FROM driven
  JOIN whole ON TRUE
),
given AS (SELECT sum(share) AS cents FROM shares)
SELECT customer,
  CAST(share + CASE WHEN row_number() OVER (ORDER BY rest DESC, customer) <= {cents} - given.cents THEN 1 ELSE 0 END
    AS BIGINT) AS cents
FROM shares
JOIN given ON TRUE"""

# Kept are the customers who are active at the month's start or buy in it; others have lapsed.
_KEPT = """LEFT JOIN active_runs ON active_runs.customer = {costs}.customer
  AND {month} BETWEEN active_runs.from_boundary AND active_runs.to_boundary
LEFT JOIN customer_periods AS bought ON bought.customer = {costs}.customer AND bought.period = {month}
  AND bought.purchase_days > 0"""
_IS_KEPT = "active_runs.customer IS NOT NULL OR bought.customer IS NOT NULL"

_DIRECT = f"""SELECT {{segment}} AS segment, facts.month AS period, facts.touchpoint AS item, facts.keeping AS keeping,
  CASE WHEN {_IS_KEPT} THEN 1 ELSE 0 END AS kept,
  CAST(sum(quantity) AS BIGINT) AS quantity, CAST(coalesce(sum(touch_cents), 0) AS BIGINT) AS cents
FROM touched AS facts
{_KEPT.format(costs="facts", month="facts.month")}{{members}}
WHERE facts.customer < {NOBODY} AND facts.month IS NOT NULL
GROUP BY 1, 2, 3, 4, 5"""

_POOLED = f"""SELECT {{segment}} AS segment, CASE WHEN {_IS_KEPT} THEN 1 ELSE 0 END AS kept,
  CAST(sum(cents) AS BIGINT) AS cents
FROM shared_out AS facts
{_KEPT.format(costs="facts", month="<month>")}{{members}}
WHERE facts.customer < {NOBODY}
GROUP BY 1, 2"""

_CUSTOMERS = """SELECT {segment} AS segment, facts.period AS period, count(*) AS customers
FROM customer_periods AS facts
LEFT JOIN active_runs ON active_runs.customer = facts.customer
  AND facts.period BETWEEN active_runs.from_boundary AND active_runs.to_boundary{members}
WHERE facts.purchase_days > 0 AND active_runs.customer IS NULL
GROUP BY 1, 2"""


@dataclass(frozen=True)
class CostOfKeeping:
    """What keeping costs, by month.

    Attributes
    ----------
    months : DataFrame, a row for each segment and month
        segment, period (number), kept_customers, direct_cents, pool_cents (of customers active at the start or buying),
        lapsed_cents (of all others), acquisition_cents (touches up to the first purchase day)
    journey : DataFrame, a row for each segment and touchpoint with touches: segment, touchpoint, touches, cents
    bookings : DataFrame, a row for each touchpoint and pool
        item, booked_cents, allocated_cents, unallocated_cents, touches_without_cost
    """

    months: pd.DataFrame
    journey: pd.DataFrame
    bookings: pd.DataFrame


def cost_of_keeping(facts: Facts, touches: Touches, costs: CostTable, start: pd.Series) -> CostOfKeeping:
    """Price touches, share out pools, and add both up by segment and month.

    Parameters
    ----------
    facts : Facts, whose periods are months
    touches : Touches
    costs : CostTable
    start : Series by segment and period number, the customers active at the start, as `customer_base` returns them

    Raises
    ------
    StayworthError
        If a pool names a driver that there is not.
    """
    _require_drivers(costs, touches)
    direct, bookings = _direct(facts, touches, costs)
    pooled, pool_bookings = _pooled(facts, costs)
    keys = ["segment", "period"]
    kept = direct[(direct["keeping"] == 1) & (direct["kept"] == 1)].groupby(keys)["cents"].sum()
    lapsed = direct[(direct["keeping"] == 1) & (direct["kept"] == 0)].groupby(keys)["cents"].sum()
    parts = {
        "direct_cents": kept,
        "pool_cents": pooled[pooled["kept"] == 1].groupby(keys)["cents"].sum(),
        "lapsed_cents": lapsed.add(pooled[pooled["kept"] == 0].groupby(keys)["cents"].sum(), fill_value=0),
        "acquisition_cents": direct[direct["keeping"] == 0].groupby(keys)["cents"].sum(),
    }
    months = pd.DataFrame({name: part.reindex(start.index).fillna(0) for name, part in parts.items()}).astype(
        np.int64
    )
    came = facts.grid(facts.by_segment(_CUSTOMERS))["customers"]
    months.insert(0, "kept_customers", (start + came).astype(np.int64))
    journey = direct.groupby(["segment", "item"], sort=False)[["quantity", "cents"]].sum().reset_index()
    journey = journey.assign(touches=journey["quantity"] / THOUSANDTHS).rename(columns={"item": "touchpoint"})
    order = {name: place for place, name in enumerate(facts.groups)}
    journey = journey.sort_values(
        ["segment", "touchpoint"], key=lambda own: own.map(order) if own.name == "segment" else own
    )
    return CostOfKeeping(
        months.reset_index(),
        journey[["segment", "touchpoint", "touches", "cents"]].reset_index(drop=True),
        pd.concat([bookings, pool_bookings], ignore_index=True),
    )


def shown_costs(found: CostOfKeeping, unit: MoneyUnit) -> pd.DataFrame:
    """Return the months in money, with the cost of keeping a customer."""
    months = found.months
    keeping = months["direct_cents"] + months["pool_cents"]
    customers = months["kept_customers"]
    money = {
        name: unit.shown(months[f"{name}_cents"]) for name in ("direct", "pool", "lapsed", "acquisition")
    }
    return pd.DataFrame(
        {
            "segment": months["segment"],
            "period": months["period"],
            "kept_customers": customers,
            **{f"{name}_cost": values for name, values in money.items()},
            "cost_of_keeping": unit.shown(keeping / customers.where(customers > 0)),
        }
    )


def _require_drivers(costs: CostTable, touches: Touches) -> None:
    names = touches.names
    for pool in costs.pools:
        if pool.driver not in (*DRIVERS, *names):
            near = did_you_mean(pool.driver, [*DRIVERS, *names])
            raise StayworthError(
                f"The pool {pool.pool!r} of {pool.month} is shared out by {pool.driver!r}, which is neither "
                f"{', '.join(DRIVERS)} nor a touchpoint of the file.{near}"
            )


def _direct(facts: Facts, touches: Touches, costs: CostTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Price every touch; return costs by segment, month, touchpoint and what they are for, and the bookings."""
    cents = costs.unit_cents(
        touches.table["touchpoint"].to_pylist(),
        touches.table["day"].to_numpy().astype(np.int64),
        touches.quantities,
    )
    priced = pa.array(np.nan_to_num(cents).astype(np.int64), mask=np.isnan(cents))
    facts.engine.register("touches", touches.table.append_column("touch_cents", priced))
    facts.engine.create("touched", _TOUCHED.format(months=len(facts.periods)))
    direct = facts.by_segment(_DIRECT)
    booked = pd.Series(cents).groupby(np.array(touches.table["touchpoint"].to_pylist(), dtype=object))
    everyone = direct[direct["segment"] == facts.groups[0]]
    allocated = everyone.groupby("item")["cents"].sum()
    names = sorted({*touches.names, *(each.touchpoint for each in costs.units)})
    total = booked.sum().reindex(names).fillna(0).astype(np.int64)
    given = allocated.reindex(names).fillna(0).astype(np.int64)
    unpriced = booked.apply(lambda own: int(own.isna().sum())).reindex(names).fillna(0).astype(np.int64)
    bookings = pd.DataFrame(
        {
            "item": names,
            "booked_cents": total.to_numpy(),
            "allocated_cents": given.to_numpy(),
            "unallocated_cents": (total - given).to_numpy(),
            "touches_without_cost": unpriced.to_numpy(),
        }
    )
    return direct, bookings


def _pooled(facts: Facts, costs: CostTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Share out every pool; return what each segment gets by month, and the bookings."""
    parts, bookings = [], []
    for pool, month in costs.pool_months(facts.periods):
        allocated = 0
        if month is not None:
            facts.engine.create(
                "shared_out", _SHARED_OUT.format(weights=_weights(facts, pool, month), cents=pool.cents)
            )
            found = facts.by_segment(_POOLED.replace("<month>", str(month))).assign(period=month)
            allocated = int(found.loc[found["segment"] == facts.groups[0], "cents"].sum())
            parts.append(found)
        bookings.append([f"{pool.pool} {pool.month}", pool.cents, allocated, pool.cents - allocated, 0])
    names = ["item", "booked_cents", "allocated_cents", "unallocated_cents", "touches_without_cost"]
    empty = pd.DataFrame({"segment": [], "kept": [], "cents": [], "period": []})
    return pd.concat(parts, ignore_index=True) if parts else empty, pd.DataFrame(bookings, columns=names)


def _weights(facts: Facts, pool: PoolCost, month: int) -> str:
    start, end = (int(day) for day in facts.periods.boundaries[[month, month + 1]])
    if pool.driver not in DRIVERS:
        return _OWN_TOUCHES.format(month=month, name=pool.driver.replace("'", "''"))
    return _WEIGHTS[pool.driver].format(month=month, start=start, end=end, inactivity=facts.inactivity_days)
