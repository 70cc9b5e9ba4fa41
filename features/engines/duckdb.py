"""DuckDB, embedded: the default engine.

Opening a database takes about 15 ms, a connection to an open one 5 µs. So a database with the same settings
is opened once per process, and every engine is a connection of its own: temporary tables and registered Arrow
tables belong to a connection, hence to one engine.

A few rows are queried in half a millisecond; parsing, binding and optimising the query takes longer. So an
engine for ``small`` tables caches parsed statements and turns the optimiser off. The results are the same to
the bit.
"""

from __future__ import annotations

import warnings
from functools import cache, lru_cache
from threading import Lock

import duckdb
import pyarrow as pa

from features.closing import Closing
from features.engines.engine import EngineError
from features.engines.resources import Resources, engine_bytes, exhausted, resources, spill_folder
from features.errors import StayworthError

UNIX_DATE = "CREATE MACRO unix_date(d) AS CAST(d - DATE '1970-01-01' AS INTEGER)"

_FLUSH = "allocator_bulk_deallocation_flush_threshold"
_WARNING_FILTERS = Lock()  # warnings are filtered for the whole process


@cache
def _database_of(threads: int | None, small: bool, _: Resources) -> duckdb.DuckDBPyConnection:
    return _opened(threads, small)


def _database(threads: int | None, small: bool) -> duckdb.DuckDBPyConnection:
    """Return the in-memory database of these settings, opened once."""
    return _database_of(threads, small, resources())


def _opened(threads: int | None, small: bool) -> duckdb.DuckDBPyConnection:
    """Open an in-memory database."""
    config: dict[str, str | bool | int | float | list[str]] = {
        "enable_external_access": False,  # our SQL reads no file and no address
        "python_enable_replacements": False,  # nor a Python variable that has a table's name
        # A query that needs an order says so; yet a result that is copied, as small ones are, would lose it.
        "preserve_insertion_order": small,
        "memory_limit": f"{engine_bytes()}B",
        "temp_directory": str(spill_folder()),
    }
    if threads is not None:
        config["threads"] = threads
    database = duckdb.connect(":memory:", config=config)
    database.execute(UNIX_DATE)
    return database


@lru_cache(maxsize=256)
def parsed(sql: str) -> duckdb.Statement:
    """Parse a statement, which takes longer than to run it on a few rows."""
    return _database(1, True).cursor().extract_statements(sql)[0]


def fetched(connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement) -> pa.Table:
    """Run a parsed statement and return its result."""
    result = connection.execute(statement)
    with _WARNING_FILTERS, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Arrow output on a DB-API result makes an extra copy")
        return result.to_arrow_table()


def small_database() -> duckdb.DuckDBPyConnection:
    """Open a separate database without an optimiser; closing it frees all its memory."""
    return _unoptimized(_opened(1, True))


def _unoptimized(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    connection.execute(parsed("PRAGMA disable_optimizer"))
    return connection


def _failed(sql: str, error: duckdb.Error) -> EngineError | StayworthError:
    return exhausted(error) or EngineError(sql, error)


class DuckDBEngine(Closing):
    """A connection to an embedded DuckDB, with tables of its own.

    Parameters
    ----------
    threads : int, optional
        Of a query; by default as many as the machine allows.
    small : bool
        Whether the tables have so few rows (up to some thousands) that planning takes longer than running; a
        query then has one thread.

    Raises
    ------
    EngineError
        By every method whose SQL fails, with the SQL quoted.
    StayworthError
        If memory or the disk does not suffice (`features.engines.resources`).

    Examples
    --------
    >>> with DuckDBEngine(threads=1) as engine:
    ...     engine.register("orders", pa.table({"customer_id": ["a", "a", "b"], "cents": [100, 250, 70]}))
    ...     engine.create("totals", "SELECT customer_id, sum(cents) FROM orders GROUP BY customer_id")
    ...     engine.query("SELECT count(*) AS customers FROM totals").to_pydict()
    {'customers': [2]}
    """

    def __init__(self, threads: int | None = None, *, small: bool = False) -> None:
        self._small = small
        self._database = _database(1, True) if small else _database(threads, False)
        self._connection = _unoptimized(self._database.cursor()) if small else self._database.cursor()

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, without copying it."""
        self._connection.register(name, table)

    def create(self, name: str, sql: str) -> None:
        """Run a query once and keep its result under a name, replacing what had that name."""
        statement = f"CREATE OR REPLACE TEMP TABLE {name} AS\n{sql}"
        try:
            self._connection.execute(parsed(statement) if self._small else statement)
        except duckdb.Error as error:
            raise _failed(statement, error) from error
        self._give_back()

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""
        try:
            return self._query_small(sql) if self._small else self._connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise _failed(sql, error) from error

    def _query_small(self, sql: str) -> pa.Table:
        """Run a parsed statement; DuckDB's `sql` would parse and bind it twice, to save a copy of the result."""
        return fetched(self._connection, parsed(sql))

    def close(self) -> None:
        """Drop every table; the engine cannot be used afterwards."""
        self._connection.close()
        self._give_back()

    def _give_back(self) -> None:
        """Have DuckDB give memory back to the system: it keeps what it has freed, some gigabytes of a large log."""
        if self._small:
            return
        for sql in (f"SET {_FLUSH} = '0B'", f"RESET {_FLUSH}"):
            self._database.execute(sql)
