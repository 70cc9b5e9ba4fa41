"""Integrals over a customer's future, exact to rounding and the same for a row alone or in any batch.

Rates of purchase fade like a power of time, ``(A / (A + t))^k``. In ``u = ln(1 + t/A)`` they fade like an
exponential, which 32 Gauss-Legendre points integrate to rounding, up to some 60 e-folds.

Every step is elementwise over contiguous arrays, and each row's 32 terms are summed along the last axis:
so a row's result has the same bits whoever its neighbours are. (A matrix product would not: its last digit
depends on the batch.)
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_BLOCK_ROWS = 8192  # rows integrated at a time: bounds the memory, and the temporaries stay in cache


def _unit_rule(points: int) -> tuple[FloatArray, FloatArray]:
    """Return the Gauss-Legendre points and weights on [0, 1]."""
    points_around_zero, weights = np.polynomial.legendre.leggauss(points)
    return (points_around_zero + 1.0) / 2.0, weights / 2.0


_POINTS, _WEIGHTS = _unit_rule(32)


def time_points(upper: FloatArray | float, scale: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return 32 points and weights a row for an integral over time from 0 to ``upper``.

    Parameters
    ----------
    upper : float or ndarray of shape (n,), at least 0
    scale : ndarray of shape (n,), above 0
        The A of ``u = ln(1 + t/A)``: about the time in which the integrand changes.

    Returns
    -------
    tuple of two ndarrays of shape (n, 32)
        Times t, and weights w such that ``(f(t) * w).sum(axis=1)`` is the integral.

    Examples
    --------
    >>> t, w = time_points(3.0, np.array([1.0]))
    >>> (w / (1 + t) ** 2).sum(axis=1).round(12)  # 1 - 1/4
    array([0.75])
    """
    length = np.log1p(upper / scale)[:, None]
    scale_column = scale[:, None]
    t = scale_column * np.expm1(length * _POINTS)
    return t, length * _WEIGHTS * (scale_column + t)


def once_per_distinct(function: Callable[..., FloatArray], *columns: FloatArray) -> FloatArray:
    """Evaluate ``function`` once per distinct row of the columns, and give every row its result.

    Parameters
    ----------
    function : callable
        Takes as many contiguous arrays of shape (k,) as there are columns; returns one. Must be elementwise.
    columns : ndarrays of shape (n,)

    Returns
    -------
    ndarray of shape (n,)

    Examples
    --------
    >>> once_per_distinct(lambda x, T: x / T, np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    array([0.5 , 0.25, 0.5 ])
    """
    rows, place = distinct(*columns)
    n_rows = len(rows[0])
    result = np.empty(n_rows)
    for start in range(0, n_rows, _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        result[block] = function(*(column[block] for column in rows))
    return result[place]


def distinct(*columns: FloatArray) -> tuple[list[FloatArray], npt.NDArray[np.intp]]:
    """Return the distinct rows of the columns in sorted order, and for each row the place of its equal.

    Examples
    --------
    >>> rows, place = distinct(np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    >>> rows, place
    ([array([1., 2.]), array([4., 4.])], array([1, 0, 1]))
    """
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(len(order), dtype=bool)
    is_new[:1] = True
    for column in columns:
        in_order = column[order]
        is_new[1:] |= in_order[1:] != in_order[:-1]
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.cumsum(is_new) - 1
    return [np.ascontiguousarray(column[order][is_new]) for column in columns], place
