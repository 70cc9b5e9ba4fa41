"""Interval of an expected value: the standard errors of the fitted parameters, propagated to money.

The interval is one *of the expectation*. A single customer's actual spend varies far more, and the sum over
many customers a little more. The churn probability is taken as known.

The log-parameters are asymptotically normal. The value is evaluated one standard deviation up and down each
principal axis of their distribution; half the difference of the two logarithms is the axis's contribution to the
standard deviation of the value's logarithm, and the squares of the contributions add up. That takes 14
evaluations, where a quantile of random draws takes hundreds, needs no seed, and always contains the estimate.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from features.table.columns import Columns
from training.clv.model import CLVModel, histories
from training.clv.quadrature import FloatArray
from training.clv.row_cache import once_per_distinct
from training.clv.value import ValueTerms, silent_and_active, values_if_alive

COVERAGE = 0.8
"""Probability that the interval of an expected value covers it."""

_TINY = 1e-300


def value_scenarios(
    clv: CLVModel, columns: Columns, churn_probability: FloatArray, terms: ValueTerms
) -> FloatArray:
    """Return each customer's expected value, per unit of margin, one standard deviation along each axis.

    Parameters
    ----------
    clv : CLVModel
    columns : Columns
        Of the feature table.
    churn_probability : ndarray of shape (n,), in [0, 1]
    terms : ValueTerms

    Returns
    -------
    ndarray of shape (n, 2k)
        Columns in pairs, up and down each of k axes. Sums of rows are the scenarios of a group's total.
    """
    x, t_x, T = histories(columns)
    scenarios = []

    def purchases(silent: FloatArray, active: FloatArray) -> FloatArray:
        return churn_probability * silent + (1.0 - churn_probability) * active

    if models := clv.purchase_scenarios:
        spend = clv.spend_per_purchase(columns)
        halves = once_per_distinct(
            lambda x, T: np.stack(
                [half for model in models for half in values_if_alive(model, x, T, terms)], axis=1
            ),
            *(x, T),
        )
        for place, model in enumerate(models):
            silent = model.p_alive(x, t_x, T + terms.horizon_weeks) * halves[:, 2 * place]
            scenarios.append(purchases(silent, halves[:, 2 * place + 1]) * spend)
    if clv.spend_scenarios:
        number = purchases(*silent_and_active(clv.purchases, x, t_x, T, terms))
        scenarios += [number * clv.spend_per_purchase(columns, model) for model in clv.spend_scenarios]
    return np.stack(scenarios, axis=1) if scenarios else np.zeros((len(x), 0))


def interval_factors(scenarios: FloatArray, *, level_deviation: float = 0.0) -> tuple[FloatArray, FloatArray]:
    """Return the ends of the interval of `COVERAGE` as multiples of the expected value.

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
    logs = np.log(np.maximum(scenarios, _TINY))
    shares = (logs[:, 0::2] - logs[:, 1::2]) / 2.0
    deviation = np.sqrt((shares * shares).sum(axis=1) + level_deviation * level_deviation)
    reach = float(ndtri((1.0 + COVERAGE) / 2.0)) * deviation
    return np.exp(-reach), np.exp(reach)
