"""Deletion of customers from published sets, alerts, own columns and campaigns, and from what users wrote."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from serving.store.audit import ERASED as ERASED_ACTION, record as note
from serving.store.campaign_rows import ASIDE, erase_rows
from serving.store.database import Database
from serving.store.own_places import forget_values
from serving.store.tables import (
    alerts,
    audit,
    campaign_customers,
    campaigns,
    own_places,
    own_rows,
    rankings,
    score_sets,
    scores,
    segments,
)
from serving.store.users import COMMAND_LINE

ERASED = "…"
"""What stands in place of an erased customer's id in the words of a user."""

_IDS = 1_000  # per statement: fewer than SQLite has parameters


def count(database: Database, customer_ids: Sequence[str]) -> int:
    """Count the rows of some customers in all sets and among the alerts, and the texts of users that name them."""
    rows = 0
    for theirs in _batches(scores, customer_ids):
        of_sets = score_sets.join(scores, (scores.c.set_id == score_sets.c.id) & theirs)
        rows += database.select(sa.select(sa.func.count()).select_from(of_sets))[0][0]
    for theirs in _batches(alerts, customer_ids):
        rows += database.select(sa.select(sa.func.count()).select_from(alerts).where(theirs))[0][0]
    for theirs in _batches(campaign_customers, customer_ids):
        counted = sa.select(sa.func.count()).select_from(campaign_customers).where(theirs)
        rows += database.select(counted)[0][0]
    for theirs in _batches(own_rows, customer_ids):
        rows += database.select(sa.select(sa.func.count()).select_from(own_rows).where(theirs))[0][0]
    for table, column in _WORDS:
        rows += sum(1 for _ in _blotted(database.select(_written(table, column)), customer_ids))
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
        for table in (rankings, own_places):  # copies of rows that are counted above
            for theirs in _batches(table, customer_ids):
                connection.execute(sa.delete(table).where(theirs))
        for theirs in _batches(own_rows, customer_ids):
            rows += connection.execute(sa.delete(own_rows).where(theirs)).rowcount
        forget_values(connection)
        rows += _erase_from_campaigns(connection, customer_ids)
        rows += _erase_words(connection, customer_ids)
        if rows:
            note(connection, COMMAND_LINE, ERASED_ACTION, f"{len(customer_ids)} customers")
    if rows:
        database.vacuum()
    return rows


def _erase_from_campaigns(connection: sa.Connection, customer_ids: Sequence[str]) -> int:
    """Delete the customers from campaigns, whose records say how many of each group are gone."""
    rows = 0
    for number, record in connection.execute(sa.select(campaigns.c.id, campaigns.c.record)).all():
        gone = erase_rows(connection, number, _batches(campaign_customers, customer_ids))
        rows += sum(gone.values())
        drawn = {arm: n for arm, n in gone.items() if arm != ASIDE}
        if record and drawn:
            before = record.get("erased", {})
            erased = before | {arm: before.get(arm, 0) + n for arm, n in drawn.items()}
            left = sa.update(campaigns).where(campaigns.c.id == number)
            connection.execute(
                left.values(record=record | {"erased": erased}, version=campaigns.c.version + 1)
            )
    return rows


def _erase_words(connection: sa.Connection, customer_ids: Sequence[str]) -> int:
    """Blot the ids out of the words of users; return the number of texts."""
    changed = 0
    for table, column in _WORDS:
        read = connection.execute(_written(table, column)).all()
        for number, text in _blotted(read, customer_ids):
            # Names of segments and campaigns are unique.
            left = text if table is audit else f"{text} ({number})"
            connection.execute(sa.update(table).where(table.c.id == number).values({column: left}))
            changed += 1
    return changed


_WORDS = ((segments, segments.c.name), (campaigns, campaigns.c.name), (audit, audit.c.reason))


def _written(table: sa.Table, column: sa.Column[Any]) -> sa.Select[Any]:
    return sa.select(table.c.id, column).where(column != "")


def _blotted(rows: Iterable[sa.Row[Any]], customer_ids: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the numbers of the texts that name one of the customers, and the texts without the names."""
    if not customer_ids:
        return
    names = re.compile("|".join(rf"(?<!\w){re.escape(each)}(?!\w)" for each in customer_ids))
    for number, text in map(tuple, rows):
        if names.search(text):
            yield number, names.sub(ERASED, text)


def _batches(table: sa.Table, customer_ids: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    for start in range(0, len(customer_ids), _IDS):
        yield table.c.customer_id.in_(customer_ids[start : start + _IDS])
