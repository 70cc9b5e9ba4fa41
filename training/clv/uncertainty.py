"""Interval of an expected value: the standard errors of the fitted parameters, propagated to money.

The interval is one *of the expectation*. A single customer's actual spend varies far more, and the sum over
many customers a little more.

The log-parameters are asymptotically normal. The value is evaluated one standard deviation up and down each
principal axis of their distribution; half the difference of the two logarithms is the axis's contribution to the
standard deviation of the value's logarithm, and the squares of the contributions add up. That takes 14
evaluations, where a quantile of random draws takes hundreds, needs no seed, and always contains the estimate.

What learnt residuals change in the two models has no parameters with standard errors. It is taken to be as uncertain
as it is large: an axis each, along which the model under the residual lies one standard deviation away
(`residual_axes`).

A net value is a difference and may be negative: it has no logarithm. Its two parts have one, and move along the same
axes: a customer who buys more costs more. So the interval's ends are the net values that far out in the direction in
which the net value moves most; without costs that is what the logarithm gives.

References
----------
Draper (1995), Assessment and propagation of model uncertainty, Journal of the Royal Statistical Society B 57(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from features.table.columns import Columns
from training.clv.active_weeks import ActivityAhead, weeks_if_alive
from training.clv.model import HISTORY, CLVModel, floats_of, histories, silent_weeks, snapshot_day
from training.clv.net_value import CustomerTerms
from training.clv.operational_time import CONSTANT, Intensity
from training.clv.purchase_models import PurchaseModel
from training.clv.quadrature import FloatArray
from training.clv.row_cache import distinct
from training.clv.value import Future, ValueTerms, silent_and_active, values_if_alive

COVERAGE = 0.8
"""Probability that the interval of an expected value covers it."""

_REACH = float(ndtri((1.0 + COVERAGE) / 2.0))
"""Standard deviations to either end."""

History = tuple[FloatArray, FloatArray, FloatArray]
"""x, t_x and T."""

_TINY = 1e-300
_TINY_PROBABILITY = 1e-9


def value_scenarios(
    clv: CLVModel, columns: Columns, churn_probability: FloatArray, terms: ValueTerms
) -> FloatArray:
    """Return each customer's expected value, per unit of margin, one standard deviation along each axis.

    In each scenario of the purchase model the churn probability moves with the model's own: logit p by the change of
    logit p0.

    Parameters
    ----------
    clv : CLVModel
    columns : Columns
        Of the feature table.
    churn_probability : ndarray of shape (n,), in [0, 1]
    terms : ValueTerms
        Their costs play no part.

    Returns
    -------
    ndarray of shape (n, 2k)
        Columns in pairs, up and down each of k axes. Sums of rows are the scenarios of a group's total.
    """
    return _scenarios(clv, columns, churn_probability, terms, with_costs=False)[0]


def value_and_cost_scenarios(
    clv: CLVModel, columns: Columns, churn_probability: FloatArray, terms: ValueTerms
) -> tuple[FloatArray, FloatArray]:
    """Return the scenarios of `value_scenarios`, and what orders and active weeks cost in each of them.

    Returns
    -------
    tuple of two ndarrays of shape (n, 2k)
        The costs are in money in the scenarios of purchases, which move them; 1 in those of spend.
    """
    return _scenarios(clv, columns, churn_probability, terms, with_costs=True)


def residual_axes(center: FloatArray, *corrections: FloatArray) -> FloatArray:
    """Return scenarios along the axes of learnt corrections, in columns like those of `value_scenarios`.

    Parameters
    ----------
    center : ndarray of shape (n,), at least 0: the value, in any unit
    corrections : ndarrays of shape (n,), the log of the factor by which a residual changes the value

    Returns
    -------
    ndarray of shape (n, 2k)

    Examples
    --------
    >>> residual_axes(np.array([10.0]), np.log([1.25]))
    array([[12.5,  8. ]])
    """
    return np.stack([center * np.exp(sign * each) for each in corrections for sign in (1.0, -1.0)], axis=1)


def _scenarios(
    clv: CLVModel, columns: Columns, churn_probability: FloatArray, terms: ValueTerms, *, with_costs: bool
) -> tuple[FloatArray, FloatArray]:
    day, spend = snapshot_day(columns), clv.spend_per_purchase(columns)
    x, t_x, T = clv.histories(columns)
    future = Future.of(terms, clv.intensity, day)
    given = _logit(churn_probability) - _logit(clv.purchases.p_no_purchase(x, t_x, T, future.window))
    rows, own, values, costs = _Rows.of(columns), CustomerTerms.of(terms, columns), [], []
    for model, intensity in clv.purchase_scenarios:
        p0, silent, active = rows.values(model, intensity, terms)
        probability = expit(given + _logit(p0)[rows.place])
        number = _expected(probability, silent[rows.place], active[rows.place])
        values.append(number * spend)
        if with_costs:
            cost = own.cost_per_order * number
            if np.any(own.cost_per_day):
                halves = (half[rows.place] for half in rows.weeks(model, intensity, terms))
                cost = cost + own.cost_per_week * _expected(probability, *halves)
            costs.append(cost)
    if clv.spend_scenarios:
        number = _expected(churn_probability, *silent_and_active(clv.purchases, x, t_x, T, future))
        values += [number * clv.spend_per_purchase(columns, model) for model in clv.spend_scenarios]
        costs += [np.ones_like(number)] * len(clv.spend_scenarios) * with_costs  # another spend costs no more
    return _side_by_side(values, len(x)), _side_by_side(costs, len(x))


def _side_by_side(scenarios: list[FloatArray], n_customers: int) -> FloatArray:
    return np.stack(scenarios, axis=1) if scenarios else np.zeros((n_customers, 0))


@dataclass(frozen=True)
class _Rows:
    """The histories of customers, each once: scenarios are evaluated for them, and given to every equal customer."""

    apart: Columns
    place: npt.NDArray[np.intp]
    ages: Columns
    of_age: npt.NDArray[np.intp]

    @classmethod
    def of(cls, columns: Columns) -> _Rows:
        apart, place = _distinct(columns, HISTORY)
        return cls(apart, place, *_distinct(apart, ("frequency", "T")))

    def values(
        self, model: PurchaseModel, intensity: Intensity, terms: ValueTerms
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return p0 and the values, silent and active, in purchases."""
        future = Future.of(terms, intensity, snapshot_day(self.apart))
        (x_of_age, _, age), (x, t_x, T) = self._histories(intensity)
        after_silence, active = (
            value[self.of_age] for value in values_if_alive(model, x_of_age, age, future)
        )
        silent = model.p_alive(x, t_x, T + future.window) * after_silence
        return model.p_no_purchase(x, t_x, T, future.window), silent, active

    def _histories(self, intensity: Intensity) -> tuple[History, History]:
        """Return the histories that differ in age, and all; calendar weeks are the same in every scenario."""
        return self._in_calendar_weeks if intensity.is_constant else self._laid_out(intensity)

    @cached_property
    def _in_calendar_weeks(self) -> tuple[History, History]:
        return self._laid_out(CONSTANT)

    def _laid_out(self, intensity: Intensity) -> tuple[History, History]:
        return histories(self.ages, intensity), histories(self.apart, intensity)

    def weeks(
        self, model: PurchaseModel, intensity: Intensity, terms: ValueTerms
    ) -> tuple[FloatArray, FloatArray]:
        """Return the active weeks, silent and active."""
        day, silence = snapshot_day(self.apart), silent_weeks(self.apart)
        future, ahead = Future.of(terms, intensity, day), ActivityAhead.of(terms, intensity, day)
        _, (x, t_x, T) = self._histories(intensity)
        at_once = ahead.now.paid(ahead.still_active(silence))
        after_silence, natural = weeks_if_alive(model, x, T, silence, future, ahead)
        return at_once + model.p_alive(x, t_x, T + future.window) * after_silence, at_once + natural


def _distinct(columns: Columns, by: tuple[str, ...]) -> tuple[Columns, npt.NDArray[np.intp]]:
    """Return the histories that differ in some columns, 0 in the others, and for each row the place of its equal."""
    rows, place = distinct(*(floats_of(columns, name) for name in by))
    apart: dict[str, np.ndarray] = dict.fromkeys(HISTORY, np.zeros_like(rows[0])) | dict(
        zip(by, rows, strict=True)
    )
    if "snapshot_date" in columns:
        apart["snapshot_date"] = columns["snapshot_date"][: len(rows[0])]
    return apart, place


def _expected(probability: FloatArray, silent: FloatArray, active: FloatArray) -> FloatArray:
    return probability * silent + (1.0 - probability) * active


def _logit(probability: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(probability, _TINY_PROBABILITY, 1.0 - _TINY_PROBABILITY)))


def interval_factors(scenarios: FloatArray, *, level_deviation: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Return the interval's ends as multiples of the expected value.

    Parameters
    ----------
    scenarios : ndarray of shape (n, 2k)
        Of `value_scenarios`.
    level_deviation : float, at least 0
        Standard deviation of the log of a whole window's actual over expected spend: windows differ by year and
        season, which a larger sample of customers does not average out.

    Returns
    -------
    tuple of two ndarrays of shape (n,)
        ``low`` <= 1 <= ``high``, and ``low · high = 1``.

    Examples
    --------
    One axis, along which the value is a factor e^0.1 up or down; 1.2816 deviations enclose 80%:

    >>> low, high = interval_factors(np.exp([[0.1, -0.1]]))
    >>> low.round(4), high.round(4)  # exp(-0.12816), exp(0.12816)
    (array([0.8797]), array([1.1367]))
    """
    shares = _shares(scenarios)
    deviation = np.sqrt((shares * shares).sum(axis=1) + level_deviation * level_deviation)
    reach = _REACH * deviation
    return np.exp(-reach), np.exp(reach)


def net_interval(
    net: FloatArray,
    cost: FloatArray,
    scenarios: tuple[FloatArray, FloatArray],
    *,
    level_deviation: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return the interval of net values: what customers bring less what they cost.

    The two move by the factors e^(z·s) and e^(z·t) at z deviations along the axes, s and t being their shares of each
    axis. The net value moves most along ``brought·s − cost·t``; the ends are the net values as far out in this
    direction, either way, as the ends of a logarithm's interval. At no cost they are those of `interval_factors`.

    Parameters
    ----------
    net : ndarray of shape (n,), money: ``brought − cost``
    cost : ndarray of shape (n,), money, at least 0: that of orders and active weeks
    scenarios : tuple of two ndarrays of shape (n, 2k), of `value_and_cost_scenarios`
        A factor that is the same in all scenarios, such as the margin, does not matter.
    level_deviation : float, at least 0
        As in `interval_factors`; it moves what customers bring alone.

    Returns
    -------
    tuple of two ndarrays of shape (n,), money
        ``low`` <= ``net`` <= ``high``

    Examples
    --------
    One axis, along which revenue is a factor e^0.1 up or down, and costs stay: 20·e^(±0.12816) − 22

    >>> revenue, fixed = np.exp([[0.1, -0.1]]), np.ones((1, 2))
    >>> low, high = net_interval(np.array([-2.0]), np.array([22.0]), (revenue, fixed))
    >>> low.round(4), high.round(4)
    (array([-4.4057]), array([0.7346]))
    """
    brought, level = net + cost, np.full((len(net), 1), level_deviation)
    shares = np.concatenate([_shares(scenarios[0]), level], axis=1)
    of_cost = np.concatenate([_shares(scenarios[1]), np.zeros_like(level)], axis=1)
    slope = brought[:, None] * shares - cost[:, None] * of_cost
    length = np.sqrt((slope * slope).sum(axis=1, keepdims=True))
    direction = _REACH * np.divide(slope, length, out=np.zeros_like(slope), where=length > 0)
    move, cost_move = (direction * shares).sum(axis=1), (direction * of_cost).sum(axis=1)
    up, down = (brought * np.exp(sign * move) - cost * np.exp(sign * cost_move) for sign in (1.0, -1.0))
    return np.minimum(down, net), np.maximum(up, net)


def _shares(scenarios: FloatArray) -> FloatArray:
    """Return each axis's share of the standard deviation of the logarithm, of shape (n, k)."""
    logs = np.log(np.maximum(scenarios, _TINY))
    return np.asarray((logs[:, 0::2] - logs[:, 1::2]) / 2.0)
