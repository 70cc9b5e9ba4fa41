"""Slopes of a log-likelihood: how it rises with the model's parameters and with the times of each customer.

A season or a trend moves the times of all customers (`training.clv.intensity_fit`), so a search needs both. BG/NBD has
them in closed form, in one pass over the customers; Pareto/NBD, whose likelihood is an integral, by finite differences.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

import numpy as np

from training.clv.quadrature import FloatArray

_STEP = 1e-5  # of finite differences in log-parameters
_WEEK_STEP = 1e-4  # and in weeks


@dataclass(frozen=True)
class Slopes:
    """Log-likelihoods of customers with their derivatives, each of shape (n,).

    Parameters
    ----------
    value : ndarray
    by_parameter : tuple of ndarrays, by the logarithm of each parameter
    by_t_x, by_T : ndarray, per week
    """

    value: FloatArray
    by_parameter: tuple[FloatArray, ...]
    by_t_x: FloatArray
    by_T: FloatArray


def finite_slopes(model: Any, x: FloatArray, t_x: FloatArray, T: FloatArray) -> Slopes:
    """Return the slopes of a model of purchases by central differences of its ``log_likelihoods``.

    Examples
    --------
    >>> from training.clv.bgnbd import BGNBD
    >>> model = BGNBD(r=0.2425945, alpha=4.4136019, a=0.7929199, b=2.4258881)
    >>> history = np.array([2.0]), np.array([30.43]), np.array([38.86])
    >>> exact, finite = model.slopes(*history), finite_slopes(model, *history)
    >>> np.allclose(exact.by_parameter, finite.by_parameter, atol=1e-8), np.allclose(exact.by_T, finite.by_T)
    (True, True)
    """
    ahead, back = (model.log_likelihoods(x, t_x, T + sign * _WEEK_STEP) for sign in (1.0, -1.0))
    later, earlier = (model.log_likelihoods(x, t_x + sign * _WEEK_STEP, T) for sign in (1.0, -1.0))
    return Slopes(
        value=model.log_likelihoods(x, t_x, T),
        by_parameter=finite_by_parameter(model, x, t_x, T),
        by_t_x=(later - earlier) / (2.0 * _WEEK_STEP),
        by_T=(ahead - back) / (2.0 * _WEEK_STEP),
    )


def finite_by_parameter(model: Any, x: FloatArray, t_x: FloatArray, T: FloatArray) -> tuple[FloatArray, ...]:
    """Return ``by_parameter`` of the slopes of a model of purchases, by central differences."""
    parameters = np.array(astuple(model))

    def moved(place: int, sign: float) -> FloatArray:
        step = np.exp(sign * _STEP * (np.arange(len(parameters)) == place))
        return np.asarray(type(model)(*(parameters * step).tolist()).log_likelihoods(x, t_x, T))

    places = range(len(parameters))
    return tuple((moved(k, 1.0) - moved(k, -1.0)) / (2.0 * _STEP) for k in places)
