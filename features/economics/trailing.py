"""The trailing year of each customer before a snapshot: what they bought, what they cost, what they did not pay.

Only what was known at the snapshot counts: orders, touches and invoices before it, payments before it, and the pools of
the twelve months that had closed by then. Touches up to the first purchase day are acquisition and left out. Files tell
costs as booked: where the log's money is real, they are turned into it, by the month.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.economics.ageing import Ageing
from features.economics.cost_allocation import ACTIVE_DAYS, NOBODY, POOLED, TOUCHED, allocate
from features.economics.cost_table import CostTable
from features.economics.facts import Facts
from features.economics.log_agreement import require_currency
from features.economics.periods import Calendar, Periods
from features.economics.receivables import Receivables
from features.economics.touches import Touches
from features.language import translated
from features.log.prices import Prices
from features.log.transactions import TransactionLog
from features.snapshot import Snapshot
from features.table.purchase_days import PURCHASE_DAYS

YEAR_DAYS = 365
_CLOSED_MONTHS = 12
_CENTS = 100

_YEAR = f"""WITH bought AS (
  SELECT customer, sum(CASE WHEN orders > 0 THEN 1 ELSE 0 END) AS purchases,
    sum(gross_cents - refund_cents) AS revenue_cents, sum({{margin}}) AS margin_cents
  FROM {PURCHASE_DAYS}
  WHERE day >= {{since}}
  GROUP BY customer
),
active AS ({{active_days}}),
costs AS (
  SELECT customer, sum(CASE WHEN per = 'order' THEN cents ELSE 0 END) AS order_cents,
    sum(CASE WHEN per = 'period' THEN cents ELSE 0 END) AS period_cents
  FROM ({{costs}}) AS parts
  GROUP BY customer
)
SELECT customers.customer_id AS customer_id,
  CAST(coalesce(purchases, 0) AS DOUBLE) AS purchases,
  CAST(coalesce(revenue_cents, 0) AS DOUBLE) / {_CENTS} AS revenue,
  CAST(margin_cents AS DOUBLE) / {_CENTS} AS margin,
  CAST(coalesce(active.weight, 0) AS DOUBLE) AS active_days,
  CAST(coalesce(order_cents, 0) AS DOUBLE) / {_CENTS} AS order_costs,
  CAST(coalesce(period_cents, 0) AS DOUBLE) / {_CENTS} AS period_costs,
  CAST(coalesce(loss_cents, 0) AS DOUBLE) * {{level}} / {_CENTS} AS loss
FROM customers
LEFT JOIN bought ON bought.customer = customers.customer
LEFT JOIN active ON active.customer = customers.customer
LEFT JOIN costs ON costs.customer = customers.customer
LEFT JOIN {{losses}} AS losses ON losses.customer = customers.customer
WHERE customers.first_day IS NOT NULL
ORDER BY customers.customer_id"""

_TOUCHES = f"""SELECT customer, per, CAST(round(touch_cents * factor) AS BIGINT) AS cents
FROM {TOUCHED} AS touched
JOIN cost_per ON cost_per.item = touched.touchpoint
JOIN month_factors ON month_factors.factor_of = touched.month
WHERE keeping = 1 AND day >= {{since}} AND touch_cents IS NOT NULL"""

_POOLS = f"""SELECT customer, per, CAST(round(cents * factor) AS BIGINT) AS cents
FROM {POOLED} AS pooled
JOIN pool_per ON pool_per.pool = pooled.pool
JOIN month_factors ON month_factors.factor_of = pooled.month
WHERE month >= {{first}} AND month < {{end}} AND customer < {NOBODY}"""

_STRANGERS = f"SELECT count(*) AS touches FROM {TOUCHED} WHERE customer = {NOBODY}"

_NO_COSTS = "SELECT 0 AS customer, 'order' AS per, CAST(0 AS BIGINT) AS cents WHERE FALSE"
_NO_LOSSES = "(SELECT 0 AS customer, CAST(0 AS BIGINT) AS loss_cents WHERE FALSE)"


@dataclass(frozen=True)
class CostFiles:
    """Files of what customers cost.

    Attributes
    ----------
    table : CostTable
    touches : Touches
    receivables : Receivables, optional
    calendar : {"gregorian", "jalali"}, of the months of pools
    """

    table: CostTable = field(default_factory=CostTable)
    touches: Touches = field(default_factory=Touches.none)
    receivables: Receivables | None = None
    calendar: Calendar = "gregorian"

    @property
    def per(self) -> frozenset[str]:
        """What their costs come with: "order", "period" or both."""
        touched = set(self.touches.names)
        units = {each.per for each in self.table.units if each.touchpoint in touched}
        return frozenset(units | {pool.per for pool in self.table.pools})


@dataclass(frozen=True)
class TrailingYear:
    """What customers bought and cost in the year before a snapshot.

    Attributes
    ----------
    customers : DataFrame, a row for each customer with a purchase before the snapshot, by customer_id
        purchases (purchase days), revenue (net), margin, active_days, order_costs, period_costs, loss: days, and money
        of the log
    per : what there are costs for: "order", "period" or both
    has_margins, has_losses : bool
    notes : sentences about what is not in it
    """

    customers: pd.DataFrame
    per: frozenset[str]
    has_margins: bool
    has_losses: bool
    notes: tuple[str, ...] = ()


def stated_year(
    log: TransactionLog, snapshot: Snapshot, costs: pd.DataFrame, inactivity_days: int
) -> TrailingYear:
    """Return what customers bought in the year before a snapshot, and what they cost as the caller says it.

    Parameters
    ----------
    log : TransactionLog
    snapshot : Snapshot, after the log's first day
    costs : DataFrame by customer_id
        Those there are of order_costs, period_costs and loss: what came in the year with orders, what with time, and
        what was not paid; money.
    inactivity_days : int, at least 1
    """
    bought = trailing_year(log, snapshot, CostFiles(), inactivity_days)
    stated = costs.reindex(pd.Index(bought.customers["customer_id"])).reset_index(drop=True)
    per = {"order": "order_costs", "period": "period_costs"}
    return replace(
        bought,
        customers=bought.customers.assign(**{str(name): stated[name] for name in stated}),
        per=frozenset(kind for kind, name in per.items() if name in stated),
        has_losses="loss" in stated,
    )


def trailing_year(
    log: TransactionLog, snapshot: Snapshot, files: CostFiles, inactivity_days: int
) -> TrailingYear:
    """Return what customers bought and cost in the year before a snapshot, as known at it.

    Parameters
    ----------
    log : TransactionLog
    snapshot : Snapshot, after the log's first day
    files : CostFiles
    inactivity_days : int, at least 1: a customer is active until so many days after a purchase

    Raises
    ------
    StayworthError
        If a pool names a driver that there is not, or receivables are in another currency than the log.
    """
    seen = _Seen(log.table.filter(pc.less(log.table["ordered_on"], snapshot.date)))
    months = Periods(log.first_day, snapshot.date - timedelta(days=1), "month", files.calendar)
    with Facts(seen, months, inactivity_days) as facts:
        until = int(months.boundaries[-1])
        since = max(until - YEAR_DAYS, int(months.boundaries[0]))
        losses, of_losses = _losses(facts, log, snapshot, files, since)
        sql = _YEAR.format(
            margin="margin_cents" if facts.has_margins else "CAST(NULL AS BIGINT)",
            since=since,
            active_days=ACTIVE_DAYS.format(start=since, end=until, inactivity=inactivity_days),
            costs=_costs_sql(facts, files, since, log.prices),
            losses=losses,
            # A loss has no day of its own: the year's mean level.
            level=repr(float(_factors(log.prices, np.arange(since, until)).mean())),
        )
        customers = facts.query(sql)
        notes = (
            *_cost_notes(files, months),
            *(finding.message for finding in files.touches.findings),
            *of_losses,
            *_strangers(facts, files, snapshot),
        )
        return TrailingYear(customers, files.per, facts.has_margins, losses != _NO_LOSSES, notes)


def _losses(
    facts: Facts, log: TransactionLog, snapshot: Snapshot, files: CostFiles, since: int
) -> tuple[str, list[str]]:
    """Return the table of what customers did not pay in the year from a day on, and what to know of it."""
    receivables = files.receivables
    if receivables is None:
        return _NO_LOSSES, []
    losses, notes = "losses", []
    require_currency(receivables.currency, log.currency, "the file of receivables")
    ageing = Ageing(facts, receivables, files.table.unpaid_rates)
    if not ageing.create_losses(losses, since, int(facts.periods.boundaries[-1])):
        losses = _NO_LOSSES
        notes.append(
            translated(
                "At {day:date} no rate of what stays unpaid is known: bad debt is not in the values. The "
                "receivables have to reach back a year and more; or give [unpaid_rates] in the costs file.",
                day=snapshot.date,
            )
        )
    notes += [finding.message for finding in receivables.findings]
    if ageing.strangers:
        notes.append(
            translated(
                "Of {all:invoice|invoices}, {n:,} are of nobody in the log by {day:date}; they are left out.",
                n=ageing.strangers,
                all=len(receivables.table),
                day=snapshot.date,
            )
        )
    return losses, notes


def _strangers(facts: Facts, files: CostFiles, snapshot: Snapshot) -> Iterator[str]:
    """Say how many touches are of nobody in the log."""
    if files.per and (strangers := int(facts.query(_STRANGERS)["touches"].iloc[0])):
        yield translated(
            "Of {all:touch|touches}, {n:,} are of nobody in the log by {day:date}; they are left out.",
            n=strangers,
            all=len(files.touches.table),
            day=snapshot.date,
        )


@dataclass(frozen=True)
class _Seen:
    """The rows of a log before a snapshot."""

    table: pa.Table


def _factors(prices: Prices | None, days: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return what money as booked on each day is multiplied with to be the log's."""
    return prices.of_days(days) if prices else np.ones(len(days))


def _costs_sql(facts: Facts, files: CostFiles, since: int, prices: Prices | None) -> str:
    if not files.per:
        return _NO_COSTS
    allocate(facts, files.touches, files.table)
    factors = _factors(prices, facts.periods.boundaries[:-1])
    months = pa.array(range(len(factors)), pa.int32())
    facts.engine.register("month_factors", pa.table({"factor_of": months, "factor": factors}))
    units = {each.touchpoint: each.per for each in files.table.units}
    types = pa.schema([("item", pa.string()), ("per", pa.string())])
    facts.engine.register(
        "cost_per", pa.table({"item": list(units), "per": list(units.values())}, schema=types)
    )
    pools = [pool.per for pool in files.table.pools]
    types = pa.schema([("pool", pa.int64()), ("per", pa.string())])
    facts.engine.register("pool_per", pa.table({"pool": range(len(pools)), "per": pools}, schema=types))
    closed = int(np.count_nonzero(~facts.periods.open))
    pooled = _POOLS.format(first=max(0, closed - _CLOSED_MONTHS), end=closed)
    return f"{_TOUCHES.format(since=since)}\nUNION ALL\n{pooled}"


def _cost_notes(files: CostFiles, months: Periods) -> Iterator[str]:
    priced = {each.touchpoint for each in files.table.units}
    if without := sorted(set(files.touches.names) - priced):
        yield translated("Touches without a cost count as none: {names}.", names=list(map(repr, without)))
    if idle := sorted(priced - set(files.touches.names)):
        yield translated("Costs without touches: {names}.", names=list(map(repr, idle)))
    if files.table.pools and all(month is None for _, month in files.table.pool_months(months)):
        yield translated("No pool is of a month of the log before the snapshot.")
