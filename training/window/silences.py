"""Silences: the days from each purchase to the next one, or to the end of the log, with survival estimates.

A silence that ended is a gap: the customer came back. A customer's last silence is still going on when the log
ends; it is right-censored, neither a return nor a loss. How long silences last, and how many of those that
have lasted so long end after all, is estimated with the product limit (Kaplan–Meier), which uses a censored
silence for as long as it was watched.

Customers differ, and a frequent buyer has many short silences where a slow one has a single long one. So each
question has two answers: **per silence**, where frequent buyers count often, and **per customer**, where each
counts once.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import CensoredData, ecdf

from features.table.history import PurchaseHistory

AT_RISK = 30
"""Silences at risk where an estimate ends: with fewer, single customers would decide."""

DORMANT_RETURNS = 1 / 3
"""Largest share of the dormant who may buy in the time ahead: two of three stay silent for that long."""

LONG_SILENCES = (450, 540)
"""Silences after which customers are dormant where they come once a year: a year and a quarter, a year and a half."""

_SILENCES_SQL = """WITH last AS (
  SELECT max(day) AS last_day
  FROM purchase_days
),
purchases AS (
  SELECT customer_id, day,
    lead(day) OVER (PARTITION BY customer_id ORDER BY day) AS next_day
  FROM purchase_days
  WHERE orders > 0
),
silences AS (
  SELECT customer_id, day,
    coalesce(next_day, last_day) - day AS days,
    CASE WHEN next_day IS NULL THEN 0 ELSE 1 END AS ended
  FROM purchases
  CROSS JOIN last
)
SELECT CAST(days AS INTEGER) AS days,
  CAST(ended AS INTEGER) AS ended,
  CAST(sum(ended) OVER (PARTITION BY customer_id) AS INTEGER) AS returns,
  CAST(coalesce(max(days) OVER (
    PARTITION BY customer_id ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), -1) AS INTEGER) AS longest_before
FROM silences
ORDER BY days, ended, returns, longest_before"""


@dataclass(frozen=True)
class Rate:
    """A share with its 95% interval (Greenwood), and how many it rests on.

    Parameters
    ----------
    value, low, high : float, in [0, 1]
    count : int
        Silences (or customers) that lasted long enough to be asked about.
    """

    value: float
    low: float
    high: float
    count: int


@dataclass(frozen=True, eq=False)
class Survival:
    """The share of silences that last longer than so many days.

    Parameters
    ----------
    days : ndarray, ascending
    share : ndarray of the same shape, falling

    Examples
    --------
    >>> Survival(np.array([3.0, 8.0]), np.array([0.5, 0.2]))([2, 3, 10])
    array([1. , 0.5, 0.2])
    """

    days: np.ndarray
    share: np.ndarray

    def __call__(self, days: float | np.ndarray | list[int]) -> np.ndarray:
        """Return the share at each of the days."""
        at = np.searchsorted(self.days, days, side="right")
        return np.asarray(np.concatenate([[1.0], self.share])[at])

    def late_returns(self, days: int, reach_days: int) -> float:
        """Return the share of the returns within ``reach_days`` that come after ``days``; 1 where none was seen.

        Examples
        --------
        >>> Survival(np.array([3.0, 8.0]), np.array([0.5, 0.25])).late_returns(5, 10)  # 0.25 of 0.75
        0.3333333333333333
        """
        silent, to_the_end = float(self(days)), float(self(reach_days))
        returns = 1.0 - to_the_end
        return (silent - to_the_end) / returns if returns else 1.0


@dataclass(frozen=True, eq=False)
class Silences:
    """All silences of a log; arrays of shape (n_silences,).

    Parameters
    ----------
    days : ndarray of int
        To the next purchase, or to the last day of the log.
    ended : ndarray of bool
        Whether the customer came back.
    returns : ndarray of int
        How often the silence's customer came back, in all.
    longest_before : ndarray of int
        Longest earlier silence of that customer; -1 for the first.
    """

    days: np.ndarray
    ended: np.ndarray
    returns: np.ndarray
    longest_before: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """The days of the silences that ended."""
        return np.asarray(self.days[self.ended])

    @property
    def reach_days(self) -> int:
        """How long a silence this log can follow: `AT_RISK` are still watched then, or a tenth of a few."""
        return int(np.sort(self.days)[-min(AT_RISK, 1 + len(self.days) // 10)])

    def survival(self) -> Survival:
        """Estimate how long silences last, per silence: the Kaplan–Meier curve of all of them."""
        curve = ecdf(CensoredData(uncensored=self.gaps, right=self.days[~self.ended])).sf
        return Survival(np.asarray(curve.quantiles), np.asarray(curve.probabilities))

    def survival_per_customer(self) -> Survival:
        """Estimate how long silences last, per customer: each counts once, however often they bought.

        A customer's completed silences share a weight of one, and the censored one counts for those who never
        came back. Dropping it for the others is no loss of leavers: the estimate is that of the customers'
        first silences, each replaced by the mean over all that it could have been exchanged with. (To weight
        *all* silences equally is biased: who comes back has more of them.)

        References
        ----------
        Wang, Chang (1999), Nonparametric estimation of a recurrent survival function, JASA 94(445).
        """
        keep = self.ended | (self.returns == 0)
        weight = 1.0 / np.maximum(self.returns[keep], 1)
        days, index = np.unique(self.days[keep], return_inverse=True)
        at_risk = np.bincount(index, weight)[::-1].cumsum()[::-1]
        share = np.cumprod(1.0 - np.bincount(index, weight * self.ended[keep]) / at_risk)
        return Survival(days.astype(float), np.maximum(share, 0.0))

    def returning(self, after_days: int, within_days: int, *, per_customer: bool = True) -> Rate | None:
        """Estimate the share that comes back within so many days, of those silent for ``after_days``.

        Per customer, each is watched from the first time they have been silent that long.

        Returns
        -------
        Rate, or None where the log holds no such silence
        """
        asked = (self.days > after_days) | (~self.ended & (self.days == after_days))
        if per_customer:
            asked &= self.longest_before <= after_days
        if not asked.any():
            return None
        days, ended = self.days[asked] - after_days, self.ended[asked]
        curve = ecdf(CensoredData(uncensored=days[ended], right=days[~ended])).sf
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # no interval where nobody or everybody is back
            interval = curve.confidence_interval()
        value, low, high = (
            1.0 - float(function.evaluate(within_days)) for function in (curve, interval.high, interval.low)
        )
        low, high = (value if np.isnan(end) else end for end in (low, high))
        return Rate(value, low, high, int(asked.sum()))

    def returning_ahead(self, after_days: int, ahead_days: int) -> Rate | None:
        """Estimate the share that buys in the days ahead, of customers silent for ``after_days``.

        Returns
        -------
        Rate, or None where the log follows such silences for less than half the days ahead
        """
        follow_up = min(ahead_days, self.reach_days - after_days)
        return self.returning(after_days, follow_up) if 2 * follow_up >= ahead_days else None

    def dormant_after(self, lengths: Sequence[int], ahead_days: int) -> int:
        """Return the first of the silences after which few come back in the days ahead.

        Few: `DORMANT_RETURNS` at the most, or unknown, for fewer do after longer silences. Where none of them tells
        who is gone, the first: waiting longer is no better then.

        Examples
        --------
        Of four customers who are silent for two weeks, two come back in the third week:

        >>> silences = Silences(np.array([20, 20, 90, 90]), np.array([True, True, False, False]), *np.zeros((2, 4)))
        >>> silences.dormant_after((14, 21, 28), ahead_days=7), silences.dormant_after((14,), ahead_days=7)
        (21, 14)
        """
        for days in lengths:
            returning = self.returning_ahead(days, ahead_days)
            if returning is None or returning.value <= DORMANT_RETURNS:
                return days
        return lengths[0]


def silences_of(history: PurchaseHistory) -> Silences:
    """Read all silences of a log; a day of refunds alone neither ends one nor begins one.

    Examples
    --------
    >>> from features.datasets import cdnow
    >>> from features.log.validation import validate
    >>> with PurchaseHistory(validate(cdnow())) as history:
    ...     silences = silences_of(history)
    >>> len(silences.gaps), int((~silences.ended).sum())  # a silence goes on for every customer
    (44021, 23570)
    """
    table = history.engine.query(_SILENCES_SQL)
    columns = [np.asarray(table[name]) for name in ("days", "ended", "returns", "longest_before")]
    return Silences(columns[0], columns[1].astype(bool), columns[2], columns[3])
