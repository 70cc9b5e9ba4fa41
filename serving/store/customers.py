"""Customers of the newest set as a table: a page at a time, in an order, of a kind; or by how their ids begin."""

from __future__ import annotations

import secrets as random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from features.errors import NothingPublished
from serving.store.choice import Choice, Tally
from serving.store.chosen_places import found_of_kinds, place_of, read_through
from serving.store.database import WAIT_SECONDS, Database
from serving.store.loading import renew_statistics
from serving.store.own_columns import OwnColumns
from serving.store.own_places import place_own
from serving.store.rankings import ORDERS, rank, ranks_of
from serving.store.tables import alerts, own_places, rankings, score_sets, scores, secrets, tallies
from training.model.score_schema import SCHEMA

PAGE_ROWS = 50
_CHUNK_ROWS = 10_000
_LINKS = "links"
_SECRET_BYTES = 64
_COUNTS = 100


@dataclass(frozen=True)
class Page:
    """Rows of the newest set.

    Parameters
    ----------
    rows : sequence of rows with the columns of ``scores`` and, but for a search, the rank
    more : bool
        Whether there are rows after them, in the direction that was read.
    """

    rows: Sequence[sa.Row[Any]]
    more: bool


@dataclass(frozen=True)
class PublishedSet:
    """A published set: what all of its scores share."""

    id: int
    published_at: datetime
    snapshot_date: date
    model_version: str
    customers: int
    horizon_days: int | None
    dormant_after_days: int | None


class Customers:
    """The published customers of a store.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self.own = OwnColumns(database)
        self._counts: dict[tuple[Any, ...], int] = {}

    def prepare(self, *, wait_seconds: float = WAIT_SECONDS) -> bytes:
        """Migrate the store, rank what an earlier release published, and return the secret of the links.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            newest = connection.scalar(sa.select(sa.func.max(score_sets.c.id)))
            ranked = connection.scalar(sa.select(sa.func.max(tallies.c.set_id)))
            if newest is not None and newest != ranked:
                ranks = ranks_of(connection, newest)
                rank(connection, newest, ranks)
                place_own(connection, newest, ranks)
                renew_statistics(connection, rankings, tallies, own_places)
            kept = connection.scalar(sa.select(secrets.c.secret).where(secrets.c.name == _LINKS))
            if kept is None:
                kept = random.token_bytes(_SECRET_BYTES)
                connection.execute(sa.insert(secrets).values(name=_LINKS, secret=kept))
            return bytes(kept)

    def sets(self) -> list[PublishedSet]:
        """Return the published sets, the newest first.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        names = PublishedSet.__dataclass_fields__
        try:
            rows = self._database.select(
                sa.select(*(score_sets.c[name] for name in names)).order_by(score_sets.c.id.desc())
            )
        except NothingPublished:
            return []
        return [PublishedSet(**row._mapping) for row in rows]

    def shared_by(self, set_id: int) -> dict[str, Any]:
        """Return the columns of a score that are the same for a whole set; empty where the set is gone."""
        names = [column.name for column in SCHEMA.values() if column.per_list]
        statement = sa.select(*(score_sets.c[name] for name in names)).where(score_sets.c.id == set_id)
        return {
            name: value for row in self._database.select(statement) for name, value in row._mapping.items()
        }

    def tallies(self) -> list[Tally]:
        """Return how many customers of each kind the newest set has, as it was published."""
        rows = self._database.select(sa.select(*(tallies.c[name] for name in Tally.__dataclass_fields__)))
        return [Tally(**row._mapping) for row in rows]

    def page(
        self, choice: Choice, *, beyond: int | None = None, back: bool = False, rows: int = PAGE_ROWS
    ) -> Page:
        """Return a page of the chosen customers, in their order.

        Parameters
        ----------
        choice : Choice
        beyond : int, optional
            Rank of the row that the page begins after; by default at the beginning.
        back : bool
            The page that ends before that row.
        rows : int, positive

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        kinds = [kind for kind in self.tallies() if choice.holds(kind)]
        if not kinds:
            return Page([], False)
        falling = choice.ascending != back  # whether ranks fall from row to row
        if choice.own:
            places = place_of(choice, self.own.all())
            if places is None:
                return Page([], False)
            found = read_through(*places, kinds, beyond, falling, rows + 1)
        else:
            found = found_of_kinds(choice.ordered_by, kinds, beyond, falling, rows + 1)
        theirs = (scores.c.set_id == found.c.set_id) & (scores.c.customer_id == found.c.customer_id)
        place = found.c["rank"]
        statement = sa.select(place, scores).select_from(found.join(scores, theirs))
        read = list(self._database.select(statement.order_by(place.desc() if falling else place)))
        page = read[:rows]
        return Page(page[::-1] if back else page, len(read) > rows)

    def count(self, choice: Choice) -> int:
        """Return how many customers are chosen: without own columns as they were published."""
        kinds = [kind for kind in self.tallies() if choice.holds(kind)]
        if not (choice.own and kinds):
            return sum(kind.customers for kind in kinds)
        columns = self.own.all()
        places = place_of(replace(choice, ordered_by=ORDERS[0]), columns)
        if places is None:
            return 0
        asked = (kinds[0].set_id, columns[0].brought_at, replace(choice, ordered_by="", ascending=False))
        if asked not in self._counts:
            if len(self._counts) >= _COUNTS:
                self._counts.clear()
            chosen = places[1] & own_places.c.kind.in_([kind.kind for kind in kinds])
            counted = sa.select(sa.func.count()).select_from(own_places).where(chosen)
            self._counts[asked] = int(self._database.select(counted)[0][0])
        return self._counts[asked]

    def all(self, choice: Choice) -> Iterator[Sequence[sa.Row[Any]]]:
        """Yield the chosen customers, many at a time."""
        beyond = None
        while True:
            page = self.page(choice, beyond=beyond, rows=_CHUNK_ROWS)
            if page.rows:
                yield page.rows
            if not page.more:
                return
            beyond = page.rows[-1].rank

    def search(self, beginning: str, rows: int = PAGE_ROWS) -> Page:
        """Return the customers of the newest set whose ids begin with a text, by id.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        newest = sa.select(sa.func.max(score_sets.c.id)).scalar_subquery()
        statement = (
            sa.select(scores)
            .where(scores.c.set_id == newest, scores.c.customer_id >= beginning)
            .order_by(scores.c.customer_id)
            .limit(rows + 1)
        )
        read = [row for row in self._database.select(statement) if str(row.customer_id).startswith(beginning)]
        return Page(read[:rows], len(read) > rows)

    def ids(self) -> list[str]:
        """Return the ids of all customers of the newest set, by id.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        newest = sa.select(sa.func.max(score_sets.c.id)).scalar_subquery()
        wanted = sa.select(scores.c.customer_id).where(scores.c.set_id == newest)
        found: list[str] = []
        while True:
            after = wanted.where(scores.c.customer_id > found[-1]) if found else wanted
            rows = self._database.select(after.order_by(scores.c.customer_id).limit(_CHUNK_ROWS))
            found += (row.customer_id for row in rows)
            if len(rows) < _CHUNK_ROWS:
                return found

    def history(self, customer_id: str) -> Sequence[sa.Row[Any]]:
        """Return a customer's scores in all published sets, with what each set says of itself, the newest first."""
        theirs = (scores.c.set_id == score_sets.c.id) & (scores.c.customer_id == customer_id)
        both = score_sets.join(scores, theirs)
        return self._database.select(
            sa.select(score_sets, scores).select_from(both).order_by(score_sets.c.id.desc())
        )

    def alerts_of(self, customer_id: str) -> Sequence[sa.Row[Any]]:
        """Return the open alerts about a customer."""
        return self._database.select(sa.select(alerts).where(alerts.c.customer_id == customer_id))

    def alert_counts(self) -> dict[str, int]:
        """Return how many alerts of each kind are open."""
        counted = sa.select(alerts.c.kind, sa.func.count().label("open")).group_by(alerts.c.kind)
        return {row.kind: row.open for row in self._database.select(counted)}
