"""The facts of a log by customer and period, on an engine: what every table of a report is aggregated from.

A log is collapsed once to purchase days, and these once to a row per customer and period in which something happened.
Whether a customer is active is kept as runs of boundaries between periods, so that a customer of ten years who buys
every month is one row. No query returns a row per customer.

==================  ==================================================================================
table               a row for each
==================  ==================================================================================
purchase_days       customer and day, by the customer's number, as in `features.table.purchase_days`
calendar            day from the first boundary to the last: ``day``, ``period``, ``factor`` of real money
customers           customer: ``customer`` (number), ``customer_id``, ``first_day``, ``second_day``, their periods
customer_periods    customer and period with a row: ``purchase_days``, ``first_day``, ``last_day``, ``orders``,
                    ``gross_cents``, ``refund_cents``, ``margin_cents``, and ``cohort``, the customer's first period
active_runs         unbroken run of boundaries at which a customer is active: ``from_boundary``, ``to_boundary``
starts              period: ``period``, ``known``, the number of what is known of segments at its start
membership          customer and segment, where there are segments
membership_at       customer and number of what is known: ``segment``, where segments change with time
==================  ==================================================================================
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from features.closing import Closing
from features.economics.money import Deflator
from features.economics.periods import Periods
from features.economics.segments import EVERYONE, NEW, UNKNOWN, Segments
from features.engines.choice import engine_for
from features.engines.engine import Engine
from features.errors import WindowError
from features.language import translated
from features.table.history import Log
from features.table.purchase_days import LOG, PURCHASE_DAYS, purchase_days_sql

# A day of refunds alone is no purchase day: a customer who never bought has no first day.
_CUSTOMERS = f"""WITH firsts AS (
  SELECT customer_id,
    min(CASE WHEN orders > 0 THEN day END) AS first_day,
    min(CASE WHEN gap_days IS NOT NULL THEN day END) AS second_day
  FROM {PURCHASE_DAYS}
  GROUP BY customer_id
)
SELECT CAST(row_number() OVER (ORDER BY customer_id) AS INTEGER) AS customer, customer_id, first_day, second_day,
  first_calendar.period AS first_period, second_calendar.period AS second_period
FROM firsts
LEFT JOIN calendar AS first_calendar ON first_calendar.day = first_day
LEFT JOIN calendar AS second_calendar ON second_calendar.day = second_day"""

# From here on customers are numbers: no later query joins or groups by text.
_NUMBERED_DAYS = f"""SELECT customers.customer AS customer, days.day AS day, orders, gap_days, gross_cents,
  refund_cents{{margin}}
FROM {PURCHASE_DAYS} AS days
JOIN customers ON customers.customer_id = days.customer_id"""

# Money is made real day by day and rounded to whole cents there, so that sums stay exact.
_CUSTOMER_PERIODS = f"""SELECT customers.customer AS customer, calendar.period AS period,
  any_value(customers.first_period) AS cohort,
  CAST(sum(CASE WHEN orders > 0 THEN 1 ELSE 0 END) AS INTEGER) AS purchase_days,
  min(CASE WHEN orders > 0 THEN days.day END) AS first_day,
  max(CASE WHEN orders > 0 THEN days.day END) AS last_day,
  CAST(sum(orders) AS BIGINT) AS orders,
  CAST(sum(CAST(round(gross_cents * factor) AS BIGINT)) AS BIGINT) AS gross_cents,
  CAST(sum(CAST(round(refund_cents * factor) AS BIGINT)) AS BIGINT) AS refund_cents,
  CAST(sum(gross_cents - refund_cents) AS BIGINT) AS nominal_cents,
  {{margin}} AS margin_cents
FROM {PURCHASE_DAYS} AS days
JOIN customers ON customers.customer = days.customer
JOIN calendar ON calendar.day = days.day
GROUP BY customers.customer, calendar.period"""

# A customer is active at the boundaries after a purchase day, up to the inactivity window's end or the next purchase.
_ACTIVE_RUNS = """WITH purchases AS (
  SELECT customer, period, last_day, lead(first_day) OVER (PARTITION BY customer ORDER BY period) AS next_day
  FROM customer_periods
  WHERE purchase_days > 0
),
covered AS (
  SELECT customer, purchases.period + 1 AS from_boundary, calendar.period AS to_boundary
  FROM purchases
  JOIN calendar ON calendar.day = least(last_day + {inactivity}, coalesce(next_day, {end}), {end})
  WHERE calendar.period > purchases.period
),
marked AS (
  SELECT *, CASE WHEN lag(to_boundary) OVER in_turn + 1 = from_boundary THEN 0 ELSE 1 END AS begins
  FROM covered
  WINDOW in_turn AS (PARTITION BY customer ORDER BY from_boundary)
),
numbered AS (
  SELECT *, sum(begins) OVER (PARTITION BY customer ORDER BY from_boundary) AS run FROM marked
)
SELECT customer, CAST(min(from_boundary) AS INTEGER) AS from_boundary,
  CAST(max(to_boundary) AS INTEGER) AS to_boundary
FROM numbered
GROUP BY customer, run"""


_SEGMENT, _MEMBERS = "membership.segment", "\nJOIN membership ON membership.customer = facts.customer"

# Who has not bought before the period is new in it, whatever they become. No name may be one of the query's.
_SEGMENT_AT = f"""CASE WHEN member_since < {{at}} THEN coalesce(segment_then, '{{others}}')
  WHEN member_since IS NULL THEN '{UNKNOWN}' ELSE '{NEW}' END"""
_MEMBERS_AT = """
JOIN (SELECT customer AS member, first_period AS member_since FROM customers) ON member = facts.customer
JOIN (SELECT period AS start_of, known AS known_then FROM starts) ON start_of = {at}
LEFT JOIN (SELECT customer AS member_then, known AS known_since, segment AS segment_then FROM membership_at)
  ON member_then = facts.customer AND known_since = known_then"""


class Facts(Closing):
    """A log's customers and periods on an engine.

    Parameters
    ----------
    log : Log
    periods : Periods
    inactivity_days : int, at least 1: a customer is active at t with a purchase day in [t - inactivity_days, t)
    margin : float, optional
        Margin per unit of net revenue, for a log without margins; without it margins are empty.
    deflator : Deflator, optional
        Makes all money that of the log's last month.
    segments : Segments, optional
    engine : Engine, optional
        By default that of `features.engines.choice.engine_for`, closed with the facts.

    Raises
    ------
    WindowError
        If the inactivity window is shorter than a day.
    """

    def __init__(
        self,
        log: Log,
        periods: Periods,
        inactivity_days: int,
        *,
        margin: float | None = None,
        deflator: Deflator | None = None,
        segments: Segments | None = None,
        engine: Engine | None = None,
    ) -> None:
        if inactivity_days < 1:
            raise WindowError(
                translated(
                    "The inactivity window is {days:day|days}; it must be at least 1.",
                    days=inactivity_days,
                )
            )
        self.periods, self.inactivity_days, self.deflator = periods, inactivity_days, deflator
        self.columns = tuple(log.table.column_names)
        self.has_margins = "margin_cents" in self.columns or margin is not None
        self._owned = engine is None
        self.engine: Engine = engine or engine_for(log.table.num_rows)
        self.engine.register(LOG, log.table)
        self.engine.register("calendar", _calendar(periods, deflator))
        known = segments.known_at(periods) if segments else np.zeros(len(periods), dtype=np.int64)
        self.engine.register("starts", _starts(known))
        self.engine.create(PURCHASE_DAYS, purchase_days_sql(self.columns))
        self.engine.create("customers", _CUSTOMERS)
        own = ", margin_cents" if "margin_cents" in self.columns else ""
        self.engine.create(PURCHASE_DAYS, _NUMBERED_DAYS.format(margin=own))
        self.margin_sql = _margin(self.columns, margin)
        total = f"CAST(sum({self.margin_sql}) AS BIGINT)"
        self.engine.create("customer_periods", _CUSTOMER_PERIODS.format(margin=total))
        end = int(periods.boundaries[-1])
        self.engine.create("active_runs", _ACTIVE_RUNS.format(inactivity=inactivity_days, end=end))
        self.segments = segments.members(self.engine, periods) if segments else []
        self._settled_on = {name: segments.settled_on(name) for name in self.segments} if segments else {}
        self._others = segments.others if segments else ""
        self._dated_from = segments.dated_from if segments else None

    @property
    def dated(self) -> bool:
        """Whether segments change with time: in each period customers are in that of its start."""
        return bool(self._others)

    def query(self, sql: str) -> pd.DataFrame:
        """Run a query and return its result."""
        return self.engine.query(sql).to_pandas()

    def by_segment(self, sql: str, at: str = "") -> pd.DataFrame:
        """Run a query for all customers, and for the members of each segment.

        Segments that change with time are those at the start of a row's period, if the query tells it; else one for
        the whole log.

        Parameters
        ----------
        sql : str
            With ``{segment}`` as its first column, and ``{members}`` after a table named ``facts`` that has a column
            ``customer``.
        at : str
            SQL of the row's period, where it has one.

        Returns
        -------
        DataFrame
            ``segment`` first; `EVERYONE` for all customers.
        """
        found = [self.query(sql.format(segment=f"CAST('{EVERYONE}' AS VARCHAR)", members=""))]
        if self.segments:
            segment, members = _SEGMENT, _MEMBERS
            if at and self.dated:
                segment, members = _SEGMENT_AT.format(at=at, others=self._others), _MEMBERS_AT.format(at=at)
            found.append(self.query(sql.format(segment=segment, members=members)))
        return pd.concat(found, ignore_index=True)

    @property
    def groups(self) -> list[str]:
        """All customers, and each segment."""
        return [EVERYONE, *self.segments]

    def grid(self, found: pd.DataFrame, period: str = "period") -> pd.DataFrame:
        """Return counts of every segment and period, 0 where a query has found none.

        Parameters
        ----------
        found : DataFrame with ``segment``, a column of period numbers, and counts
        period : str, the name of that column

        Returns
        -------
        DataFrame of shape (n_segments · n_periods, n_counts), by segment and period
        """
        cells = pd.MultiIndex.from_product(
            [self.groups, range(len(self.periods))], names=["segment", "period"]
        )
        keyed = found.set_index(["segment", period])
        keyed.index = keyed.index.set_names(["segment", "period"])
        return keyed.reindex(cells).fillna(0)

    def provisional(self, *, dated: bool = False) -> np.ndarray:
        """Mark the cells of `grid` that a later log may change, of shape (n_segments · n_periods,).

        The period in which the log ends; those within the inactivity window of its start; and those of a segment
        that begin before it is known who belongs to it.

        Parameters
        ----------
        dated : bool
            Whether customers are in the segment of each period's start, where segments change with time.
        """
        unsettled = self.periods.open | self.periods.unsettled(self.inactivity_days)
        starts = np.array([period.start for period in self.periods])
        marks = [unsettled]
        for name in self.segments:
            known = self._dated_from if dated and self.dated else self._settled_on[name]
            marks.append(unsettled if known is None else unsettled | (starts < known))
        return np.concatenate(marks)

    def close(self) -> None:
        """Close the engine, if it is the facts' own."""
        if self._owned:
            self.engine.close()


def _calendar(periods: Periods, deflator: Deflator | None) -> pa.Table:
    days = periods.days
    factors = np.ones(len(days)) if deflator is None else deflator.factors(days)
    return pa.table(
        {
            "day": pa.array(days, pa.int32()),
            "period": pa.array(periods.number_of_day, pa.int32()),
            "factor": pa.array(factors, pa.float64()),
        }
    )


def _starts(known: np.ndarray) -> pa.Table:
    numbers = pa.array(range(len(known)), pa.int32())
    return pa.table({"period": numbers, "known": pa.array(known, pa.int32())})


def _margin(columns: tuple[str, ...], rate: float | None) -> str:
    """Return the SQL of the margin of a purchase day, in whole cents; null where it is not known."""
    if "margin_cents" in columns:
        return "CAST(round(margin_cents * factor) AS BIGINT)"
    if rate is not None:
        return f"CAST(round((gross_cents - refund_cents) * factor * {rate!r}) AS BIGINT)"
    return "CAST(NULL AS BIGINT)"
