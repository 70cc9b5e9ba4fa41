"""The report's facts as a star schema, for Power BI, Excel and other tools that draw their own pictures.

Rows of facts name customers, days and segments by keys; the tables that begin with ``dim_`` hold each key once. Money
is in the report's unit, at the prices that the report shows. Before the tables are given out it is checked that every
key is there and that the report's totals come out of them again.

=========================  =================================================================================
table                      a row for each
=========================  =================================================================================
dim_customer               customer: id, first purchase
dim_date                   day, in the Gregorian and in the Jalali calendar, and the report's period
dim_segment                segment, ``all`` included
customer_segments          customer and segment: a customer may be in several
fact_orders                customer and day
fact_costs                 customer, day or month, and touchpoint or pool; empty without costs
fact_scores                customer with a score; empty without a scored list
fact_next_products         customer with a next product; empty where none are shown
fact_indicators            segment, period and indicator
=========================  =================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pandas as pd

from features.economics.cost_allocation import NOBODY, POOLED, TOUCHED
from features.economics.facts import Facts
from features.economics.inputs import KEYS, CostInputs, Inputs
from features.economics.product_section import NEXT_PRODUCT, PERIOD_TABLES
from features.economics.segments import EVERYONE
from features.economics.tables import EconomicsReport
from features.jalali import jalali
from features.table.purchase_days import PURCHASE_DAYS

_INDICATOR_TABLES = ("customer_base", "sales", *PERIOD_TABLES)
_EPOCH = date(1970, 1, 1)
_CENTS = 0.5  # sums that differ by less agree to the cent

_CUSTOMERS = "SELECT customer AS customer_key, customer_id, first_day FROM customers ORDER BY customer"
_ORDERS = f"""SELECT days.customer AS customer_key, days.day AS day, orders,
  CAST(round(gross_cents * factor) AS BIGINT) AS gross_cents,
  CAST(round(refund_cents * factor) AS BIGINT) AS refund_cents, {{margin}} AS margin_cents
FROM {PURCHASE_DAYS} AS days
JOIN calendar ON calendar.day = days.day
ORDER BY days.day, days.customer"""
_TOUCHES = f"""SELECT customer_id, day, touchpoint AS item, 'touchpoint' AS kind, keeping,
  CAST(sum(touch_cents) AS BIGINT) AS cents
FROM {TOUCHED} AS touches JOIN customers ON customers.customer = touches.customer
WHERE touches.customer < {NOBODY} AND month IS NOT NULL AND touch_cents IS NOT NULL
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 5"""
_POOLS = f"""SELECT customer_id, month, pool, CAST(sum(cents) AS BIGINT) AS cents
FROM {POOLED} AS pools JOIN customers ON customers.customer = pools.customer
WHERE pools.customer < {NOBODY}
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""


def star_schema(facts: Facts, inputs: Inputs, report: EconomicsReport) -> dict[str, pd.DataFrame]:
    """Return the tables of the star schema by name.

    Parameters
    ----------
    facts : Facts
    inputs : Inputs
    report : EconomicsReport, of the same facts

    Raises
    ------
    RuntimeError
        If a fact has a key that no dimension has, or a total of the report does not come out again.
    """
    customers = facts.query(_CUSTOMERS)
    keys = pd.Series(customers["customer_key"].to_numpy(), customers["customer_id"])
    names = pd.DataFrame({"segment_key": np.arange(len(facts.groups)), "segment": facts.groups})
    tables = {
        "dim_customer": customers.assign(first_purchase=_dates(customers.pop("first_day"))),
        "dim_date": _days(facts, inputs.costs),
        "dim_segment": names.assign(told_apart_by=inputs.segment),
        "customer_segments": _members(facts, names),
        "fact_orders": _orders(facts, inputs),
        "fact_costs": _costs(inputs, keys),
        "fact_scores": _scores(inputs, keys),
        "fact_next_products": _next_products(report, keys),
        "fact_indicators": _indicators(report, names),
    }
    problems = [*_unknown_keys(tables), *_other_totals(tables, inputs, report)]
    if problems:
        raise RuntimeError(f"The star schema is wrong: {'; '.join(problems)}")
    return tables


def _dates(days: pd.Series) -> pd.Series:
    return pd.Series(
        [None if pd.isna(day) else _EPOCH + timedelta(days=int(day)) for day in days], dtype=object
    )


def _days(facts: Facts, costs: CostInputs | None) -> pd.DataFrame:
    """Return every day of the report's periods, and of the months of costs."""
    spans = [each.periods for each in (facts, costs.facts if costs else facts)]
    first = min(int(span.boundaries[0]) for span in spans)
    end = max(int(span.boundaries[-1]) for span in spans)
    days = [_EPOCH + timedelta(days=day) for day in range(first, end)]
    solar = [jalali(day) for day in days]
    starts = [period.start for period in facts.periods]
    place = np.searchsorted(
        np.array(starts, dtype="datetime64[D]"), np.array(days, dtype="datetime64[D]"), "right"
    )
    labels = [""] + [period.label for period in facts.periods]
    return pd.DataFrame(
        {
            "date": days,
            "year": [day.year for day in days],
            "quarter": [(day.month + 2) // 3 for day in days],
            "month": [day.month for day in days],
            "day": [day.day for day in days],
            "weekday": [day.isoweekday() for day in days],
            "jalali_date": [f"{year:04}/{month:02}/{day:02}" for year, month, day in solar],
            "jalali_year": [year for year, _, _ in solar],
            "jalali_month": [month for _, month, _ in solar],
            "jalali_day": [day for _, _, day in solar],
            "period": [labels[number] for number in place],
        }
    )


def _members(facts: Facts, names: pd.DataFrame) -> pd.DataFrame:
    """Return who is in which segment; where segments change with time, at the log's end."""
    everyone = facts.query("SELECT customer AS customer_key FROM customers").assign(segment=EVERYONE)
    parts = [everyone]
    if facts.segments:
        parts.append(facts.query("SELECT DISTINCT customer AS customer_key, segment FROM membership"))
    found = pd.concat(parts).merge(names, on="segment")[["customer_key", "segment_key"]]
    return found.sort_values(["segment_key", "customer_key"], ignore_index=True)


def _orders(facts: Facts, inputs: Inputs) -> pd.DataFrame:
    found = facts.query(_ORDERS.format(margin=facts.margin_sql))
    margin = found["margin_cents"].astype(float) if facts.has_margins else np.full(len(found), np.nan)
    return pd.DataFrame(
        {
            "customer_key": found["customer_key"],
            "date": _dates(found["day"]),
            "orders": found["orders"],
            "gross_revenue": inputs.unit.shown(found["gross_cents"]),
            "refunds": inputs.unit.shown(found["refund_cents"]),
            "net_revenue": inputs.unit.shown(found["gross_cents"] - found["refund_cents"]),
            "margin": inputs.unit.shown(margin),
        }
    )


def _costs(inputs: Inputs, keys: pd.Series) -> pd.DataFrame:
    """Return what each customer's touches and shares of overhead cost; a pool's day is the first of its month."""
    columns = ["customer_key", "date", "item", "kind", "purpose", "cost"]
    if inputs.costs is None:
        return pd.DataFrame(columns=columns)
    facts, pools = inputs.costs.facts, inputs.costs.table.pools
    touches, shares = facts.query(_TOUCHES), facts.query(_POOLS)
    touches["purpose"] = np.where(touches["keeping"] == 1, "keeping", "acquisition")
    shares["day"] = facts.periods.boundaries[shares["month"].to_numpy(int)]
    shares["item"] = [f"{pools[place].pool} {pools[place].month}" for place in shares["pool"]]
    found = pd.concat([touches, shares.assign(kind="pool", purpose="keeping")], ignore_index=True)
    found = found.assign(
        customer_key=keys.loc[found["customer_id"]].to_numpy(),
        date=_dates(found["day"]),
        cost=inputs.unit.shown(found["cents"]),
    )
    return found[columns]


def _scores(inputs: Inputs, keys: pd.Series) -> pd.DataFrame:
    potential = inputs.potential or {}
    customers = [customer for customer in keys.index if customer in potential]
    return pd.DataFrame(
        {
            "customer_key": keys.loc[customers].to_numpy(),
            "expected_value": inputs.unit.shown([potential[customer] for customer in customers]),
            "tier": [(inputs.tiers or {}).get(customer) for customer in customers],
        }
    )


def _next_products(report: EconomicsReport, keys: pd.Series) -> pd.DataFrame:
    """Return the product that each customer may buy next, where the report shows it."""
    columns = ["next_product", "bought_product", "probability", "support"]
    found = [table.rows for table in report.tables if table.name == NEXT_PRODUCT]
    if not found:
        return pd.DataFrame(columns=["customer_key", *columns])
    shown = found[0][columns]
    shown.insert(0, "customer_key", keys.loc[found[0]["customer_id"]].to_numpy())
    return shown


def _indicators(report: EconomicsReport, names: pd.DataFrame) -> pd.DataFrame:
    """Return the indicators of every segment and period, a row for each number."""
    parts = []
    for table in (each for each in report.tables if each.name in _INDICATOR_TABLES):
        marks = set(table.provisional.values())
        shown = [name for name in table.rows if name not in {*KEYS, *marks}]
        parts.append(table.rows.melt(KEYS, shown, "indicator", "value"))
    found = pd.concat(parts, ignore_index=True).dropna(subset="value").merge(names, on="segment")
    found = found.rename(columns={"from": "date"})
    return found[["segment_key", "date", "period", "indicator", "value", "provisional"]]


def _unknown_keys(tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Say which rows name a customer, a day or a segment that its dimension does not have."""
    dimensions = {"customer_key": "dim_customer", "date": "dim_date", "segment_key": "dim_segment"}
    for name, table in tables.items():
        for key, dimension in dimensions.items():
            if key not in table or name == dimension:
                continue
            unknown = int((~table[key].isin(tables[dimension][key])).sum())
            if unknown:
                yield f"{unknown:,} rows of {name} have a {key} that {dimension} does not"
    for key, dimension in dimensions.items():
        if tables[dimension][key].duplicated().any():
            yield f"{dimension} repeats a {key}"


def _other_totals(tables: dict[str, pd.DataFrame], inputs: Inputs, report: EconomicsReport) -> Iterator[str]:
    """Say which totals of the report are others than those of the facts."""
    sales = report.table("sales").rows
    sales = sales[sales["segment"] == EVERYONE].set_index("period")
    dated = tables["fact_orders"].merge(tables["dim_date"][["date", "period"]], on="date")
    summed = dated.groupby("period")[["orders", "gross_revenue", "refunds", "net_revenue", "margin"]].sum()
    for name in summed:
        shown = sales[name].fillna(0).sub(summed[name], fill_value=0)
        if (shown.abs() > inputs.unit.shown(_CENTS)).any():
            yield f"{name} by period is another than in the report"
    if inputs.costs is not None:
        allocated = report.table("bookings").rows.set_index("item")["allocated"]
        spent = tables["fact_costs"].groupby("item")["cost"].sum()
        if (allocated.sub(spent, fill_value=0).abs() > inputs.unit.shown(_CENTS)).any():
            yield "what was allocated is another than in the report"
