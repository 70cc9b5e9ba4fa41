"""The store of scores: a run's whole list goes in as one set, single customers come out by id.

A set is published in one transaction, and lookups read the newest complete set: never a mix of two, neither during
a publication nor after one that was killed or ran out of disk.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from features.closing import Closing
from features.errors import NothingPublished
from serving.settings import DEFAULT_STORE
from serving.store.address import Address
from serving.store.alerts import OpenAlerts
from serving.store.audit import Audit
from serving.store.campaigns import Campaigns
from serving.store.connections import READ_SECONDS
from serving.store.customers import Customers
from serving.store.database import WAIT_SECONDS, Database
from serving.store.deliveries import Deliveries
from serving.store.erasure import count, erase
from serving.store.keys import Keys
from serving.store.segments import Segments
from serving.store.tables import as_utc, score_sets
from serving.store.users import Users
from training.model.score_schema import SCHEMA, SCORE_COLUMNS, Score

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from features.progress import Report


@dataclass(frozen=True)
class Publication:
    """One published set of scores.

    Parameters
    ----------
    id : int
        Increases with each publication.
    published_at : datetime, in UTC
    model_version : str
    snapshot_date : date
    customers : int, positive
    horizon_days : int or None
        Length of the churn window of its scores; only `Store.newest` reads it.
    """

    id: int
    published_at: datetime
    model_version: str
    snapshot_date: date
    customers: int
    horizon_days: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Lookup:
    """Scores of some customers in the newest set.

    Parameters
    ----------
    publication : Publication
        The set that was read.
    scores : list of Score
        In the order asked.
    unknown : list of str
        The ids that the set does not hold, in the order asked.
    """

    publication: Publication
    scores: list[Score[date]]
    unknown: list[str]


class Store(Closing):
    """Published scores, open alerts, API keys, campaigns, and what the workbench keeps, in SQLite or PostgreSQL.

    The database is opened when a method first needs it; reading never creates it.

    Parameters
    ----------
    uri : str
        ``sqlite:///file.db`` or ``postgresql://user:password@host:5432/database``.
    read_seconds : float
        How long a read waits for a SQLite file that another process has locked; then it raises `StoreBusy`.

    Raises
    ------
    StoreError
        If the URI names neither.

    Examples
    --------
    >>> import tempfile
    >>> store = Store(f"sqlite:///{tempfile.mkdtemp()}/stayworth.db")
    >>> store.newest() is None
    True
    """

    def __init__(self, uri: str = DEFAULT_STORE, *, read_seconds: float = READ_SECONDS) -> None:
        self.address = Address(uri)
        self._database = Database(self.address, read_seconds)
        self.keys = Keys(self._database)
        self.alerts = OpenAlerts(self._database)
        self.customers = Customers(self._database)
        self.segments = Segments(self._database)
        self.campaigns = Campaigns(self._database)
        self.deliveries = Deliveries(self._database)
        self.users = Users(self._database)
        self.audit = Audit(self._database)

    def publish(
        self,
        scores: pd.DataFrame | pa.Table,
        *,
        keep: int = 3,
        progress: Report | None = None,
        wait_seconds: float = WAIT_SECONDS,
    ) -> Publication:
        """Publish a scored list and delete the sets before the last ``keep``, in one transaction.

        Tables that are missing, or of an older release, are created or migrated.

        Parameters
        ----------
        scores : DataFrame with the columns ``SCORE_COLUMNS``, of one snapshot and one model version
            Of a long list `ScoredList.table`, which takes less memory.
        keep : int, positive
            Number of sets that stay, this one included.
        progress : Report
        wait_seconds : float
            For another publication to end.

        Returns
        -------
        Publication

        Raises
        ------
        StoreError
            If the list cannot be published: it is empty or mixed, names a customer twice or lacks a number; or
            the database cannot be reached, is full, or another publication does not end. What was published
            before is intact.
        """
        from serving.store.publication import publish

        row = publish(self._database, scores, keep, progress, wait_seconds)
        return Publication(**{name: row[name] for name in _SET_FIELDS})

    def require_publishable(self) -> None:
        """Check that the store can be written to, before the work is done.

        Raises
        ------
        StoreError
            If the store cannot be reached, or is of a newer release.
        """
        self._database.require_writable()

    def upgrade(self) -> None:
        """Bring the tables of an older release to those of this one, as every write does.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write():
            pass

    def newest(self) -> Publication | None:
        """Return the newest publication; None where nothing was published.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its tables are not those of this release.
        """
        statement = (
            sa.select(*(score_sets.c[name] for name in (*_SET_FIELDS, "horizon_days")))
            .order_by(score_sets.c.id.desc())
            .limit(1)
        )
        try:
            rows = self._database.select(statement)
        except NothingPublished:
            return None
        return Publication(**rows[0]._mapping) if rows else None

    def lookup(self, customer_ids: Sequence[str]) -> Lookup:
        """Return the newest published scores of some customers.

        Parameters
        ----------
        customer_ids : sequence of str
            Compared byte by byte; an id given twice is answered once.

        Returns
        -------
        Lookup

        Raises
        ------
        NothingPublished
            If there is no published set.
        StoreError
            If the store cannot be reached, or its tables are not those of this release.
        """
        asked = list(dict.fromkeys(customer_ids))
        storable = [customer for customer in asked if _is_storable(customer)]
        if self._database.dialect == "sqlite":
            rows = self._database.fetch(_sqlite_lookup(len(storable)), storable)
        else:
            rows = self._database.fetch(_POSTGRESQL_LOOKUP, [storable])
        if not rows:
            raise self.address.empty()
        publication = _publication(rows[0][: len(_SET_FIELDS)])
        found = {row[_CUSTOMER_ID]: row for row in rows}
        return Lookup(
            publication,
            [_score(found[customer]) for customer in asked if customer in found],
            [customer for customer in asked if customer not in found],
        )

    def erase(self, customer_ids: Sequence[str], *, wait_seconds: float = WAIT_SECONDS) -> int:
        """Delete the scores of some customers from every published set, their alerts, and their rows in campaigns.

        `Publication.customers` stays.

        Parameters
        ----------
        customer_ids : sequence of str
            Compared byte by byte.
        wait_seconds : float
            For a publication to end.

        Returns
        -------
        int
            Rows deleted.

        Raises
        ------
        StoreError
            If the database cannot be reached or written.
        """
        if not self._database.has_tables():  # nor is a store made where there is none
            return 0
        return erase(self._database, list(filter(_is_storable, customer_ids)), wait_seconds)

    def count(self, customer_ids: Sequence[str]) -> int:
        """Count the rows of some customers in all published sets and among the open alerts.

        Raises
        ------
        StoreError
            If the store cannot be reached, or its tables are not those of this release.
        """
        if not self._database.has_tables():
            return 0
        return count(self._database, list(filter(_is_storable, customer_ids)))

    def close(self) -> None:
        """Close idle connections; the store can still be used."""
        self._database.close()


_SET_FIELDS = ("id", "published_at", "model_version", "snapshot_date", "customers")
_SCORE_CELLS = [f"{'s' if column.per_list else 'c'}.{column.name}" for column in SCHEMA.values()]
_CUSTOMER_ID = len(_SET_FIELDS) + SCORE_COLUMNS.index("customer_id")
_DATES = tuple(column.name for column in SCHEMA.values() if column.type is date)

# One statement chooses the set and reads its rows: between two, a publication could delete the set. The set comes
# back even if it holds none of the customers.
_LOOKUP = f"""
SELECT {", ".join(f"s.{name}" for name in _SET_FIELDS)}, {", ".join(_SCORE_CELLS)}
FROM score_sets AS s LEFT JOIN scores AS c ON c.set_id = s.id AND c.customer_id {{among}}
WHERE s.id = (SELECT max(id) FROM score_sets)
"""
_POSTGRESQL_LOOKUP = _LOOKUP.format(among="= ANY(%s)")


@lru_cache(maxsize=64)
def _sqlite_lookup(customers: int) -> str:
    return _LOOKUP.format(among=f"IN ({', '.join('?' * customers)})")


def _is_storable(customer_id: str) -> bool:
    """Tell whether a database could hold this id; one that it could not is unknown to it."""
    try:
        return b"\0" not in customer_id.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False


@lru_cache(maxsize=4)
def _publication(row: tuple[Any, ...]) -> Publication:
    identity, published_at, model_version, snapshot_date, customers = row
    if isinstance(snapshot_date, str):  # SQLite keeps dates and times as text
        published_at = datetime.fromisoformat(published_at)
        snapshot_date = date.fromisoformat(snapshot_date)
    return Publication(identity, as_utc(published_at), model_version, snapshot_date, customers)


def _score(row: tuple[Any, ...]) -> Score[date]:
    """Return one customer's score; SQLite's dates and reasons, which are texts, become what they mean."""
    score: Any = dict(zip(SCORE_COLUMNS, row[len(_SET_FIELDS) :], strict=True))
    if isinstance(score["reasons"], str):
        score["reasons"] = json.loads(score["reasons"])
        for name in _DATES:
            if score[name] is not None:
                score[name] = date.fromisoformat(score[name])
    return score  # type: ignore[no-any-return]
