"""Customers of a campaign, between tables of pandas and the rows of the store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd
import sqlalchemy as sa

from serving.store.database import Database
from serving.store.tables import campaign_customers

CONTACTED, HELD_OUT, NOT_SELECTED = "contacted", "held_out", "not_selected"
"""The groups of a draw, named as the record of a plan counts them."""

ASIDE = "aside"
"""The group of a draft's rows: customers to leave alone, and contacts."""

ROW_COLUMNS = tuple(
    column.name
    for column in campaign_customers.columns
    if column.name not in ("campaign_id", "arm", "removed_at")
)
_NUMBERS = [
    column.name for column in campaign_customers.columns if isinstance(column.type, sa.Double | sa.Float)
]
_CHUNK_ROWS = 20_000


def insert_rows(connection: sa.Connection, campaign_id: int, arm: str, rows: pd.DataFrame) -> None:
    """Insert the customers of a group in their order; columns that the table does not have are left out."""
    own = rows[[name for name in ROW_COLUMNS if name in rows.columns]]
    shared = {"campaign_id": campaign_id, "arm": arm}
    if "reason" not in own:
        shared["reason"] = ""
    for start in range(0, len(own), _CHUNK_ROWS):
        part = own.iloc[start : start + _CHUNK_ROWS].astype(object)
        part = part.where(part.notna(), None)
        records = part.to_dict("records")
        placed = [{**row, **shared, "place": start + number} for number, row in enumerate(records)]
        connection.execute(sa.insert(campaign_customers), placed)


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
    read: list[sa.Row[Any]] = []
    for rows in _chunks(database, campaign_id, arms, first):
        read += rows
    names = [column.name for column in campaign_customers.columns]
    table = pd.DataFrame([tuple(row) for row in read], columns=names, dtype=object)
    table = table.sort_values(["arm", "place"], ignore_index=True)
    table[_NUMBERS] = table[_NUMBERS].astype(float)
    return table


def _chunks(
    database: Database, campaign_id: int, arms: Collection[str], first: int | None
) -> Iterator[Sequence[sa.Row[Any]]]:
    """Yield the rows by id, some thousands at a time: a database ends an answer that takes long."""
    table = campaign_customers
    wanted = sa.select(table).where(table.c.campaign_id == campaign_id, table.c.arm.in_(arms))
    if first is not None:
        wanted = wanted.where(table.c.place < first)
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
