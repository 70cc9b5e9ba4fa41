"""Uncertainty of an expected value: the standard errors of the fitted parameters, propagated to money.

It is that *of the expectation*. A single customer's actual spend varies far more, and the sum over many customers a
little more.

The log-parameters are asymptotically normal. The value is evaluated one standard deviation up and down each
principal axis of their distribution, and `training.clv.interval` puts the axes together. That takes 14 evaluations,
where a quantile of random draws takes hundreds, needs no seed, and always contains the estimate.

What learnt residuals change in the two models has no parameters with standard errors. It is taken to be as uncertain
as it is large, up to a factor of e in its odds: an axis each, along which the model under the residual lies one
standard deviation away, where it is not far off (`residual_axes`).

References
----------
Draper (1995), Assessment and propagation of model uncertainty, Journal of the Royal Statistical Society B 57(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit

from features.table.columns import Columns
from training.clv.active_weeks import ActivityAhead, weeks_if_alive
from training.clv.interval import Scenarios, log_odds, total_deviation
from training.clv.model import CLVModel, floats_of, histories, silent_weeks, snapshot_day
from training.clv.net_value import CustomerTerms
from training.clv.operational_time import CONSTANT, Intensity
from training.clv.purchase_models import PurchaseModel
from training.clv.quadrature import FloatArray
from training.clv.row_cache import distinct
from training.clv.value import CustomerValues, Future, ValueTerms, values_if_alive

History = tuple[FloatArray, FloatArray, FloatArray]
"""x, t_x and T."""

_Pair = tuple[FloatArray, FloatArray]
"""Amounts and their ceilings."""

LARGEST_DOUBT = 1.0
"""Of a learnt correction, in log-odds: what a purchase model tells that closed windows refuted is no likely truth."""

_TINY_PROBABILITY = 1e-9


def value_scenarios(
    clv: CLVModel,
    columns: Columns,
    churn_probability: FloatArray,
    terms: ValueTerms,
    values: CustomerValues | None = None,
    p0_weight: float = 1.0,
) -> Scenarios:
    """Return the scenarios of each customer's expected value, per unit of margin.

    In each scenario of the purchase model the churn probability moves with the model's own: logit p by the change of
    logit p0, times its weight in the churn model.

    Parameters
    ----------
    clv : CLVModel
    columns : Columns
        Of the feature table.
    churn_probability : ndarray of shape (n,), in [0, 1]
    terms : ValueTerms
        Their costs play no part.
    values : CustomerValues, optional
        Those of `CLVModel.values`, where they are known already.
    p0_weight : float, at least 0
        As in `training.churn.base.Base`.
    """
    return _scenarios(clv, columns, churn_probability, terms, values, p0_weight, with_costs=False)[0]


def value_and_cost_scenarios(
    clv: CLVModel,
    columns: Columns,
    churn_probability: FloatArray,
    terms: ValueTerms,
    values: CustomerValues | None = None,
    p0_weight: float = 1.0,
) -> tuple[Scenarios, Scenarios]:
    """Return the scenarios of `value_scenarios`, and of what orders and active weeks cost in each of them.

    The costs are in money in the scenarios of purchases, which move them; 1 in those of spend.
    """
    return _scenarios(clv, columns, churn_probability, terms, values, p0_weight, with_costs=True)


def sum_deviation(clv: CLVModel, columns: Columns, horizon_days: int) -> float:
    """Return the standard deviation of the log of all customers' expected spend in a window, by the parameters.

    Parameters
    ----------
    clv : CLVModel
    columns : Columns
        Of the feature table, and those of `CLVModel.predict`.
    horizon_days : int
    """
    purchases, spend = columns["expected_purchases"], columns["spend_per_purchase"]
    sums, day = [], snapshot_day(columns)
    for model, intensity in clv.purchase_scenarios:
        weeks = float(intensity.weeks(day, day + horizon_days))
        sums.append(model.expected_purchases(*histories(columns, intensity), weeks) @ spend)
    sums += [purchases @ clv.spend_per_purchase(columns, model) for model in clv.spend_scenarios]
    return float(total_deviation(np.array([sums]))[0])


def residual_axes(
    amount: FloatArray, ceiling: FloatArray, without: Sequence[_Pair], of_price: FloatArray
) -> Scenarios:
    """Return the scenarios along the axes of what is learnt beside the purchase model, and of price.

    A correction is as uncertain as it is large, up to `LARGEST_DOUBT`.

    Parameters
    ----------
    amount, ceiling : ndarrays of shape (n,), at least 0, in any unit
    without : sequence of pairs of ndarrays of shape (n,)
        The amount, and its ceiling, without each: at the purchase model's own churn probability, frequency and later
        purchases.
    of_price : ndarray of shape (n,)
        The log of the factor by which the residual of price changes the amount, and its ceiling.

    Examples
    --------
    >>> axes = residual_axes(np.array([10.0]), np.array([20.0]), [(np.array([6.0]), np.array([20.0]))], np.log([1.25]))
    >>> axes.amounts.round(4)  # odds of 1, as those of 6 in 20 are 3/7: up to 7/3
    array([[14. ,  6. , 12.5,  8. ]])
    >>> axes.ceilings
    array([[20., 20., 25., 16.]])
    """
    amounts, ceilings = [], []
    for other, above in without:
        most = np.maximum(ceiling, above)
        odds = log_odds(amount, most)
        move = np.clip(odds - log_odds(other, most), -LARGEST_DOUBT, LARGEST_DOUBT)
        amounts += [most * expit(odds + move), most * expit(odds - move)]
        ceilings += [most, most]
    factors = [np.exp(sign * of_price) for sign in (1.0, -1.0)]
    return Scenarios(
        np.stack([*amounts, *(amount * factor for factor in factors)], axis=1),
        np.stack([*ceilings, *(ceiling * factor for factor in factors)], axis=1),
    )


def _scenarios(
    clv: CLVModel,
    columns: Columns,
    churn_probability: FloatArray,
    terms: ValueTerms,
    known: CustomerValues | None,
    p0_weight: float,
    *,
    with_costs: bool,
) -> tuple[Scenarios, Scenarios]:
    spend, fitted = clv.spend_per_purchase(columns), known or clv.values(columns, terms)
    given = _logit(churn_probability) - p0_weight * _logit(fitted.p0)
    rows, own = _Rows.of(columns), CustomerTerms.of(terms, columns)
    values: list[_Pair] = []
    costs: list[_Pair] = []
    for model, intensity in clv.purchase_scenarios:
        p0, silent, active = rows.values(model, intensity, terms)
        probability = expit(given + p0_weight * _logit(p0))
        number, most = _expected(probability, *fitted.learnt(silent, active))
        values.append((number * spend, most * spend))
        if with_costs:
            cost, dearest = own.cost_per_order * number, own.cost_per_order * most
            if np.any(own.cost_per_day):
                weeks, longest = _expected(probability, *rows.weeks(model, intensity, terms))
                cost, dearest = cost + own.cost_per_week * weeks, dearest + own.cost_per_week * longest
            costs.append((cost, dearest))
    if clv.spend_scenarios:
        number, most = fitted.expected(churn_probability), fitted.ceiling
        spends = [clv.spend_per_purchase(columns, model) for model in clv.spend_scenarios]
        values += [(number * each, most * each) for each in spends]
        costs += [(np.ones_like(number),) * 2] * len(spends) * with_costs  # another spend costs no more
    return _side_by_side(values, len(spend)), _side_by_side(costs, len(spend))


def _side_by_side(scenarios: list[_Pair], n_customers: int) -> Scenarios:
    if not scenarios:
        return Scenarios(np.zeros((n_customers, 0)), np.zeros((n_customers, 0)))
    amounts, ceilings = (np.stack(each, axis=1) for each in zip(*scenarios, strict=True))
    return Scenarios(amounts, ceilings)


@dataclass(frozen=True)
class _Rows:
    """The histories of customers, and the ages among them, each once: what depends on the age alone is the longest.

    Parameters
    ----------
    columns : Columns
    ages : Columns
        The distinct pairs of frequency and T; recency 0.
    of_age : ndarray of shape (n_customers,), the place of each customer's own
    """

    columns: Columns
    ages: Columns
    of_age: npt.NDArray[np.intp]

    @classmethod
    def of(cls, columns: Columns) -> _Rows:
        (x, T), place = distinct(floats_of(columns, "frequency"), floats_of(columns, "T"))
        ages = {"frequency": x, "recency": np.zeros_like(T), "T": T}
        if "snapshot_date" in columns:
            ages["snapshot_date"] = columns["snapshot_date"][: len(T)]
        return cls(columns, ages, place)

    def values(
        self, model: PurchaseModel, intensity: Intensity, terms: ValueTerms
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return p0 and the values, silent and active, in purchases."""
        future = Future.of(terms, intensity, snapshot_day(self.columns))
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
        return histories(self.ages, intensity), histories(self.columns, intensity)

    def weeks(
        self, model: PurchaseModel, intensity: Intensity, terms: ValueTerms
    ) -> tuple[FloatArray, FloatArray]:
        """Return the active weeks, silent and active."""
        day, silence = snapshot_day(self.columns), silent_weeks(self.columns)
        future, ahead = Future.of(terms, intensity, day), ActivityAhead.of(terms, intensity, day)
        _, (x, t_x, T) = self._histories(intensity)
        at_once = ahead.now.paid(ahead.still_active(silence))
        after_silence, natural = weeks_if_alive(model, x, T, silence, future, ahead)
        return at_once + model.p_alive(x, t_x, T + future.window) * after_silence, at_once + natural


def _expected(probability: FloatArray, silent: FloatArray, active: FloatArray) -> _Pair:
    """Return the expectation, and its ceiling."""
    return probability * silent + (1.0 - probability) * active, silent + active


def _logit(probability: FloatArray) -> FloatArray:
    return np.asarray(logit(np.clip(probability, _TINY_PROBABILITY, 1.0 - _TINY_PROBABILITY)))
