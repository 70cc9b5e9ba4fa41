"""An audience in a table of a database: those who joined are inserted, those who left deleted, in one transaction."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from features.address import DatabaseAddress, with_driver
from features.errors import DeliveryError, StayworthError
from features.language import translated
from serving.audience.changes import Changes

_COLUMNS = ("audience", "customer_id", "joined_at")
_AT_ONCE = 500


def sync_table(uri: str, name: str, audience: str, members: Collection[str]) -> Changes:
    """Bring a table to the members of an audience, and return what has changed: all of it, or nothing.

    The table has the columns ``audience``, ``customer_id`` (together its key) and ``joined_at``, in UTC; it may hold
    several audiences, and is made if it is not there. Of two runs at a time one waits for the other.

    Parameters
    ----------
    uri : str, for SQLAlchemy, of SQLite or PostgreSQL
    name : str, of the table

    Raises
    ------
    StayworthError
        If the address is none, or the table is another one.
    DeliveryError
        If the database cannot be reached or written; nothing has changed then.
    """
    address = DatabaseAddress(uri)
    if address.kind not in ("sqlite", "postgresql") or address.parts is None:
        raise StayworthError(
            translated(
                "The database of audiences is to be sqlite:///file.db or "
                "postgresql://user:password@host:5432/database."
            )
        )
    table = sa.Table(
        name,
        sa.MetaData(),
        sa.Column("audience", sa.Text, primary_key=True),
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
    )
    try:
        engine = sa.create_engine(with_driver(sa.make_url(uri)))
        try:
            with engine.begin() as connection:
                return _synced(connection, table, audience, members)
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
        raise DeliveryError(
            translated(
                "The table {name} in {address} cannot be written: {reason}. Nothing has changed; the next"
                " run does it.",
                name=name,
                address=address,
                reason=reason,
            )
        ) from None


def _synced(connection: sa.Connection, table: sa.Table, audience: str, members: Collection[str]) -> Changes:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # else two runs read before either writes
    table.create(connection, checkfirst=True)
    found = {column["name"] for column in sa.inspect(connection).get_columns(table.name)}
    if missing := [each for each in _COLUMNS if each not in found]:
        raise StayworthError(
            translated(
                "The table {name} is another one: it has no column {column!r}. Name a new one: --table.",
                name=table.name,
                column=missing[0],
            )
        )
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))
    mine = table.c.audience == audience
    before = connection.execute(sa.select(table.c.customer_id).where(mine)).scalars().all()
    changes = Changes.since(before, members)
    for start in range(0, len(changes.left), _AT_ONCE):
        some = changes.left[start : start + _AT_ONCE]
        connection.execute(sa.delete(table).where(mine, table.c.customer_id.in_(some)))
    if changes.joined:
        now = datetime.now(UTC).replace(microsecond=0)
        connection.execute(
            sa.insert(table),
            [{"audience": audience, "customer_id": each, "joined_at": now} for each in changes.joined],
        )
    return changes
