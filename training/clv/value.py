"""Customer value: the discounted margin of future purchases, with and without a purchase in the churn window.

A customer either stays silent through the churn window (H weeks) or buys in it. Each case has a value over the
value horizon (W weeks), discounted to the snapshot. All values here are in units of one purchase's margin: times
μ·m (margin rate, expected spend per purchase) they are money.

*Expected value is not risk*: ``expected(p)`` is the mean of the two cases weighted by the churn probability, so
multiplying it by the churn probability again would count churn twice. What an accepted offer saves is
``at_stake``; the value at risk is p · at_stake.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from features.errors import StayworthError, WindowError
from training.clv.purchase_models import PurchaseModel
from training.clv.quadrature import FloatArray

DAYS_PER_WEEK = 7.0


@dataclass(frozen=True, kw_only=True)
class ValueTerms:
    """Assumptions of a customer's value: horizons, margin and discount rate.

    Parameters
    ----------
    horizon_days : int, at least 1
        Length of the churn window.
    value_horizon_days : int, at least horizon_days
        Purchases later than this are not counted.
    margin : float, above 0
        Margin per unit of spend.
    discount_rate : float, at least 0
        Per year: at 0.15, 1.15 in a year's time is worth 1 today.

    Raises
    ------
    WindowError
        If a horizon is below a day or the value horizon is the shorter.
    StayworthError
        If the margin is not positive or the discount rate is negative.

    Examples
    --------
    >>> round(365 * ValueTerms(discount_rate=0.15).discount_per_week / 7, 6), round(math.log(1.15), 6)
    (0.139762, 0.139762)
    """

    horizon_days: int = 90
    value_horizon_days: int = 365
    margin: float = 0.3
    discount_rate: float = 0.15

    def __post_init__(self) -> None:
        if self.horizon_days < 1:
            raise WindowError(f"The horizon is {self.horizon_days} days; it must be at least 1.")
        if self.value_horizon_days < self.horizon_days:
            raise WindowError(
                f"The value horizon ({self.value_horizon_days} days) is shorter than the churn window "
                f"({self.horizon_days} days). Use --value-horizon-days {self.horizon_days} or more."
            )
        if not 0.0 < self.margin < math.inf:
            raise StayworthError(f"The margin is {self.margin}; it must be above 0, for example 0.3.")
        if not 0.0 <= self.discount_rate < math.inf:
            raise StayworthError(f"The discount rate is {self.discount_rate}; it must be 0 or more per year.")

    @property
    def horizon_weeks(self) -> float:
        """H, the churn window in weeks."""
        return self.horizon_days / DAYS_PER_WEEK

    @property
    def value_horizon_weeks(self) -> float:
        """W, the value horizon in weeks."""
        return self.value_horizon_days / DAYS_PER_WEEK

    @property
    def discount_per_week(self) -> float:
        """δ, the continuous discount rate per week: ln(1 + rate)/365 per day."""
        return math.log1p(self.discount_rate) / 365.0 * DAYS_PER_WEEK


@dataclass(frozen=True)
class CustomerValues:
    """Each customer's values, in units of one purchase's margin.

    Parameters
    ----------
    p0 : ndarray of shape (n,)
        The purchase model's own probability of silence through the window.
    silent, active, won_back : ndarray of shape (n,)
        Value of a customer who stays silent through the window; of one who buys in it without an offer; of one who
        would have stayed silent and buys in mid-window because of an offer.
    """

    p0: FloatArray
    silent: FloatArray
    active: FloatArray
    won_back: FloatArray

    @property
    def at_stake(self) -> FloatArray:
        """What an accepted offer saves: the value of a customer won back less that of the same customer silent."""
        return self.won_back - self.silent

    def expected(self, churn_probability: FloatArray) -> FloatArray:
        """Return p·silent + (1 − p)·active: one expected value, whichever model p comes from."""
        return churn_probability * self.silent + (1.0 - churn_probability) * self.active


def customer_values(
    model: PurchaseModel, x: FloatArray, t_x: FloatArray, T: FloatArray, terms: ValueTerms
) -> CustomerValues:
    """Value customers under a purchase model.

    Parameters
    ----------
    model : PurchaseModel
    x : ndarray of shape (n,), repeat purchase days
    t_x, T : ndarray of shape (n,), weeks
    terms : ValueTerms

    Returns
    -------
    CustomerValues
        A row's values have the same bits alone or in any batch.

    Examples
    --------
    >>> from training.clv.bgnbd import BGNBD
    >>> model = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> values = customer_values(model, np.array([2.0]), np.array([30.43]), np.array([38.86]), ValueTerms())
    >>> values.at_stake.round(2), values.expected(values.p0).round(2)
    (array([1.44]), array([1.47]))
    """
    x, t_x, T = (np.ascontiguousarray(column, dtype=np.float64) for column in (x, t_x, T))
    H, h, delta = terms.horizon_weeks, terms.horizon_weeks / 2.0, terms.discount_per_week
    silent, active = silent_and_active(model, x, t_x, T, terms)
    after = model.purchases_after_win_back(x, t_x, T + H, terms.value_horizon_weeks - h, delta)
    return CustomerValues(
        p0=model.p_no_purchase(x, t_x, T, H),
        silent=silent,
        active=active,
        won_back=math.exp(-delta * h) * (1.0 + after),
    )


def silent_and_active(
    model: PurchaseModel, x: FloatArray, t_x: FloatArray, T: FloatArray, terms: ValueTerms
) -> tuple[FloatArray, FloatArray]:
    """Return the ``silent`` and ``active`` values of `CustomerValues`.

    silent = ``w · e^(−δH)·D(W−H; T+H)`` with w = P(alive at T+H | silent until then).
    """
    after_silence, active = values_if_alive(model, x, T, terms)
    return model.p_alive(x, t_x, T + terms.horizon_weeks) * after_silence, active


def values_if_alive(
    model: PurchaseModel, x: FloatArray, T: FloatArray, terms: ValueTerms
) -> tuple[FloatArray, FloatArray]:
    """Return the values, silent and active, of a customer alive after the window; they depend on x and T alone.

    With s = P(alive, silent through H | alive at T):

    - after silence = ``e^(−δH) · D(W−H; T+H)``
    - active = ``[D(W; T) − s·e^(−δH)·D(W−H; T+H)] / P(a purchase in H | alive at T)``: P(alive) cancels, so
      nothing overflows where p0 comes near 1
    """
    H, W, delta = terms.horizon_weeks, terms.value_horizon_weeks, terms.discount_per_week
    after_silence = math.exp(-delta * H) * model.purchases_if_alive(x, T + H, W - H, delta)
    from_today = model.purchases_if_alive(x, T, W, delta)
    natural = from_today - model.p_silent_if_alive(x, T, H) * after_silence
    return after_silence, natural / model.p_purchase_if_alive(x, T, H)
