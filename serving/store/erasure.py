"""Deletion of customers from every published set and from the alerts: a list asks for it, and so does the service."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from serving.store.database import Database
from serving.store.tables import alerts, score_sets, scores

_IDS = 1_000  # per statement: fewer than SQLite has parameters


def count(database: Database, customer_ids: Sequence[str]) -> int:
    """Count the rows of some customers in all sets and among the alerts."""
    rows = 0
    for theirs in _batches(scores, customer_ids):
        of_sets = score_sets.join(scores, (scores.c.set_id == score_sets.c.id) & theirs)
        rows += database.select(sa.select(sa.func.count()).select_from(of_sets))[0][0]
    for theirs in _batches(alerts, customer_ids):
        rows += database.select(sa.select(sa.func.count()).select_from(alerts).where(theirs))[0][0]
    return rows


def erase(database: Database, customer_ids: Sequence[str], wait_seconds: float) -> int:
    """Delete the rows of some customers in one transaction; return their number.

    SQLite overwrites what is deleted (``secure_delete``); PostgreSQL is told to vacuum.

    Raises
    ------
    StoreError
        If the database cannot be reached or written.
    """
    rows = 0
    with database.write(wait_seconds=wait_seconds) as connection:
        if connection.dialect.name == "postgresql":  # a publication that began earlier may hold them
            connection.execute(sa.text("LOCK TABLE score_sets IN SHARE ROW EXCLUSIVE MODE"))
        for theirs in _batches(alerts, customer_ids):
            rows += connection.execute(sa.delete(alerts).where(theirs)).rowcount
        for set_id in list(connection.scalars(sa.select(score_sets.c.id))):
            for theirs in _batches(scores, customer_ids):
                deleted = connection.execute(sa.delete(scores).where(scores.c.set_id == set_id, theirs))
                rows += deleted.rowcount
    if rows:
        database.vacuum()
    return rows


def _batches(table: sa.Table, customer_ids: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    for start in range(0, len(customer_ids), _IDS):
        yield table.c.customer_id.in_(customer_ids[start : start + _IDS])
