"""Integrals over a customer's future, exact to rounding and the same for a row alone or in any batch.

Rates of purchase fade like a power of time, ``(A / (A + t))^k``. In ``u = ln(1 + t/A)`` they fade like an
exponential, which 32 Gauss-Legendre points integrate to rounding, up to some 60 e-folds.

Every step is elementwise over contiguous arrays, and each row's 32 terms are summed along the last axis:
so a row's result has the same bits whoever its neighbours are. (A matrix product would not: its last digit
depends on the batch.)
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from itertools import compress

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

_BLOCK_ROWS = 8192  # rows integrated at a time: bounds the memory, and the temporaries stay in cache
_REQUEST_ROWS = 5_000  # more are a list, whose rows are not worth remembering
_REMEMBERED_ROWS = 10_000  # of one function: some 2 MB
_REMEMBERED_FUNCTIONS = 8  # whoever asks about every week of a year does not ask again


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
        Takes as many contiguous arrays of shape (k,) as there are columns; returns one of shape (k,) or
        (k, m). Must be elementwise.
    columns : ndarrays of shape (n,)

    Returns
    -------
    ndarray of shape (n,) or (n, m)

    Examples
    --------
    >>> once_per_distinct(lambda x, T: x / T, np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    array([0.5 , 0.25, 0.5 ])
    """
    rows, place = distinct(*columns)
    starts = range(0, max(len(rows[0]), 1), _BLOCK_ROWS)
    blocks = [function(*(column[start : start + _BLOCK_ROWS] for column in rows)) for start in starts]
    return np.concatenate(blocks)[place]


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


class Memory:
    """What functions of a few numbers gave, for the next request to ask again.

    Customers are told apart by few numbers here, such as their purchases and their age in days: those of one
    request are mostly those of another. A remembered result has the bits of a new one, since every row is
    evaluated for itself.

    Examples
    --------
    >>> memory = Memory()
    >>> memory("ratio", lambda x, T: x / T, np.array([2.0, 1.0]), np.array([4.0, 4.0]))
    array([0.5 , 0.25])
    >>> memory("ratio", lambda x, T: x / 0, np.array([1.0, 2.0]), np.array([4.0, 4.0]))
    array([0.25, 0.5 ])
    """

    def __init__(self) -> None:
        self._known: dict[Hashable, dict[tuple[float, ...], float]] = {}

    def __call__(
        self, name: Hashable, function: Callable[..., FloatArray], *columns: FloatArray
    ) -> FloatArray:
        """Evaluate ``function``, known by its name, as `once_per_distinct` does, where it was not before."""
        if len(columns[0]) > _REQUEST_ROWS:
            return once_per_distinct(function, *columns)
        known = self._known.get(name, {})
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        result = np.array([known.get(row) for row in rows], dtype=np.float64)  # NaN where it is not known
        new = np.isnan(result)
        if new.any():
            result[new] = once_per_distinct(function, *(column[new] for column in columns))
            # Threads may ask at a time: what one reads is never taken from it, only replaced.
            kept = known if len(known) < _REMEMBERED_ROWS else {}
            kept.update(zip(compress(rows, new), result[new].tolist(), strict=True))
            if name not in self._known and len(self._known) >= _REMEMBERED_FUNCTIONS:
                self._known.pop(next(iter(self._known)), None)
            self._known[name] = kept
        return result
