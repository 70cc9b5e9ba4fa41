"""Scores as tables: a DataFrame for analysis, an Arrow table for what is written.

Scores are computed as arrays by name. A million dates as Python's objects take a second to make and to write; Arrow
takes them as they are.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from features.table.columns import Columns
from training.model.score_schema import SCHEMA

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


def _column(values: np.ndarray, kind: pa.DataType) -> pa.Array:
    if pa.types.is_list(kind) and not any(values):  # a list without reasons
        return pa.repeat(pa.scalar([], kind), len(values))
    return pa.array(values, kind, from_pandas=True)
