"""Customers of a campaign, between tables of pandas and the rows of the store."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from serving.store.database import Database
from serving.store.loading import load, sliced
from serving.store.tables import Document, campaign_customers

CONTACTED, HELD_OUT, NOT_SELECTED = "contacted", "held_out", "not_selected"
"""The groups of a draw, named as the record of a plan counts them."""

ASIDE = "aside"
"""The group of a draft's rows: customers to leave alone, and contacts."""

_NUMBERS = [
    column.name for column in campaign_customers.columns if isinstance(column.type, sa.Double | sa.Float)
]
_CHUNK_ROWS = 20_000
_JSON = json.JSONEncoder(ensure_ascii=False)


def insert_rows(connection: sa.Connection, campaign_id: int, arm: str, rows: pd.DataFrame) -> None:
    """Insert the customers of a group in their order; columns that the table does not have are left out."""
    shared = {"campaign_id": campaign_id, "arm": arm, "place": range(len(rows))}
    own = rows.assign(**shared) if "reason" in rows else rows.assign(**shared, reason="")
    cells = {
        column.name: _cells(own[column.name], column)
        for column in campaign_customers.columns
        if column.name in own.columns and column.name != "removed_at"
    }
    table = pa.table(cells)
    load(connection, campaign_customers, sliced(table.take(pc.sort_indices(table["customer_id"]))))


def _cells(values: pd.Series, column: sa.Column[Any]) -> pa.Array:
    """Return a column as its table keeps it; what is missing is null."""
    if isinstance(column.type, Document):
        values = values.astype(object).map(_JSON.encode, na_action="ignore")
    kind = pa.float64() if isinstance(column.type, sa.Double) else pa.string()
    return pa.array(values, pa.int64() if isinstance(column.type, sa.Integer) else kind, from_pandas=True)


def read_rows(
    database: Database, campaign_id: int, arms: Collection[str], *, first: int | None = None
) -> pd.DataFrame:
    """Return the customers of some groups, each in its order, with the columns of the table.

    Parameters
    ----------
    database : Database
    campaign_id : int
    arms : names of groups
    first : int, optional
        Only so many of each group.
    """
    rows = campaign_customers.c
    wanted = sa.select(campaign_customers).where(rows.campaign_id == campaign_id, rows.arm.in_(arms))
    if first is not None:
        wanted = wanted.where(rows.place < first)
    table = _read(database, wanted, list(rows.keys())).sort_values(["arm", "place"], ignore_index=True)
    table[_NUMBERS] = table[_NUMBERS].astype(float)
    return table


def read_contacts(database: Database, campaign_id: int) -> pd.DataFrame:
    """Return ``customer_id``, ``channel`` and ``contact`` of whom to contact, without those taken off the list."""
    rows = campaign_customers.c
    wanted = sa.select(rows.customer_id, rows.place, rows.channel, rows.contact).where(
        rows.campaign_id == campaign_id, rows.arm == CONTACTED, rows.removed_at.is_(None)
    )
    table = _read(database, wanted, ["customer_id", "place", "channel", "contact"])
    return table.sort_values("place", ignore_index=True)[["customer_id", "channel", "contact"]]


def _read(database: Database, wanted: sa.Select[Any], names: Sequence[str]) -> pd.DataFrame:
    read = [tuple(row) for rows in _chunks(database, wanted) for row in rows]
    return pd.DataFrame(read, columns=list(names), dtype=object)


def _chunks(database: Database, wanted: sa.Select[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the rows by id, some thousands at a time: a database ends an answer that takes long."""
    table = campaign_customers
    beyond = None
    while True:
        after = wanted if beyond is None else wanted.where(table.c.customer_id > beyond)
        rows = database.select(after.order_by(table.c.customer_id).limit(_CHUNK_ROWS))
        yield rows
        if len(rows) < _CHUNK_ROWS:
            return
        beyond = rows[-1].customer_id


def count_aside(database: Database, campaign_id: int) -> tuple[int, int]:
    """Return how many customers a draft leaves alone, and how many have a contact."""
    table = campaign_customers

    def counted(kind: sa.ColumnElement[bool]) -> int:
        wanted = (table.c.campaign_id == campaign_id) & (table.c.arm == ASIDE) & kind
        rows = database.select(sa.select(sa.func.count()).select_from(table).where(wanted))
        return int(rows[0][0])

    return counted(table.c.reason != ""), counted(table.c.contact.is_not(None))


def ids_of(rows: pd.DataFrame, arm: str) -> frozenset[str]:
    """Return the ids of a group."""
    return frozenset(rows.loc[rows["arm"] == arm, "customer_id"])


def unknown_to(connection: sa.Connection, campaign_id: int, scores: sa.Table, set_id: int) -> int:
    """Count the customers of a campaign who are not in a published set any more: they were erased."""
    table = campaign_customers
    theirs = (scores.c.set_id == set_id) & (scores.c.customer_id == table.c.customer_id)
    lost = (
        sa.select(sa.func.count())
        .select_from(table.outerjoin(scores, theirs))
        .where(table.c.campaign_id == campaign_id, scores.c.customer_id.is_(None))
    )
    return int(connection.scalar(lost) or 0)


def erase_rows(
    connection: sa.Connection, campaign_id: int, batches: Iterable[sa.ColumnElement[bool]]
) -> dict[str, int]:
    """Delete the rows of some customers; return how many there were in each group."""
    table, gone = campaign_customers, dict[str, int]()
    for theirs in batches:
        wanted = (table.c.campaign_id == campaign_id) & theirs
        counted = sa.select(table.c.arm, sa.func.count()).where(wanted).group_by(table.c.arm)
        for arm, number in connection.execute(counted).all():
            gone[arm] = gone.get(arm, 0) + number
        connection.execute(sa.delete(table).where(wanted))
    return gone
