"""Activity: the weeks in which customers are active, discounted to a day.

A customer is active for v weeks after each purchase, the inactivity window. An active week may cost money (mailings,
service, an account manager), whether or not they buy in it. Weeks are billed in **calendar** time, as money is
discounted; purchases run on operational time, so a purchase is looked for in the operational weeks that the last v
calendar weeks are::

    q(t) = P(a purchase in (Λ(t−v), Λ(t)]),    active weeks = ∫ e^(−δt) · q(t) dt
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.clv.operational_time import DAYS_PER_WEEK, NO_DISCOUNT, Discount
from training.clv.quadrature import POINTS, FloatArray, time_points


@dataclass(frozen=True)
class Activity:
    """The weeks ahead of a day, in which a purchase makes a customer active for some weeks.

    Parameters
    ----------
    weeks : float, at least 0, calendar weeks ahead that count
    inactivity_weeks : float, above 0, v: calendar weeks without a purchase after which a customer is no longer active
    discount : Discount
        Of times counted from that day.

    Examples
    --------
    Without a discount, 13 weeks at once are 13:

    >>> Activity(weeks=52.0, inactivity_weeks=13.0).paid(np.array([13.0, 0.0]))
    array([13.,  0.])
    """

    weeks: float
    inactivity_weeks: float
    discount: Discount = NO_DISCOUNT

    def paid(self, weeks: FloatArray) -> FloatArray:
        """Return k: so many weeks from now on, each discounted: ``(1 − e^(−δt))/δ``."""
        rate = self.discount.rate
        return weeks if rate == 0.0 else -np.expm1(-rate * weeks) / rate

    def factors(self, weeks: FloatArray) -> FloatArray:
        """Return the discount factors of calendar times."""
        return np.exp(-self.discount.rate * weeks)

    def operational(self, weeks: FloatArray) -> FloatArray:
        """Return Λ: the operational weeks in so many calendar weeks from now on."""
        day = self.discount.start_day
        return np.asarray(self.discount.intensity.weeks(day, day + DAYS_PER_WEEK * weeks))


def discounted_weeks(
    p_purchase: Callable[[FloatArray, FloatArray], FloatArray],
    begin: FloatArray,
    scale: FloatArray,
    activity: Activity,
    later_points: int = POINTS,
) -> FloatArray:
    """Return ``Q = ∫ e^(−δt) · q(t) dt`` from ``begin`` to the last week that counts, ndarray of shape (n,).

    In two pieces: until t = v the purchase lies between now and t, afterwards between t − v and t.

    Parameters
    ----------
    p_purchase : callable
        Takes operational weeks ``start`` and ``end`` of shape (n, k), counted from now; returns P(a purchase between
        them), of that shape.
    begin : ndarray of shape (n,), at least 0, calendar weeks
    scale : ndarray of shape (n,), above 0
        About the time in which the probability changes, as in `training.clv.quadrature.time_points`.
    activity : Activity
    later_points : int
        Of the quadrature from v on, where the probability changes as slowly as customers leave.
    """
    v, last = activity.inactivity_weeks, activity.weeks
    early_end, later_end = min(v, last), max(last - v, 0.0)

    def piece(begin: FloatArray, end: float, shift: float, points: int) -> FloatArray:
        if (begin >= end).all():
            return np.zeros_like(begin)
        since, w = time_points(end - begin, scale + begin, points)
        since = begin[:, None] + since
        t = since + shift
        start = activity.operational(since) if shift else np.zeros_like(t)
        q = p_purchase(start, activity.operational(t))
        return np.asarray((activity.factors(t) * q * w).sum(axis=1))

    early = piece(np.minimum(begin, early_end), early_end, 0.0, POINTS)
    return early + piece(np.clip(begin - v, 0.0, later_end), later_end, v, later_points)
