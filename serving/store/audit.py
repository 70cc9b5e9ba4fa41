"""What was written by way of the workbench or about its users: when, by whom, what, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from features.errors import NothingPublished
from serving.store.database import Database
from serving.store.tables import audit

LONGEST_REASON = 500


@dataclass(frozen=True)
class Entry:
    """One write.

    Parameters
    ----------
    at : datetime, in UTC
    user_name : str
    action : str, such as "promote"
    about : str
        Number or name of what was written; no customer.
    reason : str
        In the user's words; empty where none is asked for.
    """

    at: datetime
    user_name: str
    action: str
    about: str
    reason: str


def record(connection: sa.Connection, user_name: str, action: str, about: str = "", reason: str = "") -> None:
    """Add an entry in the transaction of what it tells of."""
    row = {"at": datetime.now(UTC), "user_name": user_name, "action": action}
    connection.execute(sa.insert(audit).values(row | {"about": about, "reason": reason[:LONGEST_REASON]}))


ERASED = "erase customers"


class Audit:
    """The entries of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, user_name: str, action: str, about: str = "", reason: str = "", *, wait_seconds: float
    ) -> None:
        """Add an entry of what is written elsewhere, such as in the registry of models.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            record(connection, user_name, action, about, reason)

    def last_erasure(self) -> int:
        """Return the number of the entry of the last erasure of customers; 0 where there was none.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        last = sa.select(sa.func.max(audit.c.id)).where(audit.c.action == ERASED)
        try:
            return self._database.select(last)[0][0] or 0
        except NothingPublished:
            return 0

    def about(self, what: str, actions: Sequence[str]) -> Sequence[Entry]:
        """Return the entries of some actions about one thing, the newest first.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return self._entries(sa.and_(audit.c.about == what, audit.c.action.in_(actions)))

    def newest(self, entries: int = 200) -> Sequence[Entry]:
        """Return the last entries, the newest first.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        return self._entries(sa.true(), entries)

    def _entries(self, which: sa.ColumnElement[bool], most: int | None = None) -> Sequence[Entry]:
        columns = [column for column in audit.columns if column.name != "id"]
        wanted = sa.select(*columns).where(which).order_by(audit.c.id.desc()).limit(most)
        try:
            rows = self._database.select(wanted)
        except NothingPublished:
            return []
        return [Entry(**row._mapping) for row in rows]
