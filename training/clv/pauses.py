"""Pauses: days on which a shop's trade all but stood still, though weeks before and after it did not.

A closure, a holiday, a hole in the records: hardly anybody bought then, whoever stayed, and silence through such a day
tells nothing of a customer. What is always so is no pause: a weekday on which the shop rests belongs to its week, and a
holiday that was quiet a year before too belongs to its season, as a slump of months does. A single bad day is none
either: it says next to nothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from training.clv.quadrature import FloatArray

Pauses = tuple[tuple[int, float], ...]
"""Days since 1970-01-01, and the share of their usual trade that they had, in [0, 1/2)."""

QUIET = 0.5
"""Share of a day's usual purchases below which it is a pause."""

SHUT = 0.25
"""The same where no week after it has come yet: what is still half of the usual may be a quiet month that begins."""

LEAST_USUAL = 50.0
"""Repeat purchases that a day has to be used to, to be judged: by Poisson's law, fewer than half of them come by chance
once in 29,000 days."""

YEARLY_DAYS = 7
"""Days by which what comes back each year may move."""

_WEEKS = 8  # before and after a day that tell what is usual: in them, a pause of three weeks stays one


def pauses_in(first_day: int, counts: FloatArray) -> Pauses:
    """Return the pauses of a log.

    A day's usual trade is the median of its weekday over the eight weeks before or the eight after, whichever is the
    lower, as far as the log goes and without pauses among those after: where trade changes for good, no day lies below
    both for longer than four weeks. The first week is not judged, for trade may only have begun.

    Parameters
    ----------
    first_day : int, days since 1970-01-01
    counts : ndarray of shape (n_days,), repeat purchases of each day

    Examples
    --------
    Ten weeks of 60 purchases a day, none on two days, and none on Sundays, which is usual:

    >>> counts = np.full(70, 60.0)
    >>> counts[39:41] = 0
    >>> counts[6::7] = 0
    >>> pauses_in(20_000, counts)
    ((20039, 0.0), (20040, 0.0))
    """
    before = _weekday_medians(counts)
    open_days, shares = counts.astype(np.float64), np.full(len(counts), np.nan)
    for day in np.flatnonzero((before >= LEAST_USUAL) & (counts < QUIET * before))[::-1]:
        after = open_days[day + 7 : day + 7 * _WEEKS + 1 : 7]
        after = after[~np.isnan(after)]
        usual, quiet = (min(before[day], np.median(after)), QUIET) if len(after) else (before[day], SHUT)
        if usual >= LEAST_USUAL and counts[day] < quiet * usual:
            open_days[day], shares[day] = np.nan, counts[day] / usual
    days = _interruptions(np.flatnonzero(~np.isnan(shares)))
    return tuple((int(first_day + day), float(shares[day])) for day in days)


def _interruptions(days: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """Return the days with another one of them within a week, and none about a year before or after."""
    apart = np.abs(days[:, None] - days)
    several = ((apart > 0) & (apart <= 7)).any(axis=1)
    yearly = (np.abs(apart - 365) <= YEARLY_DAYS).any(axis=1)
    return np.asarray(days[several & ~yearly])


def _weekday_medians(counts: FloatArray) -> FloatArray:
    """Return the median of each day's weekday over the weeks before it, as far as there are; NaN in the first."""
    earlier = np.arange(len(counts))[:, None] - 7 * np.arange(1, _WEEKS + 1)
    values = np.where(earlier >= 0, counts[np.maximum(earlier, 0)], np.nan)
    return np.concatenate([np.full(len(counts[:7]), np.nan), np.nanmedian(values[7:], axis=1)])
