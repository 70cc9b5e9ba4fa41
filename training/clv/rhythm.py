"""Rhythm: when within the churn window a customer buys, by the clock of their own gaps between purchases.

Whether a customer buys in the window is the churn model's to say. On which of its days, a customer who has bought twice
shows by their own gaps: who has bought every 30 days is due on the 30th. The hazard of day d of the window, s days
after the last purchase at the snapshot, is a step function of two ratios and of whether whole weeks have passed::

    h(d) = w(d) · a_k((s + d) / mean gap) · b_k((s + d) / last gap) · c_k((s + d) mod 7)

with w(d) the operational time of the day (season, trend) and k the customer's regularity, in bins of the coefficient of
variation of their gaps, one gap alone being a bin of its own. A mean gap is long where a purchase was missed once, and
the last gap is one draw: together they say when a purchase is due. The hazards of a customer are proportional
to h, such that no purchase comes in the window with the churn probability p::

    1 − F(t) = p^(Σ_{d<t} h(d) / Σ_{d<H} h(d))

The steps are learnt from closed windows (`training.clv.rhythm_fit`); at a = b = c = 1 purchases come at any time alike.

References
----------
Cox (1972), Regression Models and Life-Tables, JRSS B 34(2). Platzer, Reutterer (2016), Ticking Away the Moments:
Timing Regularity Helps to Better Predict Customer Activity, Marketing Science 35(5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from features.table.columns import Columns
from training.clv.next_purchase import LEVELS
from training.clv.quadrature import FloatArray

REGULARITY = (0.1, 0.25, 0.5, 0.8)
"""Limits of the bins of std_gap_days / mean_gap_days; independent purchases have about 1."""

RATIO_EDGES = (
    *(15, 30, 39, 48, 54, 57, 59, 61, 63, 66, 72, 81),
    *(99, 111, 117, 123, 129, 144, 174, 186, 216, 300, 480),
)
"""Limits of the bins of the ratios, in sixtieths, finest where a purchase is due: a day of a gap of 30 has its own."""

SHAPE = (len(REGULARITY) + 2, len(RATIO_EDGES) + 1, len(RATIO_EDGES) + 1, 7)
"""Cells of regularity, ratio to the mean gap, ratio to the last gap, and days since the last whole week."""

_SIXTIETHS = 60
_ROUNDING = np.float32(1e-3)  # 7 · (60 / 7) may be below 60
_BIN_OF = np.searchsorted(RATIO_EDGES, np.arange(RATIO_EDGES[-1] + 1), side="right").astype(np.int32)
_DAYS_AT_ONCE = 500_000  # of customers together: they stay in the processor's cache


@dataclass(frozen=True)
class Rhythm:
    """Hazards of a purchase by the customers' own gaps, as logarithms: 0 where purchases come at any time alike.

    Parameters
    ----------
    mean_gap, last_gap : tuples of tuples of float, of shape (regularities, ratios)
    weeks : tuple of tuples of float, of shape (regularities, 7)
        By days since the last whole week after a purchase.
    """

    mean_gap: tuple[tuple[float, ...], ...]
    last_gap: tuple[tuple[float, ...], ...]
    weeks: tuple[tuple[float, ...], ...]

    def days(
        self, columns: Columns, day_weeks: FloatArray, churn_probability: FloatArray
    ) -> dict[float, FloatArray]:
        """Return the days until a next purchase has come with each of the probabilities `LEVELS`.

        Parameters
        ----------
        columns : Columns
            Of the feature table: frequency, days_since_last_purchase and the gaps.
        day_weeks : ndarray of shape (horizon_days,), operational weeks
            Of each day of the churn window.
        churn_probability : ndarray of shape (n,), in [0, 1]

        Returns
        -------
        dict of level to ndarray of shape (n,), days
            NaN for customers without a rhythm, and where the level is reached in the window by none.
        """
        days = {level: np.full(len(churn_probability), np.nan) for level in LEVELS}
        with np.errstate(divide="ignore"):  # of a churn probability of 0 or 1
            log_p = np.abs(np.log(churn_probability))
            shares = {level: -np.log1p(-level) / log_p for level in LEVELS}
        own = keeps_rhythm(columns)
        own = own[shares[LEVELS[0]][own] <= 1.0]  # of all others no level is reached in the window
        for rows in _parts(own, len(day_weeks)):
            spent = self.spent(columns, day_weeks, rows)
            for level in LEVELS:
                days[level][rows] = _reached(spent, shares[level][rows])
        return days

    def spent(self, columns: Columns, day_weeks: FloatArray, rows: npt.NDArray[np.int64]) -> FloatArray:
        """Return the share of the window's hazard that is spent by the end of each day, of some customers.

        Returns
        -------
        ndarray of shape (n_rows, horizon_days), ascending along each row to 1
        """
        hazard = self._hazards.take(cells(columns, len(day_weeks), rows))
        hazard *= day_weeks
        spent = np.cumsum(hazard, axis=1, out=hazard)
        spent /= spent[:, -1:].copy()
        return spent

    @cached_property
    def _hazards(self) -> FloatArray:
        return np.exp(log_hazards(*map(np.array, (self.mean_gap, self.last_gap, self.weeks))))

    @classmethod
    def from_dict(cls, numbers: Mapping[str, Any]) -> Rhythm:
        """Read what `dataclasses.asdict` wrote."""
        return cls(**{name: tuple(map(tuple, steps)) for name, steps in numbers.items()})


def log_hazards(mean_gap: FloatArray, last_gap: FloatArray, weeks: FloatArray) -> FloatArray:
    """Return the logarithm of the hazard of each cell, flat, of `SHAPE`."""
    by_gaps = mean_gap[:, :, None, None] + last_gap[:, None, :, None]
    return np.asarray((by_gaps + weeks[:, None, None, :]).ravel())


def keeps_rhythm(columns: Columns) -> npt.NDArray[np.int64]:
    """Return the places of the customers who have a gap between purchases, ascending."""
    return np.flatnonzero(np.asarray(columns["frequency"]) > 0)


def cells(columns: Columns, horizon_days: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    """Return the cell, flat in `SHAPE`, in which each day of the window lies, ndarray of shape (n_rows, horizon_days).

    Examples
    --------
    Every 30 days, and 29 days ago for the last time; today is in the bin below that of a purchase that is due:

    >>> gaps = {"mean_gap_days": [30.0], "std_gap_days": [0.0], "last_gap_days": [30.0]}
    >>> table = {name: np.array(known) for name, known in gaps.items()} | {"days_since_last_purchase": np.array([29])}
    >>> [tuple(map(int, np.unravel_index(cell, SHAPE))) for cell in cells(table, 3, np.array([0]))[0]]
    [(0, 6, 6, 1), (0, 7, 7, 2), (0, 8, 8, 3)]
    """
    mean, std, last = (
        np.asarray(columns[name], dtype=np.float64)[rows]
        for name in ("mean_gap_days", "std_gap_days", "last_gap_days")
    )
    since, ahead = np.asarray(columns["days_since_last_purchase"])[rows], np.arange(horizon_days)
    gap = since.astype(np.float32)[:, None] + ahead.astype(np.float32)
    regularity = np.where(np.isnan(std), SHAPE[0] - 1, np.searchsorted(REGULARITY, std / mean, side="right"))
    cell = _bins(gap, mean)
    cell += (regularity * SHAPE[1]).astype(np.int32)[:, None]
    cell *= np.int32(SHAPE[2])
    cell += _bins(gap, last)
    cell *= np.int32(SHAPE[3])
    cell += ((np.arange(7)[:, None] + ahead) % 7).astype(np.int32)[since % 7]
    return cell


def _bins(gap: npt.NDArray[np.float32], usual: FloatArray) -> npt.NDArray[np.int32]:
    sixtieths = gap * (_SIXTIETHS / usual).astype(np.float32)[:, None]
    sixtieths += _ROUNDING
    places = np.minimum(sixtieths, RATIO_EDGES[-1], out=sixtieths).astype(np.int16)
    return np.asarray(_BIN_OF.take(places))


def _parts(rows: npt.NDArray[np.int64], horizon_days: int) -> Iterator[npt.NDArray[np.int64]]:
    at_once = max(_DAYS_AT_ONCE // horizon_days, 1)
    return (rows[start : start + at_once] for start in range(0, len(rows), at_once))


def _reached(spent: FloatArray, share: FloatArray) -> FloatArray:
    """Return the days after which a share of the window's hazard is spent, linear within a day; NaN where never."""
    day = (spent < share[:, None]).sum(axis=1)
    rows = np.flatnonzero(day < spent.shape[1])
    day, found = day[rows], np.full(len(share), np.nan)
    until, before = spent[rows, day], np.where(day > 0, spent[rows, day - 1], 0.0)
    found[rows] = day + (share[rows] - before) / (until - before)
    return found
