"""Segments: choices of customers that users keep under a name. They hold what is chosen by, not who was chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from features.errors import NothingPublished, StayworthError
from features.language import translated
from serving.store.audit import record
from serving.store.database import WAIT_SECONDS, Database
from serving.store.tables import segments

LONGEST_NAME = 60


@dataclass(frozen=True)
class Segment:
    """One segment.

    Parameters
    ----------
    id : int
    name : str
    choice : mapping, plain values
    made_by : str
    made_at : datetime, in UTC
    """

    id: int
    name: str
    choice: Mapping[str, Any]
    made_by: str
    made_at: datetime


class Segments:
    """The segments of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[Segment]:
        """Return the segments by name.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        try:
            rows = self._database.select(sa.select(segments).order_by(segments.c.name))
        except NothingPublished:
            return []
        return [Segment(**row._mapping) for row in rows]

    def keep(
        self, name: str, choice: Mapping[str, Any], user_name: str, *, wait_seconds: float = WAIT_SECONDS
    ) -> int:
        """Keep a choice under a new name; return the segment's number.

        Raises
        ------
        StayworthError
            If the name is empty, too long or taken.
        StoreError
            If the store cannot be written.
        """
        name = " ".join(name.split())
        if not 1 <= len(name) <= LONGEST_NAME:
            raise StayworthError(
                translated("The name of a segment has 1 to {n:character|characters}.", n=LONGEST_NAME)
            )
        row = {"name": name, "choice": dict(choice), "made_by": user_name, "made_at": datetime.now(UTC)}
        with self._database.write(wait_seconds=wait_seconds) as connection:
            try:
                made = connection.scalar(sa.insert(segments).values(row).returning(segments.c.id))
            except IntegrityError:
                sentence = translated("There is a segment of that name already. Choose another name.")
                raise StayworthError(sentence) from None
            record(connection, user_name, "keep segment", f"segment {made}")
        return int(made or 0)

    def remove(self, segment_id: int, user_name: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """Remove a segment; nothing happens if it is gone already.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            gone = connection.execute(sa.delete(segments).where(segments.c.id == segment_id)).rowcount
            if gone:
                record(connection, user_name, "remove segment", f"segment {segment_id}")
