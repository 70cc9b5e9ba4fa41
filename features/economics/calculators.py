"""Calculators: plans without a log, as pure functions.

Rates and shares are fractions: 0.15 is 15%. Flows of year 0 are not discounted. Money has any unit, the same
throughout. The value of a cohort is in `features.economics.cohort_plan`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from features.economics.figure_checks import (
    power,
    require,
    require_discount_rate,
    require_finite,
    require_rate,
    require_share,
)

# --- money in time -------------------------------------------------------------------------------------------------


def real_rate(nominal: float, inflation: float) -> float:
    """Return the rate that is left of a nominal one after inflation, perhaps negative.

    Examples
    --------
    >>> round(real_rate(0.15, 0.30), 6)
    -0.115385
    """
    require_rate(nominal, "The rate")
    require_rate(inflation, "Inflation")
    return require_finite((1 + nominal) / (1 + inflation) - 1)


def real_value(amount: float, inflation: float, years: float) -> float:
    """Return what an amount in some years buys at today's prices.

    Examples
    --------
    >>> round(real_value(100_000, 0.30, 1)), round(real_value(100_000, 0.30, 2))
    (76923, 59172)
    """
    require_rate(inflation, "Inflation")
    return require_finite(amount * power(1 + inflation, -years))


def price_index(amount_now: float, amount_before: float, base: float = 100.0) -> float:
    """Return the index of prices at which an amount buys what a smaller one did at the base.

    Examples
    --------
    >>> price_index(100_000, 80_000)
    125.0
    """
    require(amount_before > 0, "The amount before must be positive.")
    return base * amount_now / amount_before


def present_value(flows: Sequence[float], rate: float) -> float:
    """Discount yearly flows, the first of which is today's: ``Σ flow[t] / (1 + rate)^t``.

    Examples
    --------
    >>> round(present_value([-50, 30, 40, 55, 72, 88], 0.15), 6), present_value([-50, 30, 40, 55, 72, 88], 0)
    (127.413882, 235.0)
    """
    require_discount_rate(rate)
    with np.errstate(all="ignore"):
        found = float(np.sum(np.asarray(flows, dtype=float) / (1 + rate) ** np.arange(len(flows))))
    return require_finite(found)


# --- churn and the customer base -----------------------------------------------------------------------------------


def tenure(churn: float) -> float | None:
    """Return how many periods a customer stays at a churn rate: ``1 / churn``; None if nobody leaves.

    Examples
    --------
    >>> tenure(0.2), tenure(0.0)
    (5.0, None)
    """
    require_share(churn, "The churn rate")
    return 1 / churn if churn else None


def churn_over(churn: float, periods: float) -> float:
    """Return the churn over some periods at a rate per period: ``1 - (1 - churn)^periods``.

    With ``periods`` below 1 it is turned round: of a rate over two years that of one.

    Examples
    --------
    >>> round(churn_over(0.25, 1 / 2), 4)
    0.134
    """
    require_share(churn, "The churn rate")
    require(periods > 0, "The number of periods must be above 0.")
    return 1 - power(1 - churn, periods)


@dataclass(frozen=True)
class BaseChange:
    """How a customer base changed in a period.

    Attributes
    ----------
    start, new, returned, lost : float, customers

    Examples
    --------
    >>> change = BaseChange(start=17_000_000, new=680_000, lost=170_000)
    >>> change.end, change.churn_rate, change.growth, change.gross_growth
    (17510000, 0.01, 0.03, 0.04)
    """

    start: float
    new: float = 0
    returned: float = 0
    lost: float = 0

    def __post_init__(self) -> None:
        counts = (self.start, self.new, self.returned, self.lost)
        require(all(0 <= each < math.inf for each in counts), "Customers are counted from 0.")
        require(self.lost <= self.start, "No more can be lost than there were at the start.")

    @property
    def end(self) -> float:
        """``start + new + returned - lost``."""
        return self.start + self.new + self.returned - self.lost

    @property
    def churn_rate(self) -> float | None:
        """``lost / start``; None if nobody was there."""
        return self.lost / self.start if self.start else None

    @property
    def growth(self) -> float | None:
        """``(end - start) / start``."""
        return (self.end - self.start) / self.start if self.start else None

    @property
    def gross_growth(self) -> float | None:
        """``(new + returned) / start``."""
        return (self.new + self.returned) / self.start if self.start else None


def customer_base(start: int, added: int, churn: float, years: int) -> list[int]:
    """Return a base that gains the same number each year and, from the second year on, loses a share of its opening.

    Customers are whole: each year's end is rounded half up, and the next year starts from it.

    Examples
    --------
    >>> customer_base(1_000, 100, 0.05, 5), customer_base(1_000, 100, 0.10, 5)
    ([1100, 1145, 1188, 1229, 1268], [1100, 1090, 1081, 1073, 1066])
    """
    require_share(churn, "The churn rate")
    ends: list[int] = []
    for year in range(years):
        opening = ends[-1] if ends else start
        lost = opening * churn if year else 0.0
        ends.append(math.floor(opening + added - lost + 0.5))
    return ends


# --- acquisition -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Payback:
    """When purchases cover the cost of acquisition.

    Attributes
    ----------
    purchases : int or None, the first purchase that covers it; None if none ever does
    exact : float or None, the same as a fraction
    """

    purchases: int | None
    exact: float | None


def payback(cac: float, margin_per_purchase: float) -> Payback:
    """Return how many purchases cover the cost of acquiring a customer.

    Examples
    --------
    >>> payback(10_000_000 / 18, 150_000).purchases, round(payback(10_000_000 / 18, 150_000).exact, 2)
    (4, 3.7)
    """
    require(cac >= 0, "CAC must not be negative.")
    if margin_per_purchase <= 0:
        return Payback(None, None)
    exact = require_finite(cac / margin_per_purchase)
    return Payback(math.ceil(round(exact, 9)), exact)


def blended_cac(channels: Mapping[str, tuple[float, float]]) -> float:
    """Return the cost of acquiring a customer over several channels, weighted by their customers.

    Parameters
    ----------
    channels : mapping of name to (cost per customer, customers)

    Examples
    --------
    >>> blended_cac({"word of mouth": (66, 5), "television": (300, 1)})
    105.0
    """
    customers = sum(count for _, count in channels.values())
    require(customers > 0, "There are no customers to divide by.")
    return require_finite(sum(cost * count for cost, count in channels.values()) / customers)


def with_referrals(own_value: float, referred_values: Sequence[float], rewards: float = 0.0) -> float:
    """Return a customer's lifetime value beside that of those whom they referred, less rewards; in no total.

    Examples
    --------
    >>> with_referrals(200_000, [400_000])
    600000.0
    """
    return float(own_value + sum(referred_values) - rewards)


def shift_saving(
    quantity: float, share: float, cost_from: float, cost_to: float, contacts_each: float = 1.0
) -> float:
    """Return what moving a share of a touchpoint's contacts to a cheaper one saves; overhead stays.

    ``σ · Q · (cost_X - k · cost_Y)``, where a contact at X takes k at Y.

    Examples
    --------
    >>> shift_saving(1_000, 0.2, cost_from=5.0, cost_to=0.5, contacts_each=2)
    800.0
    """
    require_share(share, "The share")
    return require_finite(share * quantity * (cost_from - contacts_each * cost_to))


@dataclass(frozen=True)
class PurchaseRhythm:
    """A lifetime of purchases.

    Attributes
    ----------
    per_purchase : float, money
    years_between : float
    """

    per_purchase: float
    years_between: float


def purchase_rhythm(total: float, years: float, purchases: int) -> PurchaseRhythm:
    """Spread lifetime revenue over its purchases.

    Examples
    --------
    >>> rhythm = purchase_rhythm(276_000, 40, 11)
    >>> round(rhythm.per_purchase), round(rhythm.years_between, 2)
    (25091, 3.64)
    """
    require(purchases > 0, "There are no purchases to divide by.")
    return PurchaseRhythm(total / purchases, years / purchases)


def discount_share(discount: float, paid: float) -> float | None:
    """Return the share of the list price that was given away: ``discount / (paid + discount)``.

    Examples
    --------
    >>> discount_share(1_700_000, 300_000)
    0.85
    """
    return discount / (paid + discount) if paid + discount else None
