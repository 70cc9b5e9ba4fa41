"""What keeping customers costs: touches at their price of the day, and overhead shared out by its driver.

What `features.economics.cost_allocation` allocates to customers, added up by segment and month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.economics.calculators import shift_saving
from features.economics.cost_allocation import NOBODY, POOLED, TOUCHED, allocate, touch_cents
from features.economics.cost_table import CostTable
from features.economics.facts import Facts
from features.economics.money import Deflator, MoneyUnit
from features.economics.touches import THOUSANDTHS, Touches

# Kept are the customers who are active at the month's start or buy in it; others have lapsed.
_KEPT = """LEFT JOIN active_runs ON active_runs.customer = {costs}.customer
  AND {month} BETWEEN active_runs.from_boundary AND active_runs.to_boundary
LEFT JOIN customer_periods AS bought ON bought.customer = {costs}.customer AND bought.period = {month}
  AND bought.purchase_days > 0"""
_IS_KEPT = "active_runs.customer IS NOT NULL OR bought.customer IS NOT NULL"

_DIRECT = f"""SELECT {{segment}} AS segment, facts.month AS period, facts.touchpoint AS item, facts.keeping AS keeping,
  CASE WHEN {_IS_KEPT} THEN 1 ELSE 0 END AS kept,
  CAST(sum(quantity) AS BIGINT) AS quantity, CAST(coalesce(sum(touch_cents), 0) AS BIGINT) AS cents
FROM {TOUCHED} AS facts
{_KEPT.format(costs="facts", month="facts.month")}{{members}}
WHERE facts.customer < {NOBODY} AND facts.month IS NOT NULL
GROUP BY 1, 2, 3, 4, 5"""

_POOLED = f"""SELECT {{segment}} AS segment, facts.month AS period, CASE WHEN {_IS_KEPT} THEN 1 ELSE 0 END AS kept,
  CAST(sum(cents) AS BIGINT) AS cents
FROM {POOLED} AS facts
{_KEPT.format(costs="facts", month="facts.month")}{{members}}
WHERE facts.customer < {NOBODY}
GROUP BY 1, 2, 3"""

_GIVEN = (
    f"SELECT pool, CAST(sum(cents) AS BIGINT) AS cents FROM {POOLED} WHERE customer < {NOBODY} GROUP BY pool"
)

_CUSTOMERS = """SELECT {segment} AS segment, facts.period AS period, count(*) AS customers
FROM customer_periods AS facts
LEFT JOIN active_runs ON active_runs.customer = facts.customer
  AND facts.period BETWEEN active_runs.from_boundary AND active_runs.to_boundary{members}
WHERE facts.purchase_days > 0 AND active_runs.customer IS NULL
GROUP BY 1, 2"""


_LATEST = f"""SELECT {{segment}} AS segment, facts.touchpoint AS touchpoint, CAST(sum(quantity) AS BIGINT) AS quantity
FROM {TOUCHED} AS facts{{members}}
WHERE facts.customer < {NOBODY} AND facts.month IS NOT NULL AND facts.day >= <since>
GROUP BY 1, 2"""

YEAR_DAYS = 365
MOVED = 0.1
"""Share of a touchpoint's touches that the what-if moves."""


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
    allocate(facts, touches, costs)
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
    came = facts.grid(facts.by_segment(_CUSTOMERS, "facts.period"))["customers"]
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


def shown_costs(found: CostOfKeeping, unit: MoneyUnit, deflator: Deflator | None = None) -> pd.DataFrame:
    """Return the months in money, real money by a deflator, with the cost of keeping a customer."""
    months = found.months
    if deflator is not None:
        factors = deflator.by_month[months["period"].to_numpy(int)]
        cents = [name for name in months if name.endswith("_cents")]
        months = months.assign(**{name: months[name] * factors for name in cents})
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


def _direct(facts: Facts, touches: Touches, costs: CostTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the costs of touches by segment, month, touchpoint and what they are for, and the bookings."""
    direct = facts.by_segment(_DIRECT, "facts.month")
    names, cents = touches.table["touchpoint"].to_pylist(), touch_cents(touches, costs)
    booked = pd.Series(cents).groupby(np.array(names, dtype=object))
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
    """Return what each segment gets of the pools by month, and the bookings."""
    found = facts.by_segment(_POOLED, "facts.month")
    given = facts.query(_GIVEN).set_index("pool")["cents"]
    bookings = pd.DataFrame(
        {
            "item": [f"{pool.pool} {pool.month}" for pool in costs.pools],
            "booked_cents": np.array([pool.cents for pool in costs.pools], dtype=np.int64),
            "allocated_cents": given.reindex(range(len(costs.pools))).fillna(0).to_numpy(np.int64),
        }
    )
    bookings["unallocated_cents"] = bookings["booked_cents"] - bookings["allocated_cents"]
    return found, bookings.assign(touches_without_cost=0)


def shifts(facts: Facts, costs: CostTable, unit: MoneyUnit) -> pd.DataFrame:
    """Return what it would save a year to move `MOVED` of a touchpoint's touches to a cheaper one of its kind.

    Of the last 365 days, after `features.economics.cost_allocation.allocate`, at the costs of the log's last day; a
    touch takes one at the other, and overhead stays. For others: `features.economics.calculators.shift_saving`.

    Returns
    -------
    DataFrame, a row for each segment and pair, the largest saving first
        segment, touchpoint, to_touchpoint, touches_a_year; unit_cost, cost_instead and saving in money
    """
    end = int(facts.periods.boundaries[-1])
    found = facts.by_segment(_LATEST.replace("<since>", str(end - YEAR_DAYS)))
    today = {name: cents for name, cents in _costs_on(costs, end - 1).items() if cents == cents}
    today = {name: cents for name, cents in today.items() if name not in costs.campaigns}
    sorts = {each.touchpoint: (each.kind, each.per) for each in costs.units}
    rows = []
    for _, row in found[found["touchpoint"].isin(list(today))].iterrows():
        name, touches = row["touchpoint"], row["quantity"] / THOUSANDTHS
        for other, cents in today.items():
            if sorts[other] == sorts[name] and cents < today[name]:
                saving = shift_saving(touches, MOVED, today[name], cents)
                rows.append([row["segment"], name, other, touches, today[name], cents, saving])
    names = [
        "segment",
        "touchpoint",
        "to_touchpoint",
        "touches_a_year",
        "unit_cost",
        "cost_instead",
        "saving",
    ]
    table = pd.DataFrame(rows, columns=names)
    order = {name: place for place, name in enumerate(facts.groups)}
    table = table.assign(place=table["segment"].map(order)).sort_values(
        ["place", "saving", "touchpoint", "to_touchpoint"],
        ascending=[True, False, True, True],
        ignore_index=True,
    )
    money = {name: unit.shown(table[name].astype(float)) for name in names[4:]}
    return table.assign(**money)[names]


def _costs_on(costs: CostTable, day: int) -> dict[str, float]:
    """Return what a touch of each touchpoint costs on a day, cents; NaN before its first cost."""
    names = sorted({each.touchpoint for each in costs.units})
    cents = costs.unit_cents(names, np.full(len(names), day), np.ones(len(names)))
    return dict(zip(names, cents.tolist(), strict=True))
