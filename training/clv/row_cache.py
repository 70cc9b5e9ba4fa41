"""Elementwise functions evaluated once per distinct row, and a bounded cache of their results.

Customers are told apart by few numbers here, such as their purchases and their age in days: many rows of a list
are equal, and those of one request are mostly those of another. A result that is shared or cached has the bits of
one computed anew, since every row is evaluated for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from itertools import compress

import numpy as np
import numpy.typing as npt

from training.clv.quadrature import FloatArray

_BLOCK_ROWS = 8192  # evaluated at a time: bounds the memory, and temporaries stay in the processor's cache
_REQUEST_ROWS = 5_000  # longer columns are a list's: they are not cached
_CACHED_ROWS = 10_000  # per function: about 2 MB
_CACHED_FUNCTIONS = 16


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
    return in_blocks(function, *rows)[place]


def once_per_count(function: Callable[[FloatArray], FloatArray], counts: FloatArray) -> FloatArray:
    """Evaluate ``function`` once per number from 0 to the largest of the counts, and give every row its result.

    Where there are fewer rows than numbers, or they are no counts, it is evaluated for each row.

    Parameters
    ----------
    function : callable, elementwise
    counts : ndarray of shape (n,), such as customers' frequencies

    Examples
    --------
    >>> once_per_count(lambda x: x * x, np.array([2.0, 0.0, 2.0, 1.0]))
    array([4., 0., 4., 1.])
    """
    top = float(counts.max()) if len(counts) else np.inf
    if not top < len(counts):
        return function(counts)
    places = counts.astype(np.intp)
    return function(np.arange(top + 1.0))[places] if (places == counts).all() else function(counts)


def in_blocks(function: Callable[..., FloatArray], *columns: FloatArray) -> FloatArray:
    """Evaluate ``function`` on blocks of rows, and return its results one below the other.

    Examples
    --------
    >>> in_blocks(lambda x, T: x / T, np.array([2.0, 1.0]), np.array([4.0, 4.0]))
    array([0.5 , 0.25])
    """
    starts = range(0, max(len(columns[0]), 1), _BLOCK_ROWS)
    blocks = [function(*(column[start : start + _BLOCK_ROWS] for column in columns)) for start in starts]
    return np.concatenate(blocks)


def distinct(*columns: FloatArray) -> tuple[list[FloatArray], npt.NDArray[np.intp]]:
    """Return the distinct rows of the columns in sorted order, and for each row the place of its equal.

    Examples
    --------
    >>> rows, place = distinct(np.array([2.0, 1.0, 2.0]), np.array([4.0, 4.0, 4.0]))
    >>> rows, place
    ([array([1., 2.]), array([4., 4.])], array([1, 0, 1]))
    """
    if len(columns[0]) == 1:  # a live request's
        return [np.ascontiguousarray(column) for column in columns], np.zeros(1, dtype=np.intp)
    if _in_order(columns):  # as a list's blocks are
        is_new = _differs(columns)
        return [column[is_new] for column in columns], np.cumsum(is_new) - 1
    order = np.lexsort(columns[::-1])
    ordered = [column[order] for column in columns]
    is_new = _differs(ordered)
    place = np.empty(len(order), dtype=np.intp)
    place[order] = np.cumsum(is_new) - 1
    return [column[is_new] for column in ordered], place


def _differs(columns: Sequence[FloatArray]) -> npt.NDArray[np.bool_]:
    """Mark the rows that differ from the one before."""
    is_new = np.zeros(len(columns[0]), dtype=bool)
    is_new[:1] = True
    for column in columns:
        is_new[1:] |= column[1:] != column[:-1]
    return is_new


def _in_order(columns: Sequence[FloatArray]) -> bool:
    """Tell whether the rows are sorted, by the first column, then by the next."""
    tied = np.ones(max(len(columns[0]) - 1, 0), dtype=bool)
    for column in columns:
        if not (column[1:] >= column[:-1])[tied].all():
            return False
        tied &= column[1:] == column[:-1]
    return True


class RowCache:
    """Cache of elementwise functions' results by row; keeps 16 functions of about 10,000 rows.

    ``functools.lru_cache`` would call the function for one row at a time; here all rows that are missing are
    evaluated in one call. Threads may share a cache.

    Examples
    --------
    >>> cache = RowCache()
    >>> cache("ratio", lambda x, T: x / T, np.array([2.0, 1.0]), np.array([4.0, 4.0]))
    array([0.5 , 0.25])
    >>> cache("ratio", lambda x, T: x / 0, np.array([1.0, 2.0]), np.array([4.0, 4.0]))
    array([0.25, 0.5 ])
    """

    def __init__(self) -> None:
        self._results: dict[Hashable, dict[tuple[float, ...], float]] = {}

    def __call__(
        self, name: Hashable, function: Callable[..., FloatArray], *columns: FloatArray
    ) -> FloatArray:
        """Return the results of ``function``, cached under ``name``, as `once_per_distinct` does."""
        if len(columns[0]) > _REQUEST_ROWS:
            return once_per_distinct(function, *columns)
        known = self._results.get(name, {})
        rows = list(zip(*(column.tolist() for column in columns), strict=True))
        cached = [known.get(row) for row in rows]
        result = np.array(cached, dtype=np.float64)
        if None in cached:
            new = np.isnan(result)
            result[new] = once_per_distinct(function, *(column[new] for column in columns))
            # Another thread may be reading: entries are added and dictionaries replaced, never emptied.
            kept = known if len(known) < _CACHED_ROWS else {}
            kept.update(zip(compress(rows, new), result[new].tolist(), strict=True))
            if name not in self._results and len(self._results) >= _CACHED_FUNCTIONS:
                self._results.pop(next(iter(self._results)), None)
            self._results[name] = kept
        return result
