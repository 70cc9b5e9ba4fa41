"""Ageing: how old what customers owe is, and what of it will not be paid.

All is as known at a date: an invoice that is paid later is open, whatever the file says today. By the days since it was
due an open amount has an age; the rate of an age is the share that a year later was still unpaid. The expected loss is
the sum of open amounts times the rates of their ages, and

``bad debt of a period = written off - recovered + change of the expected loss``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from features.economics.facts import Facts
from features.economics.periods import Periods
from features.economics.receivables import Receivables

AGES = ("not_due", "days_1_30", "days_31_60", "days_61_90", "days_91_180", "over_180")
"""Ages of open amounts by the days since they were due."""

_UPPER_DAYS = (0, 30, 60, 90, 180)
_YEAR_DAYS = 365
FEWEST_INVOICES = 20
"""Invoices seen at an age, a year or longer ago, from which its rate is known."""

Rates = Mapping[str, float]

_NUMBERED = """SELECT customers.customer AS customer, row_number() OVER () AS invoice, issued, due, amount_cents, paid,
  paid_cents, written_off
FROM receivable_list
JOIN customers ON customers.customer_id = receivable_list.customer_id"""

# An amount is open from the day after its invoice to the day of payment or of the write-off.
_OPEN = """SELECT ageing_days.day AS day, receivables.customer AS customer, receivables.invoice AS invoice,
  CASE {ages} ELSE {last} END AS age,
  amount_cents - CASE WHEN paid < ageing_days.day THEN paid_cents ELSE 0 END AS open_cents,
  amount_cents - CASE WHEN paid < ageing_days.day + {year} THEN paid_cents ELSE 0 END AS unpaid_cents
FROM ageing_days
JOIN receivables ON receivables.issued < ageing_days.day
  AND (written_off IS NULL OR written_off >= ageing_days.day)
  AND (paid IS NULL OR paid >= ageing_days.day OR paid_cents < amount_cents)"""

_OBSERVED = """SELECT day, age, count(DISTINCT invoice) AS invoices, CAST(sum(open_cents) AS BIGINT) AS open_cents,
  CAST(sum(unpaid_cents) AS BIGINT) AS unpaid_cents
FROM ({open}) AS aged
GROUP BY 1, 2"""

_AGED = """SELECT {{segment}} AS segment, facts.day AS day, facts.age AS age, count(*) AS invoices,
  CAST(sum(CAST(round(facts.open_cents * calendar.factor) AS BIGINT)) AS BIGINT) AS open_cents
FROM ({open}) AS facts
JOIN calendar ON calendar.day = facts.day{{members}}
GROUP BY 1, 2, 3"""

# Paid after the write-off is recovered; paid up to it lowers what was written off.
_LOSSES = """SELECT customer, written_off AS day,
  amount_cents - CASE WHEN paid <= written_off THEN paid_cents ELSE 0 END AS cents
FROM receivables WHERE written_off IS NOT NULL
UNION ALL
SELECT customer, paid AS day, -paid_cents AS cents FROM receivables WHERE paid > written_off"""

_WRITTEN_OFF = f"""SELECT {{segment}} AS segment, calendar.period AS period,
  CAST(sum(CAST(round(facts.cents * calendar.factor) AS BIGINT)) AS BIGINT) AS written_off_cents
FROM ({_LOSSES}) AS facts
JOIN calendar ON calendar.day = facts.day AND calendar.period < <periods>{{members}}
GROUP BY 1, 2"""

_OF_CUSTOMERS = f"""SELECT customer, sum(cents) AS loss_cents
FROM (
  SELECT losses.customer AS customer, CAST(round(losses.cents * calendar.factor) AS BIGINT) AS cents
  FROM ({_LOSSES}) AS losses
  JOIN calendar ON calendar.day = losses.day
  WHERE losses.day >= {{since}} AND losses.day < {{until}}
  UNION ALL
  SELECT customer,
    CAST(round(open_cents * rates.rate * calendar.factor * CASE WHEN aged.day = {{until}} THEN 1 ELSE -1 END) AS BIGINT)
      AS cents
  FROM ({{open}}) AS aged
  JOIN unpaid_rates AS rates ON rates.age = aged.age
  JOIN calendar ON calendar.day = aged.day
) AS parts
GROUP BY customer"""


class Ageing:
    """The receivables of a log's customers, with the rates that are known at each date.

    Parameters
    ----------
    facts : Facts
    receivables : Receivables
    given : mapping of ages to rates, optional
        In place of the log's own.
    """

    def __init__(self, facts: Facts, receivables: Receivables, given: Rates | None = None) -> None:
        self.facts, self.given, self.receivables = facts, dict(given or {}), receivables
        facts.engine.register("receivable_list", receivables.table)
        facts.engine.create("receivables", _NUMBERED)
        self._observed = self._observations()

    @property
    def strangers(self) -> int:
        """Invoices of people who are not in the log."""
        known = self.facts.query("SELECT count(*) AS invoices FROM receivables")["invoices"].iloc[0]
        return len(self.receivables.table) - int(known)

    def rates(self, known_at: int) -> npt.NDArray[np.float64]:
        """Return the rate of each of `AGES` as known at a day (days since 1970-01-01); NaN where it is not known.

        Seen at the starts of months a year or longer before. An age of which `FEWEST_INVOICES` were not seen takes the
        rate of the younger one before it, which is no higher: what is overdue for longer is paid less often.
        """
        seen = self._observed[self._observed["day"] + _YEAR_DAYS <= known_at]
        sums = seen.groupby("age")[["invoices", "open_cents", "unpaid_cents"]].sum()
        sums = sums.reindex(range(len(AGES))).fillna(0)
        enough = (sums["invoices"] >= FEWEST_INVOICES) & (sums["open_cents"] > 0)
        own = (sums["unpaid_cents"] / sums["open_cents"].where(enough)).ffill()
        return np.array([self.given.get(name, own[age]) for age, name in enumerate(AGES)])

    def aged(self, days: npt.NDArray[np.int64]) -> pd.DataFrame:
        """Return what is open at some days: segment, day, age (number), invoices, open_cents."""
        return self.facts.by_segment(_AGED.format(open=self._open(days)))

    def expected_loss(self, aged: pd.DataFrame) -> pd.DataFrame:
        """Add ``rate``, as known at each row's day, and ``expected_loss_cents``; NaN without a rate."""
        rates = {day: self.rates(int(day)) for day in aged["day"].unique()}
        rate = np.array(
            [rates[day][age] for day, age in zip(aged["day"], aged["age"], strict=True)], dtype=np.float64
        )
        return aged.assign(rate=rate, expected_loss_cents=aged["open_cents"] * rate)

    def written_off(self) -> pd.Series:
        """Return what was written off less what was recovered, cents, by segment and period number."""
        sql = _WRITTEN_OFF.replace("<periods>", str(len(self.facts.periods)))
        return self.facts.grid(self.facts.by_segment(sql))["written_off_cents"]

    def create_losses(self, name: str, since: int, until: int) -> bool:
        """Create a table of customers' bad debt in [since, until), ``customer, loss_cents``, if it can be known.

        The expected loss at both ends is by the rates as known at ``until``, so that it changes by debts alone.

        Returns
        -------
        bool
            False, and no table, where an open amount has an age without a rate.
        """
        rates = self.rates(until)
        days = np.array([since, until])
        open_at = self._open(days)
        ages = self.facts.query(f"SELECT DISTINCT age FROM ({open_at}) AS aged")["age"].to_numpy(int)
        if np.isnan(rates[ages]).any():
            return False
        rows = {"age": list(range(len(AGES))), "rate": np.nan_to_num(rates)}
        self.facts.engine.register("unpaid_rates", pa.table(rows))
        self.facts.engine.create(name, _OF_CUSTOMERS.format(open=open_at, since=since, until=until))
        return True

    def _observations(self) -> pd.DataFrame:
        """Return what was open at each month's start, and what of it was unpaid a year later."""
        first = self.facts.query("SELECT min(issued) AS day FROM receivables")["day"].iloc[0]
        if pd.isna(first):
            return pd.DataFrame(
                {name: [0] * 0 for name in ("day", "age", "invoices", "open_cents", "unpaid_cents")}
            )
        until = self.facts.periods.known_until
        began = min(np.datetime64(int(first), "D").astype(object), until - timedelta(days=1))
        months = Periods(began, until - timedelta(days=1), "month", self.facts.periods.calendar)
        return self.facts.query(_OBSERVED.format(open=self._open(months.boundaries)))

    def _open(self, days: npt.NDArray[np.int64]) -> str:
        self.facts.engine.register("ageing_days", pa.table({"day": pa.array(days, pa.int32())}))
        ages = " ".join(
            f"WHEN ageing_days.day - due <= {upper} THEN {age}" for age, upper in enumerate(_UPPER_DAYS)
        )
        return _OPEN.format(ages=ages, last=len(_UPPER_DAYS), year=_YEAR_DAYS)


def ageing_now(ageing: Ageing) -> pd.DataFrame:
    """Return what is open at the log's end, a row for each segment and age with open amounts.

    Returns
    -------
    DataFrame
        segment, age_of_debt (one of `AGES`), invoices, open_cents, unpaid_rate, expected_loss_cents
    """
    facts = ageing.facts
    found = ageing.expected_loss(ageing.aged(facts.periods.boundaries[-1:]))
    order = {name: place for place, name in enumerate(facts.groups)}
    found = found.assign(place=found["segment"].map(order)).sort_values(["place", "age"], ignore_index=True)
    found["age_of_debt"] = [AGES[age] for age in found["age"]]
    return found.rename(columns={"rate": "unpaid_rate"})[
        ["segment", "age_of_debt", "invoices", "open_cents", "unpaid_rate", "expected_loss_cents"]
    ]


def bad_debt(ageing: Ageing) -> pd.DataFrame:
    """Return the bad debt of each segment and period, every amount as known at the period's end.

    The expected loss at both ends is by the rates as known at the end, so that it changes by debts alone.

    Returns
    -------
    DataFrame, by segment and period number
        open_cents, overdue_cents, expected_loss_cents, written_off_cents (less what was recovered), bad_debt_cents;
        the expected loss and the bad debt are NaN where an open amount has an age without a rate.
    """
    facts = ageing.facts
    boundaries = facts.periods.boundaries
    cells = pd.MultiIndex.from_product([facts.groups, boundaries, range(len(AGES))])
    aged = ageing.aged(boundaries).set_index(["segment", "day", "age"])["open_cents"]
    open_cents = aged.reindex(cells, fill_value=0).to_numpy(np.int64)
    open_cents = open_cents.reshape(len(facts.groups), len(boundaries), len(AGES))
    before, after = open_cents[:, :-1], open_cents[:, 1:]
    rates = np.array([ageing.rates(int(day)) for day in boundaries[1:]])
    at_start, at_end = (np.where(part > 0, part * rates, 0.0).sum(axis=2) for part in (before, after))
    written_off = ageing.written_off()
    return pd.DataFrame(
        {
            "open_cents": after.sum(axis=2).ravel(),
            "overdue_cents": after[:, :, 1:].sum(axis=2).ravel(),
            "expected_loss_cents": at_end.ravel(),
            "written_off_cents": written_off.to_numpy(),
            "bad_debt_cents": written_off.to_numpy() + (at_end - at_start).ravel(),
        },
        index=written_off.index,
    )
