"""Own columns: what the operator knows of customers besides their scores, such as a city or an account manager.

Cells are kept by customer, whatever list is published.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.errors import NothingPublished, OlderStore
from serving.store.audit import record
from serving.store.database import WAIT_SECONDS, Database
from serving.store.loading import load, renew_statistics, sliced
from serving.store.own_column import OWN, OwnColumn, column_of
from serving.store.own_places import place_own
from serving.store.own_table import own_table
from serving.store.rankings import ranks_of
from serving.store.tables import own_columns, own_places, own_rows, rankings, score_sets

_IDS = 500


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
        return [column_of(row) for row in rows]

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
            If there are none, too many, or one has too long a name or a number that cannot be kept.
        StoreError
            If the store cannot be written.
        """
        tidy = own_table(cells)
        names = list(tidy.columns)
        now, numeric = datetime.now(UTC), [pd.api.types.is_numeric_dtype(tidy[name]) for name in names]
        rows = [
            {"place": place, "name": name, "numeric": bool(numeric[place]), "values": [], "brought_at": now}
            for place, name in enumerate(names)
        ]
        with self._database.write(wait_seconds=wait_seconds) as connection:
            _delete_all(connection)
            connection.execute(sa.insert(own_columns), rows)
            load(connection, own_rows, sliced(_documents(tidy)))
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


def _documents(cells: pd.DataFrame) -> pa.Table:
    plain = [[None if pd.isna(cell) else _plain(cell) for cell in column] for _, column in cells.items()]
    encode = json.JSONEncoder(ensure_ascii=False).encode
    documents = [encode(cells) for cells in zip(*plain, strict=True)]
    order = pc.sort_indices(pa.array(cells.index, pa.string()))
    table = pa.table({"customer_id": pa.array(cells.index, pa.string()), "cells": documents})
    return table.take(order)


def _plain(cell: Any) -> Any:
    """Return a whole number without its fraction."""
    return int(cell) if isinstance(cell, float) and cell.is_integer() else cell


def _delete_all(connection: sa.Connection) -> None:
    for table in (own_places, own_rows, own_columns):
        connection.execute(sa.delete(table))
    connection.execute(sa.delete(rankings).where(rankings.c.ordered_by.startswith(OWN)))
