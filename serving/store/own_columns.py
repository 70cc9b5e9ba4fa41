"""Own columns: what the operator knows of customers besides their scores, such as a city or an account manager.

Cells are kept by customer, whatever list is published. For the newest set each column gives every customer a place in
its order, so that a value, or a range of numbers, is a range of places, and a page is read as in any other order.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.errors import NothingPublished, OlderStore, StayworthError
from features.language import translated
from serving.store.audit import record
from serving.store.database import WAIT_SECONDS, Database
from serving.store.loading import load, renew_statistics, sliced
from serving.store.rankings import ORDERS, Ranks, ranking, ranks_of
from serving.store.tables import MOST_OWN_COLUMNS, own_columns, own_places, own_rows, rankings, score_sets

OWN = "own:"
"""What names of own columns begin with in an order or among the columns of a table."""

MOST_VALUES = 30
"""A column of more different texts is shown and ordered by, but not filtered by."""

_RANGES = 5
_NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?", re.ASCII)
"""A number that is one to a reader too; 0042 and +98912… are texts."""

_LONGEST_NAME, _LONGEST_TEXT = 60, 200
_IDS = 500


@dataclass(frozen=True)
class OwnValue:
    """A value, or a range of numbers, that customers are filtered by.

    Parameters
    ----------
    text : str
        Of a range of numbers its ends, with a space between.
    first, last : int
        Places of its customers in the order of the column.
    key : str
        What stands for it in an address: a digest of the column's name and the value.
    """

    text: str
    first: int
    last: int
    key: str


@dataclass(frozen=True)
class OwnColumn:
    """One column; ``numeric`` ones are ordered as numbers."""

    place: int
    name: str
    numeric: bool
    values: tuple[OwnValue, ...]
    brought_at: datetime


class OwnColumns:
    """The own columns of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[OwnColumn]:
        """Return the columns in their order; none where there is no store, or one of an older release.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        try:
            rows = self._database.select(sa.select(own_columns).order_by(own_columns.c.place))
        except (NothingPublished, OlderStore):
            return []
        return [_column(row) for row in rows]

    def replace(
        self, cells: pd.DataFrame, user_name: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> list[OwnColumn]:
        """Keep columns in place of those before; return them.

        Parameters
        ----------
        cells : DataFrame by customer id, texts or numbers
        user_name : str
            Who brings them, for the audit.

        Raises
        ------
        StayworthError
            If there are none, too many, or one has too long a name.
        StoreError
            If the store cannot be written.
        """
        names = _sound_names([str(name) for name in cells.columns])
        cells = cells.set_axis(names, axis="columns").sort_index(kind="stable")
        tidy = {name: _tidy(cells[name]) for name in names}
        now, numeric = datetime.now(UTC), [pd.api.types.is_numeric_dtype(tidy[name]) for name in names]
        rows = [
            {"place": place, "name": name, "numeric": bool(numeric[place]), "values": [], "brought_at": now}
            for place, name in enumerate(names)
        ]
        with self._database.write(wait_seconds=wait_seconds) as connection:
            _delete_all(connection)
            connection.execute(sa.insert(own_columns), rows)
            load(connection, own_rows, sliced(_documents(cells.index, list(tidy.values()))))
            newest = connection.scalar(sa.select(sa.func.max(score_sets.c.id)))
            if newest is not None:
                place_own(connection, newest, ranks_of(connection, newest))
            renew_statistics(connection, rankings, own_rows, own_places)
            record(connection, user_name, "bring own columns", f"{len(names)} columns")
        return self.all()

    def remove(self, user_name: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Remove all columns and their cells.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            _delete_all(connection)
            record(connection, user_name, "remove own columns")
        self._database.vacuum()

    def cells_of(self, customer_ids: Sequence[str]) -> dict[str, list[Any]]:
        """Return the cells of some customers in the order of the columns; those without any are left out.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        found: dict[str, list[Any]] = {}
        for start in range(0, len(customer_ids), _IDS):
            wanted = own_rows.c.customer_id.in_(customer_ids[start : start + _IDS])
            for row in self._database.select(sa.select(own_rows).where(wanted)):
                found[row.customer_id] = row.cells
        return found


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
    columns = [_column(row) for row in connection.execute(sa.select(own_columns)).all()]
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


def key_of(name: str, value: str) -> str:
    """Return what stands for a value of a column in an address.

    Examples
    --------
    >>> key_of("city", "Shiraz")
    '8e6beb4a0395634a'
    """
    return hashlib.sha256(f"{name}\0{value}".encode()).hexdigest()[:16]


def _column(row: Any) -> OwnColumn:
    values = tuple(
        OwnValue(text, first, last, key_of(row.name, text)) for text, first, last in row._mapping["values"]
    )
    return OwnColumn(row.place, row.name, bool(row.numeric), values, row.brought_at)


def _sound_names(names: list[str]) -> list[str]:
    names = [" ".join(name.split()) for name in names]
    if not names:
        raise StayworthError(translated("The file has no column besides the ids."))
    if len(names) > MOST_OWN_COLUMNS:
        raise StayworthError(
            translated(
                "The file has {n} columns besides the ids; up to {most} can be kept. Leave out the others.",
                n=len(names),
                most=MOST_OWN_COLUMNS,
            )
        )
    odd = [name for name in names if not 1 <= len(name) <= _LONGEST_NAME or names.count(name) > 1]
    if odd:
        raise StayworthError(
            translated(
                "The name of a column has 1 to {n:character|characters}, and no two are the same; {name!r} is not.",
                n=_LONGEST_NAME,
                name=odd[0][:_LONGEST_NAME],
            )
        )
    return names


def _tidy(cells: pd.Series) -> pd.Series:
    """Return cells as numbers, or as texts; empty ones as missing."""
    if pd.api.types.is_bool_dtype(cells):
        return cells.astype(object).map({True: "1", False: "0"})
    if pd.api.types.is_numeric_dtype(cells):
        numbers = cells.astype(float)
        return numbers.where(np.isfinite(numbers))
    texts = [None if pd.isna(cell) else (str(cell).strip()[:_LONGEST_TEXT] or None) for cell in cells]
    known = [cell for cell in texts if cell is not None]
    numeric = bool(known) and all(_NUMBER.fullmatch(cell) for cell in known)
    return pd.Series(texts, index=cells.index, dtype=float if numeric else object)


def _documents(ids: pd.Index, columns: list[pd.Series]) -> pa.Table:
    plain = [[None if pd.isna(cell) else _plain(cell) for cell in column] for column in columns]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    documents = [encode(cells) for cells in zip(*plain, strict=True)]
    order = pc.sort_indices(pa.array(ids, pa.string()))
    table = pa.table({"customer_id": pa.array(ids, pa.string()), "cells": documents})
    return table.take(order)


def _plain(cell: Any) -> Any:
    """Return a whole number without its fraction."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


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
    distinct = sorted(set(texts) - {""}, key=lambda text: (text.casefold(), text), reverse=True)
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


def _delete_all(connection: sa.Connection) -> None:
    for table in (own_places, own_rows, own_columns):
        connection.execute(sa.delete(table))
    connection.execute(sa.delete(rankings).where(rankings.c.ordered_by.startswith(OWN)))
