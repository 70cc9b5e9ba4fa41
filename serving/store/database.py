"""The database behind a store: quick reads from a pool, and one transaction at a time that writes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from threading import Lock
from typing import Any, TypeVar

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from features.errors import StoreError
from serving.store.address import DRIVER_ERRORS, Address
from serving.store.schema import known_version, require_schema, upgrade

WAIT_SECONDS = 120.0
"""How long a writer waits for another: publishing a million scores takes less."""

_READ_SECONDS = 5
# Seconds to connect; a server that fell silent is given up in about ten.
_PATIENCE = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}
_T = TypeVar("_T")


class Database:
    """Connections to a store; opened when first needed, again after a failure, and safe between threads.

    Parameters
    ----------
    address : Address
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._lock = Lock()
        self._engine: sa.Engine | None = None
        self._file: tuple[int, int] | None = None

    @property
    def dialect(self) -> str:
        """The kind of database: ``sqlite`` or ``postgresql``."""
        return "sqlite" if self.address.file else "postgresql"

    def fetch(self, statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
        """Return the rows of a SELECT as the driver gives them.

        Straight to the driver, on a connection of SQLAlchemy's pool: SQLAlchemy's own way to run a statement would
        cost three times as much as the statement.

        Parameters
        ----------
        statement : str, with the driver's place holders
        parameters : sequence, one a place holder

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

    @contextmanager
    def write(self, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[sa.Connection]:
        """Open a transaction on the newest tables; all of it is done when the block ends, or nothing.

        SQLite lets one writer in at a time, and its readers on; on PostgreSQL the block takes its own locks.

        Parameters
        ----------
        wait_seconds : float
            For another writer to end.

        Raises
        ------
        StoreError
            If the database cannot be reached or written.
        """
        engine = self._writer(wait_seconds)
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

    def require_writable(self) -> None:
        """Complain about a database that could not be written to, before the work is done; change nothing.

        Raises
        ------
        StoreError
            If it cannot be reached, or is of a newer release.
        """
        file = self.address.file
        if file and not file.exists():
            if not file.parent.is_dir():
                raise StoreError(
                    f"Cannot write the store {self.address}: the folder {file.parent} does not exist. "
                    "Create it first."
                )
            return
        engine = self._writer(_READ_SECONDS)
        try:
            with closing(engine.raw_connection()) as connection:
                known_version(connection, self.dialect, self.address)
        except DRIVER_ERRORS as error:
            raise self.address.fault(error) from None
        finally:
            engine.dispose()

    def close(self) -> None:
        """Close the connections that nobody uses; the next question opens new ones."""
        if self._engine:
            self._forget(self._engine)

    def _forget(self, engine: sa.Engine) -> None:
        with self._lock:
            if self._engine is engine:  # and not the one with which another thread has replaced it
                self._engine = None
        engine.dispose()

    def _answer(self, ask: Callable[[sa.Engine], _T]) -> _T:
        """Ask; once more where the connection turned out to be one to a server that has been restarted since."""
        engine = self._reader()
        try:
            return ask(engine)
        except DRIVER_ERRORS as error:
            self._forget(engine)
            if not _was_cut(error):
                raise self.address.fault(error) from None
        engine = self._reader()
        try:
            return ask(engine)
        except DRIVER_ERRORS as error:
            self._forget(engine)
            raise self.address.fault(error) from None

    def _reader(self) -> sa.Engine:
        file = self.address.file_identity()
        engine = self._engine
        if engine is not None and file == self._file:
            return engine
        with self._lock:
            if self._engine is None or file != self._file:
                if self._engine:
                    self._engine.dispose()
                self._engine, self._file = _reader(self.address), file
            return self._engine

    def _writer(self, wait_seconds: float) -> sa.Engine:
        if self.dialect == "sqlite":
            return _sqlite_writer(self.address, wait_seconds)
        engine = sa.create_engine(
            self.address.url,
            isolation_level="READ COMMITTED",
            connect_args=_patience(self.address),
            poolclass=sa.NullPool,
        )

        @sa.event.listens_for(engine, "begin")
        def begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_seconds * 1000)}")

        return engine


def _reader(address: Address) -> sa.Engine:
    """Return an engine whose connections cannot write, each statement a transaction of its own.

    Their schema is checked as they open, not on each question.
    """
    engine = sa.create_engine(
        address.url,
        isolation_level="AUTOCOMMIT",
        connect_args={} if address.file else _patience(address),
        poolclass=sa.QueuePool,
        pool_size=4,
        max_overflow=4,
        pool_timeout=_READ_SECONDS,
        pool_reset_on_return=None,  # no transaction is left open that would have to be rolled back
    )

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        if address.file:
            connection = _open_file(address.file.as_uri())
        else:
            connection = _PostgresReader.connect(*arguments, **options, autocommit=True)
        try:
            if not address.file:
                connection.execute(f"SET statement_timeout = '{_READ_SECONDS}s'")
                connection.execute("SET default_transaction_read_only = on")
            require_schema(connection, dialect.name, address)
        except BaseException:
            connection.close()
            raise
        return connection

    return engine


class _PostgresReader(psycopg.Connection[Any]):
    """A connection that gives up a server that fell silent; a statement's timeout is for the server to keep."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, a second longer than the server may take."""
        return super().wait(gen, interval, timeout or _READ_SECONDS + 1)


def _open_file(uri: str) -> Any:
    """Open a SQLite file for questions only."""
    # mode=rw: a file that is not there is not made, as mode=ro; but only rw can take part in write-ahead logging
    # where no other process has the file open.
    connection = sqlite3.connect(
        f"{uri}?mode=rw", uri=True, timeout=_READ_SECONDS, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = on")
    return connection


def _sqlite_writer(address: Address, wait_seconds: float) -> sa.Engine:
    engine = sa.create_engine(address.url, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        connection = sqlite3.connect(str(address.file), timeout=wait_seconds, isolation_level=None)
        try:
            # Readers and a writer do not wait for each other; the file keeps this mode.
            connection.execute("PRAGMA journal_mode = wal")
        except BaseException:
            connection.close()
            raise
        return connection

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # At once: a transaction that begins by reading could lose its turn when it comes to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _patience(address: Address) -> dict[str, int]:
    return {name: value for name, value in _PATIENCE.items() if name not in address.url.query}


def _shorten_log(connection: sa.Connection) -> None:
    """Give back SQLite's write-ahead log, as large as the set after a publication, and after one that failed.

    Where others are reading it goes on being used, and is as large next time, no larger.
    """
    if connection.dialect.name == "sqlite":
        driver: Any = connection.connection.driver_connection
        with suppress(sqlite3.Error):  # the transaction has ended, one way or the other
            driver.execute("PRAGMA busy_timeout = 2000")
            driver.execute("PRAGMA wal_checkpoint(truncate)")


def _was_cut(error: Exception) -> bool:
    """Tell whether an open connection ended, and not a new one failed or a statement."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if cause.pgconn is not None or isinstance(cause, psycopg.errors.ConnectionTimeout):
        return False  # it was about to connect
    # 57P..: shut down, crashed, or the database dropped.
    return cause.sqlstate is None or cause.sqlstate.startswith("57P")
