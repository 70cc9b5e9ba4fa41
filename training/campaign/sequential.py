"""Intervals that hold at every look: the confidence that each of them needs.

Whoever looks at a campaign every week and stops at the first interval without zero raises a false alarm in four of ten
campaigns that did nothing, at 90% confidence. An interval of a confidence sequence holds at all looks together,
whenever they are and whatever they are decided by. In standard errors its half width is Robbins' normal mixture,

    sqrt((u + 1) / u · log((u + 1) / α²)),

where u is the information so far. It is taken to grow with the days: the differences of two days are correlated at
least as much as those of a random walk in time, because customers who bought early are those who buy often. Where they
are less so, which early purchases of a "bought at all" can be, the interval is wide enough by far.

References
----------
Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of Mathematical Statistics
41(5). Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2024), Time-uniform central limit theory and asymptotic confidence
sequences, Annals of Statistics 52(6), Theorem 2.2 and eq. 17.
"""

from __future__ import annotations

import math

from scipy import stats

NARROWEST_AT = 0.5
"""Share of the churn window at which the sequence is narrowest."""


def confidence_of_a_look(share_of_window: float, confidence: float) -> float:
    """Return the confidence at which each interval must be taken for all looks together to hold at ``confidence``.

    Parameters
    ----------
    share_of_window : float in (0, 1], days so far over days of the churn window
    confidence : float in (0, 1)

    Examples
    --------
    >>> [round(confidence_of_a_look(share, 0.9), 4) for share in (1 / 13, 0.5, 1)]
    [0.9989, 0.9943, 0.9947]
    """
    alpha = 1 - confidence
    spent = -2 * math.log(alpha)
    u = (spent + math.log(spent + 1)) * share_of_window / NARROWEST_AT
    half_width = math.sqrt((u + 1) / u * math.log((u + 1) / alpha**2))
    return float(2 * stats.norm.cdf(half_width) - 1)
