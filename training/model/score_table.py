"""Scores as tables: a DataFrame for analysis, an Arrow table for what is written.

Scores are computed as arrays by name. A million dates as Python's objects take a second to make and to write; Arrow
takes them as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from features.arrow_tables import plain
from features.table.columns import Columns
from training.model.score_schema import SCHEMA, Column

_TYPES: dict[type, pa.DataType] = {
    str: pa.large_string(),
    float: pa.float64(),
    int: pa.int64(),
    date: pa.date32(),
    list: pa.list_(pa.string()),
}


def frame_of(scores: Columns) -> pd.DataFrame:
    """Return scores as a DataFrame, in which dates are objects, None where null.

    Examples
    --------
    >>> frame_of({"next_purchase_date": np.array(["2024-05-01", "NaT"], dtype="datetime64[D]")}).values.tolist()
    [[datetime.date(2024, 5, 1)], [None]]
    """
    plain = {name: each.astype(object) if each.dtype.kind == "M" else each for name, each in scores.items()}
    return pd.DataFrame(plain, copy=False)


def table_of(scores: Columns) -> pa.Table:
    """Return scores as an Arrow table; what is NaN, NaT or None is null.

    Examples
    --------
    >>> scores = {"next_purchase_date": np.array(["2024-05-01", "NaT"], dtype="datetime64[D]")}
    >>> table_of(scores | {"margin": np.array([0.3, np.nan])}).to_pylist()[1]
    {'next_purchase_date': None, 'margin': None}
    """
    return pa.table({name: _column(each, _TYPES[SCHEMA[name].type]) for name, each in scores.items()})


def compact(scores: Columns) -> pa.Table:
    """Return scores as an Arrow table that takes a third of the memory: equal texts and values of a list are kept once.

    `features.files.plain` makes of it what `table_of` gives.

    Examples
    --------
    >>> reasons = np.array([["silent"], ["silent", "late"]], dtype=object)
    >>> compact({"reasons": reasons})["reasons"].chunk(0).values.dictionary.to_pylist()
    ['silent', 'late']
    """
    whole = table_of(scores)
    return pa.table(
        {name: _kept_once(whole[name].combine_chunks(), SCHEMA[name]) for name in whole.column_names}
    )


def _kept_once(values: pa.Array, stated: Column) -> pa.Array:
    if stated.type is list:
        return pa.ListArray.from_arrays(values.offsets, values.values.dictionary_encode())
    if not stated.per_list and not stated.one_of:
        return values
    return values.dictionary_encode().cast(pa.dictionary(pa.int8(), values.type))


class CompactColumns(Mapping[str, np.ndarray]):
    """The columns of a compact table as arrays, made of it when they are asked for.

    Parameters
    ----------
    table : pyarrow.Table, as `compact` returns it

    Examples
    --------
    >>> CompactColumns(compact({"reasons": np.array([["late"], []], dtype=object)}))["reasons"]
    array([list(['late']), list([])], dtype=object)
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __getitem__(self, name: str) -> np.ndarray:
        column = plain(self.table.select([name])).column(0)
        if not pa.types.is_list(column.type):
            return np.asarray(column.to_numpy())
        made = np.empty(len(column), dtype=object)
        made[:] = column.to_pylist()
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.table.column_names)

    def __len__(self) -> int:
        return int(self.table.num_columns)


def list_order(value_at_risk: np.ndarray, recent: np.ndarray) -> np.ndarray:
    """Return the places of customers in the order of a list: the recent first, each by value at risk, the most first.

    The dormant, whom a campaign plan leaves alone, come after all others: half of all value at risk may be theirs,
    and no log shows what they would do after they come back. Equals keep their order.

    Parameters
    ----------
    value_at_risk : ndarray of shape (n_customers,), money
    recent : ndarray of bool of the same shape, whether the customer is not dormant

    Examples
    --------
    >>> list_order(np.array([9.0, 2.0, 5.0, 5.0]), np.array([False, True, True, True])).tolist()
    [2, 3, 1, 0]
    """
    return np.lexsort((-value_at_risk, ~recent))


def in_order(scores: Columns, places: np.ndarray, *, emptied: bool = False) -> Columns:
    """Return the customers at some places, in their order.

    Parameters
    ----------
    scores : dict of arrays, or CompactColumns
    places : ndarray of int
    emptied : bool
        Take each column out of ``scores``, so that those of a large log are in memory once.

    Examples
    --------
    >>> in_order({"value_at_risk": np.array([2.0, 0.5, 7.0])}, np.array([2, 0]))["value_at_risk"].tolist()
    [7.0, 2.0]
    """
    if not isinstance(scores, CompactColumns):
        take = scores.pop if emptied and isinstance(scores, dict) else scores.__getitem__
        return {name: take(name)[places] for name in tuple(scores)}
    columns, taken = dict(zip(scores, scores.table.columns, strict=True)), pa.array(places)
    if emptied:
        scores.table = scores.table.schema.empty_table()
    for name in columns:
        columns[name] = columns[name].take(taken)
    return CompactColumns(pa.table(columns))


def _column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_list(kind) and len(values) and not any(values):  # a list without reasons
        return pa.repeat(pa.scalar([], kind), len(values))
    return pa.array(values, kind, from_pandas=True)
