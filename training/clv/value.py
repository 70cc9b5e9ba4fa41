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
from functools import lru_cache

import numpy as np

from features.errors import StayworthError, WindowError
from features.language import translated
from training.clv.later_purchases import AS_TOLD, LaterPurchases
from training.clv.operational_time import CONSTANT, DAYS_PER_WEEK, Discount, Intensity
from training.clv.purchase_models import PurchaseModel
from training.clv.quadrature import FloatArray

COSTS = ("cost_per_order", "cost_per_day", "bad_debt_rate", "inactivity_days")
"""The terms that say what customers cost; columns of a scored list."""


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
    discount_rate : float, above -1
        A year's: 0.15 means that 1.15 in a year's time is worth 1 today. A real rate, for real money, may be negative.
    resumption : float, in [0, 1]
        ρ: the share of their old rate's value with which a customer who had left goes on after an offer brought
        them back for one purchase. 0: they buy once; 1: they go on as before. No log of orders shows it.

    cost_per_order : float, at least 0
        Money that each purchase costs beside the goods: picking, delivery, returns.
    cost_per_day : float, at least 0
        Money that each day costs on which a customer is active, whether or not they buy.
    bad_debt_rate : float, in [0, 1]
        Share of spend that is never paid.
    inactivity_days : int, at least 1
        A customer is active until so many days after a purchase.

    Raises
    ------
    WindowError
        If a horizon is below a day or the value horizon is the shorter.
    StayworthError
        If the margin is not positive, the discount rate is -1 or less, a cost is negative, or the resumption is no
        share.

    Examples
    --------
    >>> round(365 * ValueTerms(discount_rate=0.15).discount_per_week / 7, 6), round(math.log(1.15), 6)
    (0.139762, 0.139762)
    """

    horizon_days: int = 90
    value_horizon_days: int = 365
    margin: float = 0.3
    discount_rate: float = 0.15
    resumption: float = 0.5
    cost_per_order: float = 0.0
    cost_per_day: float = 0.0
    bad_debt_rate: float = 0.0
    inactivity_days: int = 180

    def __post_init__(self) -> None:
        if self.horizon_days < 1:
            raise WindowError(
                translated(
                    "The horizon is {horizon_days} days; it must be at least 1.",
                    horizon_days=self.horizon_days,
                )
            )
        if self.value_horizon_days < self.horizon_days:
            raise WindowError(
                translated(
                    "The value horizon ({value_horizon_days} days) is shorter than the churn window "
                    "({horizon_days} days). Use --value-horizon-days {horizon_days} or more.",
                    value_horizon_days=self.value_horizon_days,
                    horizon_days=self.horizon_days,
                )
            )
        if not 0.0 < self.margin < math.inf:
            raise StayworthError(
                translated("The margin is {margin}; it must be above 0, for example 0.3.", margin=self.margin)
            )
        if not -1.0 < self.discount_rate < math.inf:
            raise StayworthError(
                translated(
                    "The discount rate is {discount_rate}; it must be above -1 a year.",
                    discount_rate=self.discount_rate,
                )
            )
        if not 0.0 <= self.resumption <= 1.0:
            raise StayworthError(
                translated(
                    "The resumption is {resumption}; it is a share, from 0 to 1.", resumption=self.resumption
                )
            )
        self._require_costs()

    def _require_costs(self) -> None:
        if not 0.0 <= self.cost_per_order < math.inf:
            raise StayworthError(
                translated(
                    "The cost per order is {cost}; it must be 0 or more, in money.", cost=self.cost_per_order
                )
            )
        if not 0.0 <= self.cost_per_day < math.inf:
            raise StayworthError(
                translated(
                    "The cost per active day is {cost}; it must be 0 or more, in money.",
                    cost=self.cost_per_day,
                )
            )
        if not 0.0 <= self.bad_debt_rate <= 1.0:
            raise StayworthError(
                translated(
                    "The bad-debt rate is {bad_debt_rate}; it is a share of spend, from 0 to 1.",
                    bad_debt_rate=self.bad_debt_rate,
                )
            )
        if self.inactivity_days < 1:
            raise WindowError(
                translated(
                    "The inactivity window is {inactivity_days} days; it must be at least 1.",
                    inactivity_days=self.inactivity_days,
                )
            )

    @property
    def discount_per_week(self) -> float:
        """δ, the continuous discount rate per week: ln(1 + rate)/365 per day."""
        return math.log1p(self.discount_rate) / 365.0 * DAYS_PER_WEEK

    @property
    def costs(self) -> dict[str, float]:
        """What customers cost, by name, and for how long they are active."""
        return {name: getattr(self, name) for name in COSTS}

    @property
    def has_costs(self) -> bool:
        """Whether customers cost anything; without, values are gross."""
        return bool(self.cost_per_order or self.cost_per_day or self.bad_debt_rate)

    @property
    def cost_per_week(self) -> float:
        """g, the cost of an active week, money."""
        return DAYS_PER_WEEK * self.cost_per_day


@dataclass(frozen=True)
class Future:
    """The churn window and the value horizon ahead of a snapshot, in operational weeks.

    Parameters
    ----------
    window, middle, horizon : float
        H, h = H/2 and W: operational weeks until the window's end, its middle, and the value horizon's end.
    now, after_window, after_middle : Discount
        Discount factors for times counted from the snapshot, the window's end, and its middle.
    to_window, to_middle, to_later : float
        Discount factors of the window's end, of its middle, and of the middle between its end and the value horizon's.
    resumption : float
    """

    window: float
    middle: float
    horizon: float
    now: Discount
    after_window: Discount
    after_middle: Discount
    to_window: float
    to_middle: float
    to_later: float
    resumption: float

    @classmethod
    @lru_cache(maxsize=64)  # live requests of a day have the same futures: one, and one in each scenario
    def of(cls, terms: ValueTerms, intensity: Intensity = CONSTANT, snapshot_day: int = 0) -> Future:
        """Lay out the future of a snapshot (days since 1970-01-01; any day will do at constant intensity)."""
        half = terms.horizon_days / 2.0
        ends = [snapshot_day + days for days in (terms.horizon_days, half, terms.value_horizon_days)]
        delta = terms.discount_per_week
        window, middle, horizon = (float(intensity.weeks(snapshot_day, end)) for end in ends)
        return cls(
            window=window,
            middle=middle,
            horizon=horizon,
            now=Discount(delta, snapshot_day, intensity),
            after_window=Discount(delta, ends[0], intensity),
            after_middle=Discount(delta, ends[1], intensity),
            to_window=math.exp(-delta * terms.horizon_days / DAYS_PER_WEEK),
            to_middle=math.exp(-delta * half / DAYS_PER_WEEK),
            to_later=math.exp(-delta * (half + terms.value_horizon_days / 2.0) / DAYS_PER_WEEK),
            resumption=terms.resumption,
        )


@dataclass(frozen=True)
class Cases:
    """What each customer's future holds of something, discounted, by what becomes of them in the churn window.

    Parameters
    ----------
    silent, active, won_back : ndarray of shape (n,)
        Of a customer who stays silent through the window; who buys in it by themselves; who would have
        stayed silent and makes a purchase in mid-window because of an offer.
    resumed : ndarray of shape (n,)
        What ``won_back`` gains from ρ = 0 to ρ = 1: it is linear in the resumption.
    """

    silent: FloatArray
    active: FloatArray
    won_back: FloatArray
    resumed: FloatArray

    @property
    def at_stake(self) -> FloatArray:
        """What an accepted offer adds: that of a customer won back less that of the same customer silent."""
        return self.won_back - self.silent

    @property
    def ceiling(self) -> FloatArray:
        """Both cases together: more than any expectation."""
        return self.silent + self.active

    def expected(self, churn_probability: FloatArray) -> FloatArray:
        """Return p·silent + (1 − p)·active: one expectation, whichever model p comes from."""
        return churn_probability * self.silent + (1.0 - churn_probability) * self.active


@dataclass(frozen=True, kw_only=True)
class CustomerValues(Cases):
    """Each customer's purchases to come: their values in units of what one purchase brings.

    Parameters
    ----------
    p0 : ndarray of shape (n,)
        The purchase model's own probability of silence through the window.
    more : float or ndarray of shape (n,)
        What ``active`` has in the churn window beyond the purchase model's own, discounted.
    silent_factor, active_factor : float or ndarray of shape (n,), above 0
        By how much ``silent``, and ``active`` without ``more``, are above the purchase model's own, for what closed
        value horizons teach of later purchases.
    """

    p0: FloatArray
    more: FloatArray | float = 0.0
    silent_factor: FloatArray | float = 1.0
    active_factor: FloatArray | float = 1.0

    def learnt(self, silent: FloatArray, active: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return a purchase model's values, silent and active, with what was learnt beside it."""
        return silent * self.silent_factor, active * self.active_factor + self.more

    @property
    def without_frequency(self) -> Cases:
        """The cases at the purchase model's own number of purchases in the churn window."""
        return Cases(self.silent, self.active - self.more, self.won_back, self.resumed)

    @property
    def without_later(self) -> Cases:
        """The cases, silent and active, where later purchases are the purchase model's own."""
        active = (self.active - self.more) / self.active_factor + self.more
        return Cases(self.silent / self.silent_factor, active, self.won_back, self.resumed)


def customer_values(
    model: PurchaseModel,
    x: FloatArray,
    t_x: FloatArray,
    T: FloatArray,
    future: Future,
    more_if_active: FloatArray | float = 0.0,
    later: LaterPurchases = AS_TOLD,
) -> CustomerValues:
    """Value customers under a purchase model.

    ``won back = e^(−δh)·[1 + alive·D₁ + ρ·left·D₂]``: the purchase itself, and what follows it of those who had not
    left and of those who had, who go on at the share ρ of their old rate's value; of either as much more or less than
    the purchase model says as of customers who buy in the churn window.

    Parameters
    ----------
    model : PurchaseModel
    x : ndarray of shape (n,), repeat purchase days
    t_x, T : ndarray of shape (n,), operational weeks
    future : Future
    more_if_active : float or ndarray of shape (n,)
        Purchases beyond those of the model that a customer makes in the churn window who makes one (fewer: below 0).
        They count from its middle.
    later : LaterPurchases
        What is made of the model's word on the purchases after the window.

    Returns
    -------
    CustomerValues
        A row's values have the same bits alone or in any batch.

    Examples
    --------
    >>> from training.clv.bgnbd import BGNBD
    >>> model = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> x, t_x, T = np.array([2.0]), np.array([30.43]), np.array([38.86])
    >>> values = customer_values(model, x, t_x, T, Future.of(ValueTerms(resumption=1.0)))
    >>> values.at_stake.round(2), values.expected(values.p0).round(2)
    (array([1.44]), array([1.47]))
    """
    x, t_x, T = (np.ascontiguousarray(column, dtype=np.float64) for column in (x, t_x, T))
    silent, active = silent_and_active(model, x, t_x, T, future)
    stayed, left = model.purchases_after_win_back(
        x, t_x, T + future.window, future.horizon - future.middle, future.after_middle
    )
    silent_factor, active_factor, after = _factors(later, model, x, T, silent, active, future)
    more = future.to_middle * more_if_active
    return CustomerValues(
        p0=model.p_no_purchase(x, t_x, T, future.window),
        silent=silent * silent_factor,
        active=active * active_factor + more,
        more=more,
        silent_factor=silent_factor,
        active_factor=active_factor,
        won_back=future.to_middle * (1.0 + after * (stayed + future.resumption * left)),
        resumed=future.to_middle * after * left,
    )


def _factors(
    later: LaterPurchases,
    model: PurchaseModel,
    x: FloatArray,
    T: FloatArray,
    silent: FloatArray,
    active: FloatArray,
    future: Future,
) -> tuple[FloatArray | float, FloatArray | float, FloatArray | float]:
    """Return what lines make of the values, silent and active, and of purchases after one in the churn window.

    The lines are of purchases: a discount leaves their sum as if all came in the middle of their time.
    """
    if later == AS_TOLD or future.horizon <= future.window:
        return 1.0, 1.0, 1.0
    in_window = future.to_middle * purchases_in_window_if_active(model, x, T, future.window)
    afterwards = np.maximum(active - in_window, 0.0)
    after = later.active.factor(afterwards / future.to_later)
    return later.silent.factor(silent / future.to_later), 1.0 + (after - 1.0) * afterwards / active, after


def purchases_in_window_if_active(
    model: PurchaseModel, x: FloatArray, T: FloatArray, weeks: float
) -> FloatArray:
    """Return E[purchases within so many weeks | at least one], ndarray of shape (n,), at least 1."""
    return model.purchases_if_alive(x, T, weeks) / model.p_purchase_if_alive(x, T, weeks)


def silent_and_active(
    model: PurchaseModel, x: FloatArray, t_x: FloatArray, T: FloatArray, future: Future
) -> tuple[FloatArray, FloatArray]:
    """Return the ``silent`` and ``active`` values of `CustomerValues`.

    silent = ``w · e^(−δH)·D(W−H; T+H)`` with w = P(alive at T+H | silent until then).
    """
    after_silence, active = values_if_alive(model, x, T, future)
    return model.p_alive(x, t_x, T + future.window) * after_silence, active


def values_if_alive(
    model: PurchaseModel, x: FloatArray, T: FloatArray, future: Future
) -> tuple[FloatArray, FloatArray]:
    """Return the values, silent and active, of a customer alive after the window; they depend on x and T alone.

    With s = P(alive, silent through H | alive at T):

    - after silence = ``e^(−δH) · D(W−H; T+H)``
    - active = ``[D(W; T) − s·e^(−δH)·D(W−H; T+H)] / P(a purchase in H | alive at T)``: P(alive) cancels, so
      nothing overflows where p0 comes near 1
    """
    H, W = future.window, future.horizon
    after_silence = future.to_window * model.purchases_if_alive(x, T + H, W - H, future.after_window)
    from_today = model.purchases_if_alive(x, T, W, future.now)
    natural = from_today - model.p_silent_if_alive(x, T, H) * after_silence
    return after_silence, natural / model.p_purchase_if_alive(x, T, H)
