"""Active weeks of each customer: what they cost by the week, by what becomes of them in the churn window.

Notation: H the churn window, h its middle, W the value horizon and v the inactivity window, in calendar weeks;
``c₀`` the weeks for which the last purchase keeps a customer active, ``c₁ = max(0, c₀ − H)`` those after the window;
``k(t) = (1 − e^(−δt))/δ`` that many weeks, discounted; ``Q`` the active weeks by purchases to come of a customer who is
alive (`training.clv.activity.discounted_weeks`). Then, with s and w as in ``value.py``:

- silent: ``k(c₀) + w·Q_H`` with ``Q_H = e^(−δH)·Q(c₁, W−H; T+H)``
- active: ``k(c₀) + (Q(c₀, W; T) − s·Q_H) / P(a purchase in H | alive at T)``
- won back: ``k(min(c₀, h)) + e^(−δh)·[k(min(v, W−h)) + alive·Q₁ + ρ·left·Q₂]``, Q₁ and Q₂ from v weeks after the
  purchase that the offer brings: its own v weeks are billed in full, and what those who had left go on to do they do at
  the share ρ, as their purchases.

A customer is billed while active, not while alive: one-time buyers are alive for ever in BG/NBD.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.clv.activity import Activity
from training.clv.operational_time import CONSTANT, DAYS_PER_WEEK, Discount, Intensity
from training.clv.purchase_models import PurchaseModel
from training.clv.quadrature import FloatArray
from training.clv.value import Cases, Future, ValueTerms


@dataclass(frozen=True)
class ActivityAhead:
    """The weeks ahead in which a customer may be active, counted from the snapshot, the window's middle and its end.

    Parameters
    ----------
    window, middle : float, H and h, calendar weeks
    now, after_middle, after_window : Activity
    """

    window: float
    middle: float
    now: Activity
    after_middle: Activity
    after_window: Activity

    @classmethod
    def of(cls, terms: ValueTerms, intensity: Intensity = CONSTANT, snapshot_day: int = 0) -> ActivityAhead:
        """Lay out the weeks after a snapshot (days since 1970-01-01; any day will do at constant intensity)."""

        def since(days: float) -> Activity:
            return Activity(
                weeks=(terms.value_horizon_days - days) / DAYS_PER_WEEK,
                inactivity_weeks=terms.inactivity_days / DAYS_PER_WEEK,
                discount=Discount(terms.discount_per_week, snapshot_day + days, intensity),
            )

        half = terms.horizon_days / 2.0
        return cls(
            window=terms.horizon_days / DAYS_PER_WEEK,
            middle=half / DAYS_PER_WEEK,
            now=since(0),
            after_middle=since(half),
            after_window=since(terms.horizon_days),
        )

    def still_active(self, silent_weeks: FloatArray) -> FloatArray:
        """Return c₀: the weeks for which the last purchase, so many weeks ago, keeps a customer active."""
        return np.clip(self.now.inactivity_weeks - silent_weeks, 0.0, self.now.weeks)


def active_weeks(
    model: PurchaseModel,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    silent_weeks: FloatArray,
    future: Future,
    ahead: ActivityAhead,
) -> Cases:
    """Return the discounted active weeks of customers under a purchase model.

    Parameters
    ----------
    model : PurchaseModel
    x : ndarray of shape (n,), repeat purchase days
    t_x, T : ndarray of shape (n,), operational weeks
    silent_weeks : ndarray of shape (n,), calendar weeks since the last purchase
    future : Future
    ahead : ActivityAhead, of the same terms

    Returns
    -------
    Cases
        A row's numbers have the same bits alone or in any batch.

    Examples
    --------
    >>> from training.clv.bgnbd import BGNBD
    >>> model, terms = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881), ValueTerms(inactivity_days=90)
    >>> x, t_x, T = np.array([2.0]), np.array([30.43]), np.array([38.86])
    >>> weeks = active_weeks(model, x, t_x, T, T - t_x, Future.of(terms), ActivityAhead.of(terms))
    >>> weeks.silent.round(1), weeks.expected(model.p_no_purchase(x, t_x, T, 90 / 7)).round(1)
    (array([10.7]), array([16.2]))
    """
    x, t_x, T, silent_weeks = (
        np.ascontiguousarray(column, dtype=np.float64) for column in (x, t_x, T, silent_weeks)
    )
    after_window = T + future.window
    at_once = ahead.now.paid(ahead.still_active(silent_weeks))
    after_silence, natural = weeks_if_alive(model, x, T, silent_weeks, future, ahead)
    after = ahead.after_middle
    stayed, left = model.active_weeks_after_win_back(x, t_x, after_window, after)
    until_middle = ahead.now.paid(np.minimum(ahead.still_active(silent_weeks), ahead.middle))
    brought = float(after.paid(np.array(min(after.inactivity_weeks, after.weeks))))
    return Cases(
        silent=at_once + model.p_alive(x, t_x, after_window) * after_silence,
        active=at_once + natural,
        won_back=until_middle + future.to_middle * (brought + stayed + future.resumption * left),
        resumed=future.to_middle * left,
    )


def weeks_if_alive(
    model: PurchaseModel,
    x: FloatArray,
    T: FloatArray,
    silent_weeks: FloatArray,
    future: Future,
    ahead: ActivityAhead,
) -> tuple[FloatArray, FloatArray]:
    """Return the active weeks by purchases to come, silent and active, of a customer alive after the window.

    Beside x and T they depend on the silence only while the last purchase keeps the customer active.
    """
    still = ahead.still_active(silent_weeks)
    later = np.clip(still - ahead.window, 0.0, None)
    after_silence = future.to_window * model.active_weeks_if_alive(
        x, T + future.window, later, ahead.after_window
    )
    from_today = model.active_weeks_if_alive(x, T, still, ahead.now)
    natural = from_today - model.p_silent_if_alive(x, T, future.window) * after_silence
    return after_silence, natural / model.p_purchase_if_alive(x, T, future.window)
