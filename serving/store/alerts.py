"""Open alerts in the store: read and replaced as a whole, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from features.errors import NothingPublished
from serving.store.database import WAIT_SECONDS, Database
from serving.store.tables import alerts

Rows = list[dict[str, Any]]


class OpenAlerts:
    """The open alerts: one for each customer and kind, which the table's key makes sure of.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Rows:
        """Return the open alerts.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its tables are not those of this release.
        """
        try:
            return [dict(row._mapping) for row in self._database.select(sa.select(alerts))]
        except NothingPublished:
            return []

    @contextmanager
    def changing(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[Change]:
        """Read the open alerts, and replace them at the end of the block: of two processes, one waits for the other.

        Nothing changes if the block raises, or the process is killed in it.

        Raises
        ------
        StoreError
            If the database cannot be reached or written, or another process does not end.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.text("LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE"))
            change = Change([dict(row._mapping) for row in connection.execute(sa.select(alerts))])
            yield change
            if change.after is not None:
                connection.execute(sa.delete(alerts))
                if change.after:
                    connection.execute(sa.insert(alerts), [dict(row) for row in change.after])


class Change:
    """A change of the open alerts.

    Attributes
    ----------
    before : list of dict
    after : sequence of mappings, what they become; None: they stay
    """

    def __init__(self, before: Rows) -> None:
        self.before = before
        self.after: Sequence[Mapping[str, Any]] | None = None
