"""Change points: the days of a log from which on repeat purchases come at another rate than before.

Were the rate what it always was, so many purchases would be expected of each day; let those that came be Poisson
distributed around them, times one factor before a day and another from it on. The best day is that of the largest
likelihood, and tells of a change where it gains more than the best of all days does by chance. Where one is known, the
next is looked for before it and after it (binary segmentation).

References
----------
Andrews (1993), Tests for Parameter Instability and Structural Change With Unknown Change Point, Econometrica 61(4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from scipy.special import xlogy

from training.clv.quadrature import FloatArray

EDGE_DAYS = 30
"""Days of log on either side of a change: one that is younger may be a promotion, or the end of one."""

_HALF_A_YEAR = 182  # whole weeks

FOUND = 13.0
"""Twice the log-likelihood that the best day has to gain. By chance it does in 1 of 100 logs of two years, as the
largest square of a standardised Brownian bridge away from its ends does."""


def change_day(counts: FloatArray, expected: FloatArray) -> tuple[int, float]:
    """Return the day from which counts most surely come at another rate, and twice what it gains in log-likelihood.

    Parameters
    ----------
    counts : ndarray of shape (n_days,)
    expected : ndarray of shape (n_days,), above 0 in sum
        Had the rate not changed, up to a factor.

    Returns
    -------
    int, place of the day, and float; 0 and 0.0 where the log is shorter than both its edges

    Examples
    --------
    After 100 days with 4 a day, 50 with 2: the logarithms gained are 100·4·ln(4/3.33) + 50·2·ln(2/3.33).

    >>> day, gain = change_day(np.repeat([4.0, 2.0], [100, 50]), np.full(150, 7.0))
    >>> day, round(gain, 2)
    (100, 43.69)
    """
    before, expected_before = (np.cumsum(each)[EDGE_DAYS - 1 : -EDGE_DAYS] for each in (counts, expected))
    if not len(before):
        return 0, 0.0
    n, all_expected = counts.sum(), expected.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        gains = (
            xlogy(before, before / expected_before)
            + xlogy(n - before, (n - before) / (all_expected - expected_before))
            - xlogy(n, n / all_expected)
        )
    gains = np.nan_to_num(gains, nan=0.0, posinf=0.0, neginf=0.0)
    best = int(np.argmax(gains))
    return EDGE_DAYS + best, 2.0 * float(gains[best])


def next_change(counts: FloatArray, expected: FloatArray, known: Sequence[int]) -> tuple[int, float]:
    """Return `change_day` of the stretch between known days of change, or the log's ends, that gains most.

    Examples
    --------
    >>> counts = np.repeat([4.0, 2.0, 4.0], 100)
    >>> next_change(counts, np.ones(300), known=[100])[0]
    200
    """
    ends = [0, *known, len(counts)]
    found = [_within(counts, expected, start, end) for start, end in pairwise(ends)]
    return max(found, key=lambda each: each[1])


def moved_changes(counts: FloatArray, expected: FloatArray, known: Sequence[int]) -> list[int]:
    """Return known days of change, each moved to `change_day` between the one before it and the one after it.

    Examples
    --------
    >>> counts = np.repeat([4.0, 2.0, 4.0], 100)
    >>> moved_changes(counts, np.ones(300), known=[90, 200])
    [100, 200]
    """
    ends = [0, *known, len(counts)]
    for k in range(1, len(ends) - 1):  # one after the other, so that none passes another
        ends[k] = _within(counts, expected, ends[k - 1], ends[k + 1])[0]
    return ends[1:-1]


def comes_every_year(counts: FloatArray, expected: FloatArray, known: Sequence[int], day: int) -> bool:
    """Tell whether a change comes a year before or after too, half as large or more: as a season's does, or a trend's.

    The rates are those of as many days before it and after it, half a year at most, as no other known day divides.

    Examples
    --------
    >>> once, each_year = np.ones(1200), np.tile(np.repeat([1.0, 3.0], [335, 30]), 4)
    >>> once[900:] = 3.0
    >>> comes_every_year(once, np.ones(1200), [900], 900), comes_every_year(each_year, np.ones(1460), [1065], 1065)
    (False, True)
    """
    others = [0, *(each for each in known if each != day), len(counts)]
    reach = min(_HALF_A_YEAR, *(abs(each - day) for each in others))

    def change(at: int) -> float:
        sides = slice(at - reach, at), slice(at, at + reach)
        before, after = ((counts[side].sum() + 0.5) / (expected[side].sum() + 0.5) for side in sides)
        return float(np.log(after / before))

    own, year = change(day), 2 * _HALF_A_YEAR
    elsewhere = [at for at in (day - year, day + year) if reach <= at <= len(counts) - reach]
    return any(change(at) * np.sign(own) >= abs(own) / 2.0 for at in elsewhere)


def _within(counts: FloatArray, expected: FloatArray, start: int, end: int) -> tuple[int, float]:
    day, gain = change_day(counts[start:end], expected[start:end])
    return start + day, gain
