"""Engines of a store's database: one for reading, with a pool, and one for each writing transaction.

SQLAlchemy pools the connections; how they open, wait and time out differs between SQLite and PostgreSQL.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import suppress
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from serving.store.address import Address
from serving.store.schema import require_schema

READ_SECONDS = 5
"""How long a reader waits for a connection from the pool, and for an answer, unless told otherwise."""

# Seconds to connect; a server that does not respond is given up in about ten.
_PATIENCE = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 2,
}


def reader(address: Address, wait_seconds: float = READ_SECONDS) -> sa.Engine:
    """Return an engine whose connections cannot write; each statement is a transaction of its own.

    The version of the tables is checked when a connection opens, not on each statement. A SQLite file that another
    process has locked is waited for so many seconds.
    """
    engine = sa.create_engine(
        address.url,
        isolation_level="AUTOCOMMIT",
        connect_args={} if address.file else _patience(address),
        poolclass=sa.QueuePool,
        pool_size=4,
        max_overflow=4,
        pool_timeout=READ_SECONDS,
        pool_reset_on_return=None,  # no transaction is left open that would have to be rolled back
    )

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        if address.file:
            connection = _open_file(address.file.as_uri(), wait_seconds)
        else:
            connection = _PostgresReader.connect(*arguments, **options, autocommit=True)
        try:
            if not address.file:
                connection.execute(f"SET statement_timeout = '{READ_SECONDS}s'")
                connection.execute("SET default_transaction_read_only = on")
                # A page of a hundred kinds reads some rows of each: to compile that takes seconds, to run it a few ms.
                connection.execute("SET jit = off")
            require_schema(connection, dialect.name, address)
        except BaseException:
            connection.close()
            raise
        return connection

    return engine


class _PostgresReader(psycopg.Connection[Any]):
    """A connection that stops waiting for a server that does not respond, even to enforce its own timeout."""

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for an answer, a second longer than the server may take.

        A connection whose answer did not come is closed: it takes no other question, and the roll-back that SQLAlchemy
        would try on it does not hide what happened.
        """
        try:
            return super().wait(gen, interval, timeout or READ_SECONDS + 1)
        except psycopg.OperationalError:
            if self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


def _open_file(uri: str, wait_seconds: float) -> Any:
    """Open a SQLite file for reading only."""
    # mode=rw does not create a missing file, as mode=ro does not; but only rw can take part in write-ahead logging
    # when no other process has the file open.
    connection = sqlite3.connect(
        f"{uri}?mode=rw", uri=True, timeout=wait_seconds, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA query_only = on")
    return connection


def writer(address: Address, wait_seconds: float) -> sa.Engine:
    """Return an engine whose transactions wait so long for another writer to end."""
    return _sqlite_writer(address, wait_seconds) if address.file else _postgres_writer(address, wait_seconds)


def _sqlite_writer(address: Address, wait_seconds: float) -> sa.Engine:
    engine = sa.create_engine(address.url, poolclass=sa.NullPool)

    @sa.event.listens_for(engine, "do_connect")
    def connect(dialect: Any, record: Any, arguments: Any, options: Any) -> Any:
        assert address.file is not None
        with suppress(
            OSError
        ):  # SQLite says what is wrong with a folder; a file that is there keeps its mode
            address.file.touch(mode=0o600, exist_ok=False)
        connection = sqlite3.connect(str(address.file), timeout=wait_seconds, isolation_level=None)
        try:
            # What is deleted is overwritten: a customer who is erased is not in the file's free pages either.
            connection.execute("PRAGMA secure_delete = on")
            _log_ahead(connection, wait_seconds)
        except BaseException:
            connection.close()
            raise
        return connection

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # IMMEDIATE: a transaction that begins by reading may find another writer when it comes to write.
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _log_ahead(connection: sqlite3.Connection, wait_seconds: float) -> None:
    """Turn to write-ahead logging: readers and a writer do not wait for each other; the file keeps this mode.

    SQLite does not wait for its lock when several turn a new file at once, so it is asked again.
    """
    end = time.monotonic() + wait_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = wal")
            return
        except sqlite3.OperationalError as error:
            if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _postgres_writer(address: Address, wait_seconds: float) -> sa.Engine:
    engine = sa.create_engine(
        address.url,
        isolation_level="READ COMMITTED",
        connect_args=_patience(address),
        poolclass=sa.NullPool,
    )

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(wait_seconds * 1000)}")

    return engine


def _patience(address: Address) -> dict[str, int]:
    return {name: value for name, value in _PATIENCE.items() if name not in address.url.query}


def was_cut(error: Exception) -> bool:
    """Tell whether the server ended an open connection, rather than that a new one or a statement failed."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError):
        return False
    if cause.pgconn is not None or isinstance(cause, psycopg.errors.ConnectionTimeout):
        return False  # while connecting
    # 57P..: shut down, crashed, or the database dropped.
    return cause.sqlstate is None or cause.sqlstate.startswith("57P")
