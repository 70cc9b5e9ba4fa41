"""Interval of an expected value: the standard errors of the fitted parameters, propagated to money.

The interval is one *of the expectation*. A single customer's actual spend varies far more, and the sum over
many customers a little more.

The log-parameters are asymptotically normal. The value is evaluated one standard deviation up and down each
principal axis of their distribution; half the difference of the two logarithms is the axis's contribution to the
standard deviation of the value's logarithm, and the squares of the contributions add up. That takes 14
evaluations, where a quantile of random draws takes hundreds, needs no seed, and always contains the estimate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit, ndtri

from features.table.columns import Columns
from training.clv.model import HISTORY, CLVModel, floats_of, histories, snapshot_day
from training.clv.quadrature import FloatArray
from training.clv.row_cache import distinct
from training.clv.value import Future, ValueTerms, silent_and_active, values_if_alive

COVERAGE = 0.8
"""Probability that the interval of an expected value covers it."""

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

    Returns
    -------
    ndarray of shape (n, 2k)
        Columns in pairs, up and down each of k axes. Sums of rows are the scenarios of a group's total.
    """
    day, spend = snapshot_day(columns), clv.spend_per_purchase(columns)
    future = Future.of(terms, clv.intensity, day)
    x, t_x, T = clv.histories(columns)
    given = _logit(churn_probability) - _logit(clv.purchases.p_no_purchase(x, t_x, T, future.window))
    apart, place = _distinct(columns, HISTORY)
    ages, of_age = _distinct(apart, ("frequency", "T"))
    scenarios = []
    for model, intensity in clv.purchase_scenarios:
        ahead_of_it = Future.of(terms, intensity, day)
        x, _, T = histories(ages, intensity)
        after_silence, active = (value[of_age] for value in values_if_alive(model, x, T, ahead_of_it))
        x, t_x, T = histories(apart, intensity)
        silent = model.p_alive(x, t_x, T + ahead_of_it.window) * after_silence
        p0 = model.p_no_purchase(x, t_x, T, ahead_of_it.window)
        probability = expit(given + _logit(p0)[place])
        scenarios.append(_expected(probability, silent[place], active[place]) * spend)
    if clv.spend_scenarios:
        halves = silent_and_active(clv.purchases, *clv.histories(columns), future)
        number = _expected(churn_probability, *halves)
        scenarios += [number * clv.spend_per_purchase(columns, model) for model in clv.spend_scenarios]
    return np.stack(scenarios, axis=1) if scenarios else np.zeros((len(x), 0))


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
    logs = np.log(np.maximum(scenarios, _TINY))
    shares = (logs[:, 0::2] - logs[:, 1::2]) / 2.0
    deviation = np.sqrt((shares * shares).sum(axis=1) + level_deviation * level_deviation)
    reach = float(ndtri((1.0 + COVERAGE) / 2.0)) * deviation
    return np.exp(-reach), np.exp(reach)
