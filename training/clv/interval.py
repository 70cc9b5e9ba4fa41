"""Interval of an expected amount of money, from its scenarios one standard deviation along each axis.

An amount per customer, what they bring or what they cost, is that of two cases, silence and activity, weighted by the
churn probability. So it lies between 0 and a *ceiling*, the sum of both cases, and is ``ceiling · w``. Along an axis
the ceiling's logarithm moves by a and the log-odds of w by s (which is what moves logit p); both are linear, so that
the amount comes near its ceiling and never above it. A logarithm of the amount itself would be linear without end: of
a customer who is surely gone, whose odds are moved by any doubt, it makes more than they could ever bring.

The amount moves most along ``amount · (a + (1 − w)·s)``, and the interval's ends are 1.28 standard deviations out in
that direction. A net value is a difference of two amounts that move along the same axes: a customer who buys more costs
more.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import expit, logit, ndtri

from training.clv.quadrature import FloatArray

COVERAGE = 0.8
"""Probability that the interval of an expected value covers it."""

_REACH = float(ndtri((1.0 + COVERAGE) / 2.0))
"""Standard deviations to either end."""

_TINY = 1e-300
_NEARLY_ALL = 1.0 - 1e-12


@dataclass(frozen=True)
class Scenarios:
    """Amounts one standard deviation up and down each of k axes, in pairs of columns, and their ceilings.

    Parameters
    ----------
    amounts : ndarray of shape (n, 2k), at least 0
        Sums of rows are the scenarios of a group's total.
    ceilings : ndarray of shape (n, 2k), at least the amounts
        In the amounts' unit, which may be any: only ratios matter.
    """

    amounts: FloatArray
    ceilings: FloatArray

    def beside(self, other: Scenarios) -> Scenarios:
        """Return the scenarios of these axes and of others."""
        return Scenarios(np.hstack([self.amounts, other.amounts]), np.hstack([self.ceilings, other.ceilings]))

    def shares(self) -> tuple[FloatArray, FloatArray]:
        """Return the deviations of the ceiling's logarithm and of the log-odds below it, each of shape (n, k)."""
        return _half_differences(_log(self.ceilings)), _half_differences(
            log_odds(self.amounts, self.ceilings)
        )


def log_odds(amount: FloatArray, ceiling: FloatArray) -> FloatArray:
    """Return the log-odds of an amount as a share of its ceiling; finite also at 0 and at the ceiling.

    Examples
    --------
    >>> log_odds(np.array([20.0, 0.0]), np.array([80.0, 0.0])).round(4)  # ln(1/3)
    array([  -1.0986, -690.7755])
    """
    share = np.divide(amount, ceiling, out=np.zeros_like(amount), where=ceiling != 0)
    return np.asarray(logit(np.clip(share, _TINY, _NEARLY_ALL)))


@dataclass(frozen=True)
class Uncertain:
    """An amount of each customer, with its ceiling and its scenarios.

    Parameters
    ----------
    amount, ceiling : ndarrays of shape (n,), 0 <= amount <= ceiling; both negative if a sale costs more than it brings
    scenarios : Scenarios
    level_deviation : float, at least 0
        Standard deviation of the log of a whole window's actual over expected amount, an axis more: windows differ by
        year and season, which a larger sample of customers does not average out.
    """

    amount: FloatArray
    ceiling: FloatArray
    scenarios: Scenarios
    level_deviation: float = 0.0

    def slope(self) -> FloatArray:
        """Return how the amount moves along each axis, of shape (n, k + 1)."""
        of_ceiling, of_odds = self._shares
        share = np.divide(self.amount, self.ceiling, out=np.zeros_like(self.amount), where=self.ceiling != 0)
        return np.asarray(self.amount[:, None] * (of_ceiling + (1.0 - share)[:, None] * of_odds))

    def at(self, place: FloatArray) -> FloatArray:
        """Return the amount at a place of shape (n, k + 1), in standard deviations along the axes."""
        of_ceiling, of_odds = self._shares
        odds = log_odds(self.amount, self.ceiling) + (place * of_odds).sum(axis=1)
        return np.asarray(self.ceiling * np.exp((place * of_ceiling).sum(axis=1)) * expit(odds))

    @cached_property
    def _shares(self) -> tuple[FloatArray, FloatArray]:
        """Those of the scenarios, and of the level."""
        of_ceiling, of_odds = self.scenarios.shares()
        level = np.full((len(self.amount), 1), self.level_deviation)
        return np.hstack([of_ceiling, level]), np.hstack([of_odds, np.zeros_like(level)])


def customer_interval(
    value: FloatArray, brought: Uncertain, cost: Uncertain | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the interval of each customer's expected value: what they bring, less what they cost.

    Parameters
    ----------
    value : ndarray of shape (n,), money: brought − cost
    brought, cost : Uncertain
        Along the same axes.

    Returns
    -------
    tuple of two ndarrays of shape (n,), money
        ``low`` <= value <= ``high``

    Examples
    --------
    One axis, along which all that a customer may bring is a factor e^0.1 more or less; 1.2816 deviations enclose 80%:

    >>> half, one = np.array([0.5]), np.exp([[0.1, -0.1]])
    >>> low, high = customer_interval(half, Uncertain(half, np.ones(1), Scenarios(one / 2, one)))
    >>> low.round(4), high.round(4)  # exp(-0.12816)/2, exp(0.12816)/2
    (array([0.4399]), array([0.5684]))

    One along which the log-odds of activity move by 20, of a customer who is all but gone: at most all, not e^25 times

    >>> gone, odds = expit(np.array([-10.0])), expit(np.array([[10.0, -30.0]]))
    >>> customer_interval(gone, Uncertain(gone, np.ones(1), Scenarios(odds, np.ones((1, 2)))))[1].round(4)
    array([1.])
    """
    parts = [(1.0, brought), *([(-1.0, cost)] if cost is not None else [])]
    slope = np.sum([sign * part.slope() for sign, part in parts], axis=0)
    length = np.sqrt((slope * slope).sum(axis=1, keepdims=True))
    direction = _REACH * np.divide(slope, length, out=np.zeros_like(slope), where=length > 0)
    low, high = (
        np.sum([sign * part.at(place) for sign, part in parts], axis=0) for place in (-direction, direction)
    )
    return np.minimum(low, value), np.maximum(high, value)


def total_factors(scenarios: FloatArray, *, level_deviation: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval of groups' totals, as multiples of the expected totals.

    A total of many customers is far from 0 and from its ceiling, and the logarithm serves.

    Parameters
    ----------
    scenarios : ndarray of shape (n, 2k)
        Sums of rows of `Scenarios.amounts`.
    level_deviation : float, at least 0
        As in `Uncertain`.

    Returns
    -------
    tuple of two ndarrays of shape (n,)
        ``low`` <= 1 <= ``high``, and ``low · high = 1``.

    Examples
    --------
    >>> low, high = total_factors(np.exp([[0.1, -0.1]]))
    >>> low.round(4), high.round(4)  # exp(-0.12816), exp(0.12816)
    (array([0.8797]), array([1.1367]))
    """
    deviation = np.hypot(total_deviation(scenarios), level_deviation)
    return np.exp(-_REACH * deviation), np.exp(_REACH * deviation)


def total_deviation(scenarios: FloatArray) -> FloatArray:
    """Return the standard deviation of the log of groups' totals, of shape (n,), over the axes of `total_factors`.

    Examples
    --------
    >>> total_deviation(np.exp([[0.3, -0.3, 0.4, -0.4]])).round(4)
    array([0.5])
    """
    shares = _half_differences(_log(scenarios))
    return np.asarray(np.sqrt((shares * shares).sum(axis=1)))


def _half_differences(pairs: FloatArray) -> FloatArray:
    return np.asarray((pairs[:, 0::2] - pairs[:, 1::2]) / 2.0)


def _log(amount: FloatArray) -> FloatArray:
    return np.asarray(np.log(np.maximum(amount, _TINY)))
