"""The database of a store: reads through a pool of connections, and one writing transaction at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from features.errors import NothingPublished, StoreBusy, StoreError
from features.language import translated
from serving.store.address import DRIVER_ERRORS, Address
from serving.store.connections import READ_SECONDS, reader, was_cut, writer
from serving.store.schema import known_version, upgrade

WAIT_SECONDS = 120.0
"""How long a writer waits for another: publishing a million scores takes less."""

_T = TypeVar("_T")


class Database:
    """A store's database; connections open when first needed and after a failure, and threads may share it.

    Parameters
    ----------
    address : Address
    read_seconds : float
        How long a reader waits for a SQLite file that another process has locked.
    """

    def __init__(self, address: Address, read_seconds: float = READ_SECONDS) -> None:
        self.address, self.read_seconds = address, read_seconds
        self._lock = Lock()
        self._engine: sa.Engine | None = None
        self._file: tuple[int, int] | None = None

    @property
    def dialect(self) -> str:
        """The kind of database: ``sqlite`` or ``postgresql``."""
        return "sqlite" if self.address.file else "postgresql"

    def fetch(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as the driver gives them.

        Runs on the driver's connection from SQLAlchemy's pool: SQLAlchemy's own execution costs three times as much
        as the statement.

        Parameters
        ----------
        statement : str, with the driver's placeholders
        parameters : sequence, one per placeholder

        Raises
        ------
        NothingPublished, StoreError
            If there is no store, or it does not answer, or its tables are not those of this release.
        """

        def ask(engine: sa.Engine) -> list[tuple[Any, ...]]:
            connection = engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(statement, parameters)
                return cursor.fetchall()  # type: ignore[return-value]
            finally:
                connection.close()

        return self._answer(ask)

    def select(self, statement: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Return the rows of a SELECT in SQLAlchemy's types.

        Raises
        ------
        NothingPublished, StoreError
            As `fetch`.
        """

        def ask(engine: sa.Engine) -> Sequence[sa.Row[Any]]:
            with engine.connect() as connection:
                return connection.execute(statement).all()

        return self._answer(ask)

    def has_tables(self) -> bool:
        """Tell whether there is a store with tables of this release.

        Raises
        ------
        StoreError
            If it does not answer, or its tables are not those of this release.
        """
        try:
            self.fetch("SELECT 1", ())
        except NothingPublished:
            return False
        return True

    @contextmanager
    def write(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[sa.Connection]:
        """Open a transaction on tables of the newest version; it is committed as a whole, or rolled back.

        SQLite admits one writer at a time, and readers meanwhile; on PostgreSQL the block takes its own locks.

        Parameters
        ----------
        wait_seconds : float
            For another writer to end.

        Raises
        ------
        StoreError
            If the database cannot be reached or written.
        """
        engine = writer(self.address, wait_seconds)
        try:
            with engine.connect() as connection:
                try:
                    with connection.begin():
                        upgrade(connection, self.address)
                        yield connection
                finally:
                    _shorten_log(connection)
        except DRIVER_ERRORS as error:
            raise self.address.fault(error) from None
        finally:
            engine.dispose()

    def vacuum(self) -> None:
        """Have PostgreSQL remove deleted rows from its files now; SQLite has overwritten them already.

        Raises
        ------
        StoreError
            If the database cannot be reached.
        """
        if self.dialect == "sqlite":
            return
        engine = writer(self.address, WAIT_SECONDS)
        try:
            with closing(engine.raw_connection()) as connection:
                driver: Any = connection.driver_connection
                driver.autocommit = True  # VACUUM is no part of a transaction
                driver.execute(
                    "VACUUM scores, alerts, rankings, own_rows, own_places, own_columns, segments, audit, campaigns, "
                    "campaign_customers"
                )
        except DRIVER_ERRORS as error:
            raise self.address.fault(error) from None
        finally:
            engine.dispose()

    def require_writable(self) -> None:
        """Check that the database can be written to, before the work is done; change nothing.

        Raises
        ------
        StoreError
            If it cannot be reached, or is of a newer release.
        """
        file = self.address.file
        if file and not file.exists():
            if not file.parent.is_dir():
                raise StoreError(
                    translated(
                        "Cannot write the store {address}: the folder {parent} does not exist. Create it first.",
                        address=self.address,
                        parent=file.parent,
                    )
                )
            return
        engine = writer(self.address, READ_SECONDS)
        try:
            with closing(engine.raw_connection()) as connection:
                known_version(connection, self.dialect, self.address)
        except DRIVER_ERRORS as error:
            raise self.address.fault(error) from None
        finally:
            engine.dispose()

    def close(self) -> None:
        """Close idle connections; the next statement opens new ones."""
        if self._engine:
            self._forget(self._engine)

    def _forget(self, engine: sa.Engine) -> None:
        with self._lock:
            if self._engine is engine:  # and not another thread's replacement
                self._engine = None
        engine.dispose()

    def _answer(self, ask: Callable[[sa.Engine], _T]) -> _T:
        """Ask; and again where the pooled connection was one to a server that has restarted since."""
        for may_repeat in (True, False):
            engine = self._reader()
            try:
                return ask(engine)
            except DRIVER_ERRORS as error:
                fault = self.address.fault(error)
                if not isinstance(fault, StoreBusy):
                    self._forget(engine)
                if not (may_repeat and was_cut(error)):
                    raise fault from None
        raise AssertionError("the second attempt returns or raises")

    def _reader(self) -> sa.Engine:
        file = self.address.file_identity()
        engine = self._engine
        if engine is not None and file == self._file:
            return engine
        with self._lock:
            if self._engine is None or file != self._file:
                if self._engine:
                    self._engine.dispose()
                self._engine, self._file = reader(self.address, self.read_seconds), file
            return self._engine


def _shorten_log(connection: sa.Connection) -> None:
    """Truncate SQLite's write-ahead log, which is as large as the set after a publication, or a failed one.

    Where others are reading, the log stays; the next writer reuses it, so it does not grow.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        with suppress(sqlite3.Error):  # the transaction has ended, one way or the other
            driver.execute("PRAGMA busy_timeout = 2000")
            driver.execute("PRAGMA wal_checkpoint(truncate)")
