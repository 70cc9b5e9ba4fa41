"""Lifetime value: what customers have brought, what they are expected to bring, less what acquiring them cost.

``Σ past net margin · (1 + i)^(days / 365) + potential - CAC``, each amount compounded from its day to the log's end:
margin less what keeping cost, by day, and bad debt at the end, where these are known.
The potential is the expected value of a scored list; without one the lifetime value is empty. Beside it stands the
simple one of the textbooks: average order · orders a year · years, the years from the churn of closed periods.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.facts import Facts
from features.economics.money import MoneyUnit
from features.table.purchase_days import PURCHASE_DAYS

DAYS_PER_YEAR = 365
_PARTS = 1_000_000  # of a compounding factor: sums of whole numbers do not depend on their order

_PAST = f"""amounts AS (
  SELECT customer, days.day AS day, <margin> AS cents
  FROM {PURCHASE_DAYS} AS days
  JOIN calendar ON calendar.day = days.day<costs>
),
past AS (
  SELECT customers.customer AS customer, sum(cents) AS margin_cents,
    sum(CAST(round(cents * power(<growth>, (<end> - day) / {DAYS_PER_YEAR}e0)) AS BIGINT)) AS compounded_cents
  FROM amounts
  JOIN customers ON customers.customer = amounts.customer
  WHERE customers.first_day IS NOT NULL
  GROUP BY customers.customer
)"""

_VALUES = f"""WITH {_PAST}
SELECT {{segment}} AS segment, facts.first_period AS cohort, count(*) AS customers,
  CAST(sum(past.margin_cents) AS BIGINT) AS margin_cents,
  CAST(sum(past.compounded_cents) AS BIGINT) AS compounded_cents,
  CAST(sum(CAST(round({_PARTS}e0 * power(<growth>, (<end> - first_day) / {DAYS_PER_YEAR}e0)) AS BIGINT)) AS BIGINT)
    AS growth_parts,
  CAST(coalesce(sum(potentials.cents), 0) AS BIGINT) AS potential_cents, count(potentials.cents) AS scored
FROM customers AS facts
JOIN past ON past.customer = facts.customer
LEFT JOIN potentials ON potentials.customer_id = facts.customer_id{{members}}
GROUP BY 1, 2"""


# Of each customer who is referred to or refers; none where a part is not known.
_OF_CUSTOMERS = f"""WITH {_PAST}
SELECT facts.customer AS customer, CAST(past.compounded_cents + potentials.cents
  - CAST(round(coalesce(cac.cents, 0) * power(<growth>, (<end> - first_day) / {DAYS_PER_YEAR}e0)) AS BIGINT) AS BIGINT)
    AS cents
FROM customers AS facts
JOIN past ON past.customer = facts.customer
JOIN potentials ON potentials.customer_id = facts.customer_id
LEFT JOIN cac ON cac.cohort = facts.first_period
WHERE facts.customer_id IN (SELECT referrer_id FROM referrals UNION SELECT referred_id FROM referrals)"""


def create_lifetimes(
    facts: Facts, unit: MoneyUnit, rate: float, cac: Mapping[int, float], costs: str | None = None
) -> None:
    """Create the table ``lifetimes`` (customer, cents) of those who refer or were referred.

    After `lifetime_values` with their potential, and where ``referrals`` is a table; parameters as there.
    """
    cents = [round(100 * unit.per_unit * each) for each in cac.values()]
    types = pa.schema([("cohort", pa.int32()), ("cents", pa.int64())])
    facts.engine.register("cac", pa.table({"cohort": list(cac), "cents": cents}, schema=types))
    facts.engine.create("lifetimes", _filled(_OF_CUSTOMERS, facts, rate, costs))


def _filled(sql: str, facts: Facts, rate: float, costs: str | None) -> str:
    kept = f"\n  UNION ALL\n  SELECT customer, day, -cents AS cents FROM ({costs}) AS costs" if costs else ""
    return (
        sql.replace("<margin>", facts.margin_sql)
        .replace("<growth>", repr(1 + rate))
        .replace("<end>", str(int(facts.periods.boundaries[-1])))
        .replace("<costs>", kept)
    )


def lifetime_values(
    facts: Facts,
    unit: MoneyUnit,
    rate: float,
    cac: Mapping[int, float],
    potential: Mapping[str, int] | None = None,
    costs: str | None = None,
) -> pd.DataFrame:
    """Return the lifetime value of each segment and cohort, per customer.

    Parameters
    ----------
    facts : Facts
    unit : MoneyUnit
    rate : float, above -1, yearly; a real rate where money is real
    cac : mapping of a cohort's number to what acquiring each of its customers cost, in money; may lack cohorts
    potential : mapping of customer ids to their expected value in cents, optional
    costs : str, optional
        Query of what customers have cost beside their acquisition: ``customer, day, cents``.

    Returns
    -------
    DataFrame, a row for each segment and cohort, and one with cohort -1 for all cohorts of a segment
        segment, cohort, acquired; past_margin, compounded_margin, compounded_cac, potential, lifetime_value in money
        per customer, empty where a part is not known.
    """
    listed = dict(potential or {})
    types = pa.schema([("customer_id", pa.string()), ("cents", pa.int64())])
    rows = pa.table({"customer_id": list(listed), "cents": list(listed.values())}, schema=types)
    facts.engine.register("potentials", rows)
    found = facts.by_segment(_filled(_VALUES, facts, rate, costs))
    of_cohort = found["cohort"].map(lambda number: cac.get(int(number), np.nan)).astype(float)
    found["cac"] = of_cohort * found["growth_parts"] / _PARTS
    if potential is None:
        found["potential_cents"] = np.nan
    else:  # of a cohort of which some customers are not scored, the value is not known
        found["potential_cents"] = found["potential_cents"].where(found["scored"] == found["customers"])
    if not facts.has_margins:
        found[["margin_cents", "compounded_cents"]] = np.nan
    return _per_customer(found, facts.groups, unit)


def _per_customer(found: pd.DataFrame, groups: list[str], unit: MoneyUnit) -> pd.DataFrame:
    sums = ["customers", "margin_cents", "compounded_cents", "potential_cents", "cac"]
    whole = (
        found.groupby("segment")[sums].agg(lambda own: own.sum(skipna=False)).reset_index().assign(cohort=-1)
    )
    every = pd.concat([whole, found[["segment", "cohort", *sums]]], ignore_index=True)
    order = {name: place for place, name in enumerate(groups)}
    every = every.assign(place=every["segment"].map(order)).sort_values(
        ["place", "cohort"], ignore_index=True
    )
    customers = every["customers"].astype(float)
    compounded = unit.shown(every["compounded_cents"].astype(float) / customers)
    potential = unit.shown(every["potential_cents"].astype(float) / customers)
    cac = every["cac"] / customers
    return pd.DataFrame(
        {
            "segment": every["segment"],
            "cohort": every["cohort"].astype(int),
            "acquired": every["customers"].astype(np.int64),
            "past_margin": unit.shown(every["margin_cents"].astype(float) / customers),
            "compounded_margin": compounded,
            "compounded_cac": cac,
            "potential": potential,
            "lifetime_value": compounded + potential - cac.fillna(0),
        }
    )


def simple_values(table: pd.DataFrame, period_days: float, cac: float | None = None) -> pd.DataFrame:
    """Return the textbook's lifetime value of each segment, from its closed periods.

    Parameters
    ----------
    table : DataFrame, as `features.economics.indicators.indicators` returns it
    period_days : float, mean length of a period
    cac : float, optional
        What acquiring a customer costs, money; NaN if nobody knows.

    Returns
    -------
    DataFrame, a row for each segment with closed periods: segment, average_order (money), orders_per_year (of an active
    customer), years (empty where nobody was lost), simple_value (money); with a CAC that, and the value less it
    """
    closed = table[~table["provisional"]]
    sums = closed.groupby("segment", sort=False)[["start", "end", "lost", "orders", "gross_revenue"]].sum()
    years = period_days / DAYS_PER_YEAR
    active = (sums["start"] + sums["end"]) / 2 * years
    average = sums["gross_revenue"] / sums["orders"].where(sums["orders"] > 0)
    rate = sums["orders"] / active.where(active > 0)
    stay = sums["start"] / sums["lost"].where(sums["lost"] > 0) * years
    value = average * rate * stay
    less = {} if cac is None else {"cac": cac, "simple_value_less_cac": value - cac}
    return pd.DataFrame(
        {"average_order": average, "orders_per_year": rate, "years": stay, "simple_value": value, **less}
    ).reset_index()
