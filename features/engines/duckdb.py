"""DuckDB, embedded: the default engine, and the only door to it.

Opening a database takes about 15 ms, a connection to an open one 5 µs. So databases with the same
settings are opened once a process, and every engine is a connection of its own: temporary tables and
registered Arrow tables belong to a connection, hence to one engine.

A live request brings a handful of orders; then the queries run in half a millisecond, and all the time
goes into parsing, binding and optimizing them. An engine told that its tables are ``small`` keeps
parsed statements and runs them as they are written. The results are the same to the bit.
"""

from __future__ import annotations

import tempfile
import warnings
from functools import cache, lru_cache
from threading import Lock
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from features.engines import EngineError
from features.errors import StayworthError

UNIX_DATE = "CREATE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER)"

_WARNING_FILTERS = Lock()  # warnings are filtered for the whole process


@cache
def _spill_folder() -> tempfile.TemporaryDirectory[str]:
    """Make the folder for what outgrows memory: customers' data, so no other user may look; gone at exit."""
    return tempfile.TemporaryDirectory(prefix="stayworth-", ignore_cleanup_errors=True)


@cache
def _database(threads: int | None, memory_limit: str | None, small: bool) -> duckdb.DuckDBPyConnection:
    """Return the in-memory database of these settings, opened once."""
    return _opened(threads, memory_limit, small)


def _opened(threads: int | None, memory_limit: str | None, small: bool) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,  # our SQL reads no file and no address
        "python_enable_replacements": False,  # nor a Python variable that has a table's name
        # A query that needs an order says so; yet a result that is copied, as small ones are, would lose it.
        "preserve_insertion_order": small,
        "temp_directory": _spill_folder().name,
    }
    if threads is not None:
        config["threads"] = threads
    if memory_limit is not None:
        config["memory_limit"] = memory_limit
    try:
        database = duckdb.connect(":memory:", config=config)
    except duckdb.Error as error:
        raise StayworthError(
            f"DuckDB refuses threads={threads!r}, memory_limit={memory_limit!r}: {error}"
        ) from error
    database.execute(UNIX_DATE)
    return database


@lru_cache(maxsize=256)
def parsed(sql: str) -> duckdb.Statement:
    """Parse a statement, which takes longer than to run it on a few rows."""
    return _database(1, None, True).cursor().extract_statements(sql)[0]


def fetched(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> pa.Table:
    """Run a parsed statement and return its result."""
    result = connection.execute(statement)
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy")
        return result.to_arrow_table()


def small_connection(memory_limit: str | None = None) -> duckdb.DuckDBPyConnection:
    """Open a connection on which statements run as they are written."""
    return _unoptimized(_database(1, memory_limit, True).cursor())


def small_database() -> duckdb.DuckDBPyConnection:
    """Open a database of its own on which statements run as they are written; closing it frees what it grew to."""
    return _unoptimized(_opened(1, None, True))


def _unoptimized(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(parsed("PRAGMA disable_optimizer"))
    return connection


class DuckDBEngine:
    """A connection to an embedded DuckDB, with tables of its own.

    Parameters
    ----------
    threads : int, optional
        How many threads a query may use; by default as many as the machine allows.
    memory_limit : str, optional
        Such as ``"4GB"``; above it intermediate results go to the system's folder for temporary files.
    small : bool
        Whether the tables are so small (up to some thousand rows) that planning costs more than running;
        one thread then does all.

    Raises
    ------
    StayworthError
        If DuckDB refuses the settings.
    EngineError
        By every method whose SQL fails, with the SQL quoted.

    Examples
    --------
    >>> with DuckDBEngine(threads=1) as engine:
    ...     engine.register("orders", pa.table({"customer_id": ["a", "a", "b"], "cents": [100, 250, 70]}))
    ...     engine.create("totals", "SELECT customer_id, sum(cents) FROM orders GROUP BY customer_id")
    ...     engine.query("SELECT count(*) AS customers FROM totals").to_pydict()
    {'customers': [2]}
    """

    def __init__(
        self, threads: int | None = None, memory_limit: str | None = None, *, small: bool = False
    ) -> None:
        self._small = small
        self._connection = (
            small_connection(memory_limit) if small else _database(threads, memory_limit, False).cursor()
        )

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, without copying it."""
        self._connection.register(name, table)

    def create(self, name: str, sql: str) -> None:
        """Run a query once and keep its result under a name, replacing what had that name."""
        statement = f"CREATE OR REPLACE TEMP TABLE {name} AS\n{sql}"
        try:
            self._connection.execute(parsed(statement) if self._small else statement)
        except duckdb.Error as error:
            raise EngineError(statement, error) from error

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""
        try:
            return self._query_small(sql) if self._small else self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise EngineError(sql, error) from error

    def _query_small(self, sql: str) -> pa.Table:
        """Run a parsed statement; `sql` would parse and bind it twice, to save a copy of the result."""
        return fetched(self._connection, parsed(sql))

    def close(self) -> None:
        """Forget every table; the engine cannot be used afterwards."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
