"""A table as its columns: a mapping of names to arrays, all of one length.

What computes reads columns: for one customer of a live request, looking a column up in a DataFrame takes longer
than scoring the customer. DataFrames are what a data scientist gets and gives, at the edges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

Columns = Mapping[str, np.ndarray]
"""Arrays of shape (n_rows,) by column name."""


def as_columns(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return a DataFrame's columns; numbers are not copied, text becomes an array of str objects.

    Examples
    --------
    >>> as_columns(pd.DataFrame({"customer_id": ["17"], "frequency": [2]}))
    {'customer_id': array(['17'], dtype=object), 'frequency': array([2])}
    """
    return {str(name): table[name].to_numpy() for name in table}


class RowsOf(Mapping[str, np.ndarray]):
    """Some rows of every column, taken when a column is first asked for: of a wide table few are.

    Parameters
    ----------
    columns : Columns
    rows : ndarray of places

    Examples
    --------
    >>> RowsOf({"frequency": np.array([2, 0, 5])}, np.array([2, 0]))["frequency"]
    array([5, 2])
    """

    def __init__(self, columns: Columns, rows: np.ndarray) -> None:
        self._columns, self._rows = columns, rows
        self._taken: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._taken:
            self._taken[name] = self._columns[name][self._rows]
        return self._taken[name]

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)


def rows_of(columns: Columns, rows: slice | np.ndarray) -> dict[str, np.ndarray]:
    """Return some rows of every column.

    Parameters
    ----------
    columns : Columns
    rows : slice, or ndarray of places or of bool

    Examples
    --------
    >>> rows_of({"frequency": np.array([2, 0, 5])}, slice(1, 3))
    {'frequency': array([0, 5])}
    """
    return {name: column[rows] for name, column in columns.items()}
