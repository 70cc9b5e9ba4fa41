"""Places of customers in the orders of own columns.

Each column gives every customer of the newest set a place in its order, so that a value, or a range of numbers, is a
range of places, and a page is read as in any other order.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.language import alphabetical
from serving.store.loading import load, sliced
from serving.store.own_column import OWN, OwnColumn, column_of
from serving.store.rankings import ORDERS, Ranks, ranking
from serving.store.tables import own_columns, own_places, own_rows, rankings

MOST_VALUES = 30
"""A column of more different texts is shown and ordered by, but not filtered by."""

_RANGES = 5


def place_own(connection: sa.Connection, set_id: int, ranks: Ranks) -> None:
    """Replace the places in the orders of own columns by those of a set, in the transaction that is open.

    Parameters
    ----------
    connection : Connection
    set_id : int
    ranks : Ranks, of the set
    """
    connection.execute(sa.delete(own_places))
    connection.execute(sa.delete(rankings).where(rankings.c.ordered_by.startswith(OWN)))
    columns = [column_of(row) for row in connection.execute(sa.select(own_columns)).all()]
    if not columns:
        return
    texts = sa.type_coerce(own_rows.c.cells, sa.Text)
    rows = connection.execute(sa.select(own_rows.c.customer_id, texts)).all()
    known = pa.array([row[0] for row in rows], pa.string())
    cells_of_all = json.loads(f"[{','.join(row[1] for row in rows)}]")
    found = pc.index_in(ranks.customer_ids, value_set=known).to_numpy(zero_copy_only=False)
    of_customers = np.where(np.isnan(found.astype(float)), -1, found.astype(float)).astype(np.int64)
    table = {"set_id": pa.repeat(pa.scalar(set_id), len(ranks.kinds)), "customer_id": ranks.customer_ids}
    table |= {"kind": ranks.kinds}
    table |= {f"score_{number}": ranks.places[name] for number, name in enumerate(ORDERS)}
    for column in sorted(columns, key=lambda each: each.place):
        of_column = [cells[column.place] for cells in cells_of_all]
        cells = pd.Series([*of_column, None], dtype=object).iloc[of_customers]
        places, values = _placed(column, cells)
        table[f"own_{column.place}"] = places
        name = f"{OWN}{column.name}"
        load(connection, rankings, sliced(ranking(name, set_id, ranks.customer_ids, ranks.kinds, places)))
        changed = sa.update(own_columns).where(own_columns.c.place == column.place)
        connection.execute(changed.values({"values": values}))
    load(connection, own_places, sliced(pa.table(table)))


def forget_values(connection: sa.Connection) -> None:
    """Drop the values that no customer has any more, in the transaction that is open: somebody was erased."""
    for row in connection.execute(sa.select(own_columns)).all():
        place = own_places.c[f"own_{row.place}"]
        left = [
            each
            for each in row._mapping["values"]
            if connection.scalar(sa.select(sa.exists().where(place.between(each[1], each[2]))))
        ]
        if left != row._mapping["values"]:
            changed = sa.update(own_columns).where(own_columns.c.place == row.place)
            connection.execute(changed.values({"values": left}))


def _placed(column: OwnColumn, cells: pd.Series) -> tuple[np.ndarray, list[list[Any]]]:
    """Return the place of each customer in the order of a column, and the values with their ranges of places.

    The first is the highest number, or the last text; the empty are last where one looks first: behind the smallest
    number, and behind the last text when texts are read from the first on, which is up the places.
    """
    if column.numeric:
        numbers = pd.to_numeric(cells).to_numpy(dtype=float)
        order = np.argsort(np.where(np.isnan(numbers), np.inf, -numbers), kind="stable")
        return _numbered(order), _ranges(numbers[order])
    texts = cells.map(lambda cell: "" if cell is None else str(cell)).to_numpy(dtype=object)
    distinct = sorted(set(texts) - {""}, key=lambda text: (alphabetical(text), text), reverse=True)
    number = {"": -1} | {text: place for place, text in enumerate(distinct)}
    codes = np.array([number[text] for text in texts], dtype=np.int64)
    order = np.argsort(codes, kind="stable")
    if len(distinct) > MOST_VALUES:
        return _numbered(order), []
    ends = np.searchsorted(codes[order], np.arange(len(distinct)), side="right")
    starts = np.searchsorted(codes[order], np.arange(len(distinct)), side="left")
    values = [[text, int(starts[n]) + 1, int(ends[n])] for n, text in enumerate(distinct)]
    return _numbered(order), values[::-1]


def _numbered(order: np.ndarray) -> np.ndarray:
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(1, len(order) + 1)
    return places


def _ranges(numbers: np.ndarray) -> list[list[Any]]:
    """Return the different numbers, or ranges of about as many customers each; the numbers fall, the empty are last."""
    numbers = numbers[: int(np.isfinite(numbers).sum())]
    if not len(numbers):
        return []
    starts = np.flatnonzero(np.diff(numbers, prepend=np.inf) != 0)
    if len(starts) > MOST_VALUES:
        wanted = np.linspace(0, len(numbers), _RANGES + 1)[:-1]
        starts = np.unique(starts[np.searchsorted(starts, wanted, side="right") - 1])
    ends = np.append(starts[1:], len(numbers))
    return [
        [_span(numbers[end - 1], numbers[start]), int(start) + 1, int(end)]
        for start, end in zip(starts, ends, strict=True)
    ]


def _span(low: float, high: float) -> str:
    return f"{low:.12g}" if low == high else f"{low:.12g} {high:.12g}"
