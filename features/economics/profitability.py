"""Profitability of customers over the whole log: what they brought, what they cost, and who brings the profit.

``net profitability = net revenue - customer costs`` is the textbooks'; what ranks and values is
``net margin = margin - customer costs - bad debt``. Customer costs are those of acquiring (touches up to the first
purchase day, and the spend of the month), of keeping and of support (complaints).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from features.economics.acquisition import CHANNEL_OF_CUSTOMER, Spend, create_channels
from features.economics.cost_allocation import POOLED, TOUCHED
from features.economics.facts import Facts
from features.economics.sales import TOP_SHARE
from features.economics.segments import EVERYONE
from features.table.purchase_days import PURCHASE_DAYS

PROFITS = "customer_profits"
MOST_ROWS = 1_000_000
"""Rows of a table of customers; a sheet of Excel holds as many."""

_NO_ROWS = "SELECT 0 AS customer, CAST(0 AS BIGINT) AS cents WHERE FALSE"

# The spend of a channel's month is shared out among those acquired by it, in whole cents that add up to it.
_SPEND = """SELECT customer, cents // acquired + CASE WHEN place <= cents % acquired THEN 1 ELSE 0 END AS cents
FROM (
  SELECT customers.customer AS customer, spend.cents AS cents,
    count(*) OVER (PARTITION BY spend.channel, spend.period) AS acquired,
    row_number() OVER (PARTITION BY spend.channel, spend.period ORDER BY customers.customer) AS place
  FROM customers{join}
  JOIN spend_by_month AS spend ON spend.period = customers.first_period AND spend.channel = {channel}
) AS acquired_by"""

_TOUCHES = f"""SELECT customer, CAST(round(touch_cents * factor) AS BIGINT) AS cents
FROM {TOUCHED} AS touched
JOIN touchpoint_kinds AS kinds ON kinds.touchpoint = touched.touchpoint
JOIN month_factors ON month_factors.month = touched.month
WHERE {{purpose}}"""

_POOLS = f"""SELECT customer, CAST(round(cents * factor) AS BIGINT) AS cents
FROM {POOLED} AS pooled
JOIN month_factors ON month_factors.month = pooled.month"""

_FACTORS = "SELECT period AS month, any_value(factor) AS factor FROM calendar GROUP BY period"

_PROFITS = f"""WITH brought AS (
  SELECT days.customer AS customer,
    CAST(sum(CAST(round(gross_cents * factor) AS BIGINT)) AS BIGINT) AS gross_cents,
    CAST(sum(CAST(round(refund_cents * factor) AS BIGINT)) AS BIGINT) AS refund_cents,
    CAST(sum(<margin>) AS BIGINT) AS margin_cents
  FROM {PURCHASE_DAYS} AS days
  JOIN calendar ON calendar.day = days.day
  GROUP BY days.customer
),
<parts>,
summed AS (
  SELECT customers.customer AS customer, customers.customer_id AS customer_id, customers.first_day AS first_day,
    gross_cents, refund_cents, margin_cents, <sums>
  FROM customers
  JOIN brought ON brought.customer = customers.customer<joins>
)
SELECT *, gross_cents - refund_cents AS net_cents,
  gross_cents - refund_cents - acquire_cents - keep_cents - support_cents AS profit_cents,
  margin_cents - acquire_cents - keep_cents - support_cents - loss_cents AS net_margin_cents
FROM summed"""

CENTS = (
    "gross_cents",
    "refund_cents",
    "net_cents",
    "margin_cents",
    "acquire_cents",
    "keep_cents",
    "support_cents",
    "loss_cents",
    "profit_cents",
    "net_margin_cents",
)
"""Columns of the table `PROFITS`, beside customer, customer_id, first_day and potential_cents (null: not scored)."""

_BY_SEGMENT = f"""SELECT {{segment}} AS segment, count(*) AS customers,
  {", ".join(f"CAST(coalesce(sum({name}), 0) AS BIGINT) AS {name}" for name in CENTS)},
  CASE WHEN count(potential_cents) = count(*) THEN CAST(sum(potential_cents) AS BIGINT) END AS potential_cents
FROM {PROFITS} AS facts{{members}}
GROUP BY 1"""

_TOP = f"""WITH placed AS (
  SELECT {{segment}} AS segment, net_margin_cents AS cents,
    row_number() OVER (PARTITION BY {{segment}} ORDER BY net_margin_cents DESC) AS place,
    count(*) OVER (PARTITION BY {{segment}}) AS customers
  FROM {PROFITS} AS facts{{members}}
)
SELECT segment, CAST(sum(cents) AS BIGINT) AS top_cents
FROM placed
WHERE place <= (customers + {TOP_SHARE - 1}) // {TOP_SHARE}
GROUP BY 1"""


@dataclass(frozen=True)
class Known:
    """Which costs of customers are known; the others count as none, and are said to be missing."""

    spend: bool = False
    costs: bool = False
    losses: bool = False


def create_profits(
    facts: Facts,
    *,
    spend: Spend | None = None,
    channel_of: Mapping[str, str | None] | None = None,
    kinds: Sequence[tuple[str, str]] | None = None,
    losses: str | None = None,
    scored: bool = False,
) -> Known:
    """Create the table `PROFITS`, a row for each customer of the log.

    Parameters
    ----------
    facts : Facts, whose periods are months where there are costs
    spend : Spend, optional
        Shared out among those whom its channel acquired in its month, or without channels among all of them; that of
        a month in which nobody was acquired is nobody's.
    channel_of : mapping of customer ids to their acquisition channel, optional
    kinds : sequence of pairs of a touchpoint and its kind, optional
        Where `features.economics.cost_allocation.allocate` has created its tables.
    losses : str, optional
        Name of a table ``customer, loss_cents``, as `features.economics.ageing.Ageing.create_losses` does.
    scored : bool
        Whether there is a table ``scored (customer_id, cents)`` of expected values.
    """
    engine = facts.engine
    engine.create("month_factors", _FACTORS)
    parts = dict.fromkeys(("acquire", "keep", "support", "loss"), _NO_ROWS)
    if kinds is not None:
        names = pa.table(
            {name: [pair[place] for pair in kinds] for place, name in enumerate(("touchpoint", "kind"))}
        )
        engine.register(
            "touchpoint_kinds", names.cast(pa.schema([("touchpoint", pa.string()), ("kind", pa.string())]))
        )
        parts["acquire"] = _TOUCHES.format(purpose="keeping = 0")
        parts["keep"] = (
            _TOUCHES.format(purpose="keeping = 1 AND kind <> 'complaint'") + f"\nUNION ALL\n{_POOLS}"
        )
        parts["support"] = _TOUCHES.format(purpose="keeping = 1 AND kind = 'complaint'")
    if spend is not None:
        parts["acquire"] += (
            f"\nUNION ALL\nSELECT customer, cents FROM ({_spend(facts, spend, channel_of)}) AS shares"
        )
    if losses is not None:
        parts["loss"] = f"SELECT customer, CAST(loss_cents AS BIGINT) AS cents FROM {losses}"
    ctes = ",\n".join(
        f"{name}_parts AS ("
        f"SELECT customer, CAST(sum(cents) AS BIGINT) AS cents FROM ({sql}) AS parts GROUP BY customer)"
        for name, sql in parts.items()
    )
    sums = ", ".join(f"coalesce({name}_parts.cents, 0) AS {name}_cents" for name in parts)
    joins = "".join(
        f"\n  LEFT JOIN {name}_parts ON {name}_parts.customer = customers.customer" for name in parts
    )
    sql = _PROFITS.replace("<margin>", facts.margin_sql).replace("<parts>", ctes)
    if scored:
        joins += "\n  LEFT JOIN scored ON scored.customer_id = customers.customer_id"
    sums += f", {'scored.cents' if scored else 'CAST(NULL AS BIGINT)'} AS potential_cents"
    engine.create(PROFITS, sql.replace("<sums>", sums).replace("<joins>", joins))
    return Known(spend is not None, kinds is not None, losses is not None)


def _spend(facts: Facts, spend: Spend, channel_of: Mapping[str, str | None] | None) -> str:
    factors = facts.deflator.factors(facts.periods.days) if facts.deflator else None
    cents = spend.by_period(facts.periods, factors).drop(columns="outside")
    by_channel = create_channels(facts, channel_of)
    if not by_channel:
        cents = cents.sum().to_frame(EVERYONE).T.rename_axis("channel")
    long = cents.melt(ignore_index=False, var_name="period", value_name="cents").reset_index()
    rows = {
        "channel": long["channel"],
        "period": long["period"].astype(int),
        "cents": long["cents"].astype(int),
    }
    facts.engine.register("spend_by_month", pa.table({name: pa.array(own) for name, own in rows.items()}))
    if by_channel:
        return _SPEND.format(join=CHANNEL_OF_CUSTOMER, channel="acquisition.channel")
    return _SPEND.format(join="", channel=f"'{EVERYONE}'")


def segment_profits(facts: Facts) -> pd.DataFrame:
    """Return the sums of `CENTS` of each segment, the number of customers, and the best fifth's net margin."""
    found = facts.by_segment(_BY_SEGMENT).merge(facts.by_segment(_TOP), "left", on="segment")
    order = {name: place for place, name in enumerate(facts.groups)}
    return found.sort_values("segment", key=lambda own: own.map(order), ignore_index=True)


def customer_profits(facts: Facts, condition: str = "TRUE", limit: int = MOST_ROWS) -> pd.DataFrame:
    """Return the rows of `PROFITS` that meet a condition, the highest net margin first.

    Without margins the textbooks' net profitability ranks.
    """
    rank = "net_margin_cents" if facts.has_margins else "profit_cents"
    return facts.query(
        f"SELECT * FROM {PROFITS} WHERE {condition} ORDER BY {rank} DESC, customer LIMIT {limit}"
    )


@dataclass(frozen=True)
class WhaleCurve:
    """Net margin, added up from the best customer on.

    Attributes
    ----------
    places : ndarray of int, ranks at about every hundredth of the customers
    cents : ndarray of int, of the same shape: the net margin of the customers up to that rank
    customers : int
    most_of_it : int or None, the rank at which 80% of all net margin is reached; None where all is not above 0
    peak : int, the rank from which on customers take net margin away
    """

    places: np.ndarray
    cents: np.ndarray
    customers: int
    most_of_it: int | None
    peak: int

    @property
    def total(self) -> int:
        """Net margin of all customers, cents."""
        return int(self.cents[-1])

    @property
    def peak_cents(self) -> int:
        """Net margin up to the peak, cents."""
        return int(self.cents[self.places == self.peak][0])


MOST_OF_IT = 0.8


def whale_curve(net_margin_cents: np.ndarray) -> WhaleCurve:
    """Add up the net margins of customers from the best on.

    Parameters
    ----------
    net_margin_cents : ndarray of int of shape (n_customers,), at least one customer

    Examples
    --------
    >>> curve = whale_curve(np.array([-50, 100, 0, 70, -20]))
    >>> curve.cents.tolist(), curve.peak, curve.most_of_it, curve.total
    ([0, 100, 170, 170, 150, 100], 2, 1, 100)
    """
    ranked = np.sort(np.asarray(net_margin_cents, dtype=np.int64))[::-1]
    summed = np.concatenate([[0], np.cumsum(ranked)])
    n = len(ranked)
    most = int(np.argmax(summed >= MOST_OF_IT * summed[-1])) if summed[-1] > 0 else None
    peak = int(np.count_nonzero(ranked > 0))
    hundredths = -(-n * np.arange(101) // 100)
    places = np.unique(np.concatenate([hundredths, [peak], [most or 0]]))
    return WhaleCurve(places, summed[places], n, most, peak)
