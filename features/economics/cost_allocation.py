"""Costs allocated to customers: touches at their price of the day, and overhead shared out by its driver.

A pool is shared out in whole cents by the largest remainder, ties by customer id, so that *allocated + unallocated =
booked*, to the cent. Unallocated is what no customer of the log drives: touches of people who are not in it, and pools
of a month in which nothing drives them. Touches up to the first purchase day belong to acquisition.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from features.economics.cost_table import DRIVERS, CostTable, PoolCost
from features.economics.facts import Facts
from features.economics.touches import Touches
from features.errors import StayworthError
from features.language import translated
from features.suggestion import did_you_mean
from features.table.purchase_days import PURCHASE_DAYS

NOBODY = 2_147_483_647
"""Number of who is no customer of the log: last among equal remainders."""

TOUCHED, POOLED = "touched", "pooled"
"""Tables of customer, month, day, touchpoint, quantity, touch_cents, keeping; and of pool, customer, month, cents."""

_TOUCHED = f"""SELECT coalesce(customers.customer, {NOBODY}) AS customer, calendar.period AS month, touches.day AS day,
  touchpoint, quantity, touch_cents, CASE WHEN touches.day > customers.first_day THEN 1 ELSE 0 END AS keeping
FROM touches
LEFT JOIN customers ON customers.customer_id = touches.customer_id
LEFT JOIN calendar ON calendar.day = touches.day AND calendar.period < {{months}}"""

# Days of a month on which a customer is active: from the day after a purchase to the window's end or the next purchase.
ACTIVE_DAYS = f"""SELECT customer, sum(least(until, {{end}}) - greatest(since, {{start}})) AS weight
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
    "active days": ACTIVE_DAYS,
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

_NO_POOLS = "SELECT 0 AS pool, 0 AS customer, 0 AS month, CAST(0 AS BIGINT) AS cents WHERE FALSE"


def allocate(facts: Facts, touches: Touches, costs: CostTable) -> None:
    """Create the tables `TOUCHED` and `POOLED` of what each touch costs, and of each customer's share of each pool.

    Parameters
    ----------
    facts : Facts, whose periods are months
    touches : Touches
    costs : CostTable

    Raises
    ------
    StayworthError
        If a pool names a driver that there is not.
    """
    _require_drivers(costs, touches)
    cents = touch_cents(touches, costs)
    priced = pa.array(np.nan_to_num(cents).astype(np.int64), mask=np.isnan(cents))
    facts.engine.register("touches", touches.table.append_column("touch_cents", priced))
    facts.engine.create(TOUCHED, _TOUCHED.format(months=len(facts.periods)))
    parts = [_NO_POOLS]
    for place, (pool, month) in enumerate(costs.pool_months(facts.periods)):
        if month is None:
            continue
        name = f"shared_out_{place}"
        facts.engine.create(name, _SHARED_OUT.format(weights=_weights(facts, pool, month), cents=pool.cents))
        parts.append(f"SELECT {place} AS pool, customer, {month} AS month, cents FROM {name}")
    facts.engine.create(POOLED, "\nUNION ALL\n".join(parts))


def touch_cents(touches: Touches, costs: CostTable) -> npt.NDArray[np.float64]:
    """Return what each touch costs by the cost valid on its day, in whole cents; NaN without one."""
    return costs.unit_cents(
        touches.table["touchpoint"].to_pylist(),
        touches.table["day"].to_numpy().astype(np.int64),
        touches.quantities,
    )


def _require_drivers(costs: CostTable, touches: Touches) -> None:
    names = touches.names
    for pool in costs.pools:
        if pool.driver not in (*DRIVERS, *names):
            near = did_you_mean(pool.driver, [*DRIVERS, *names])
            raise StayworthError(
                translated(
                    "The pool {pool!r} of {month} is shared out by {driver!r}, which is neither {drivers} "
                    "nor a touchpoint of the file.{near}",
                    pool=pool.pool,
                    month=pool.month,
                    driver=pool.driver,
                    drivers=list(DRIVERS),
                    near=near,
                )
            )


def _weights(facts: Facts, pool: PoolCost, month: int) -> str:
    start, end = (int(day) for day in facts.periods.boundaries[[month, month + 1]])
    if pool.driver not in DRIVERS:
        return _OWN_TOUCHES.format(month=month, name=pool.driver.replace("'", "''"))
    return _WEIGHTS[pool.driver].format(month=month, start=start, end=end, inactivity=facts.inactivity_days)
