"""DuckDB for live requests: prepared statements, run on the rows of one request after another.

Parsing, binding and planning the features takes some milliseconds, running them on a few orders less than one.
So connections are pooled with their statements prepared, and a request only exchanges the table that they
read. A request has a connection to itself until it is answered; then the rows are removed and the connection
returns to the pool. The results are those of `DuckDBEngine`, to the bit.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa

from features.closing import Closing
from features.engines.duckdb import fetched, parsed, small_database
from features.engines.engine import EngineError

_STATEMENTS = 8  # prepared at a time on a connection, such as one per snapshot date
_CONNECTIONS = 8  # kept idle in the pool
_USES = 2_000
"""Requests after which a database is closed: it leaks some 200 bytes per Arrow table that it has read."""

Shape = tuple[tuple[str, str, str], ...]


class _Rows:
    """The table that prepared statements read: an Arrow stream whose rows can be exchanged."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)


class _Connection:
    """A database for tables of one schema, with its views and prepared statements."""

    def __init__(self, name: str, table: pa.Table) -> None:
        self.nothing = table.schema.empty_table()
        self.rows = _Rows(table)
        self.duckdb = small_database()
        self.uses = 0
        self.duckdb.register(name, self.rows)
        self._views: dict[str, str] = {}
        self._statements: dict[str, str] = {}

    def keep(self, name: str, sql: str) -> None:
        """Define a view, unless it is defined already."""
        if self._views.get(name) != sql:
            self.duckdb.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS\n{sql}")
            self._views[name] = sql
            self._statements.clear()  # they were planned on the former view

    def run(self, sql: str) -> pa.Table:
        """Run a query, prepared now if it was not before."""
        if sql not in self._statements:
            name = f"statement_{len(self._statements)}"
            if len(self._statements) == _STATEMENTS:
                name = self._statements.pop(next(iter(self._statements)))
            self.duckdb.execute(f"PREPARE {name} AS\n{sql}")  # replaces the statement of that name
            self._statements[sql] = name
        return fetched(self.duckdb, parsed(f"EXECUTE {self._statements[sql]}"))


_idle: deque[tuple[Shape, _Connection]] = deque()
_idle_lock = Lock()


def _take(shape: Shape) -> _Connection | None:
    """Take an idle connection for tables of this schema out of the pool."""
    with _idle_lock:
        for entry in _idle:
            if entry[0] == shape:
                _idle.remove(entry)
                return entry[1]
    return None


def _give_back(shape: Shape, connection: _Connection) -> None:
    connection.rows.table = connection.nothing
    connection.uses += 1
    retired: _Connection | None = connection
    with _idle_lock:
        if connection.uses < _USES:
            _idle.append((shape, connection))
            retired = _idle.popleft()[1] if len(_idle) > _CONNECTIONS else None
    if retired is not None:
        retired.duckdb.close()


class PreparedEngine(Closing):
    """An engine for one small table and queries that were most likely run before, on other rows.

    Register the table first. ``create`` defines a view, whose query runs with the one that reads it.

    Examples
    --------
    >>> def total(customers, cents):
    ...     with PreparedEngine() as engine:
    ...         engine.register("orders", pa.table({"customer_id": customers, "cents": cents}))
    ...         engine.create("totals", "SELECT customer_id, sum(cents) AS cents FROM orders GROUP BY customer_id")
    ...         return engine.query("SELECT customer_id FROM totals WHERE cents > 100").to_pydict()
    >>> total(["a", "a", "b"], [100, 250, 70]), total(["c"], [101])
    ({'customer_id': ['a']}, {'customer_id': ['c']})
    """

    def __init__(self) -> None:
        self._shape: Shape = ()
        self._connection: _Connection | None = None

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, without copying it."""
        if self._connection is not None:
            raise ValueError(f"A prepared engine reads one table; {name!r} would be another.")
        self._shape = tuple((name, field.name, str(field.type)) for field in table.schema)
        self._connection = _take(self._shape) or _Connection(name, table)
        self._connection.rows.table = table

    def create(self, name: str, sql: str) -> None:
        """Define a view under a name, replacing what had that name."""
        try:
            self._open.keep(name, sql)
        except duckdb.Error as error:
            raise self._failed(sql, error) from error

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""
        try:
            return self._open.run(sql)
        except duckdb.Error as error:
            raise self._failed(sql, error) from error

    @property
    def _open(self) -> _Connection:
        if self._connection is None:
            raise ValueError("A prepared engine reads the table that is registered first.")
        return self._connection

    def _failed(self, sql: str, error: duckdb.Error) -> EngineError:
        """Close the connection, whose state is not known, and return the error."""
        self._open.duckdb.close()
        self._connection = None
        return EngineError(sql, error)

    def close(self) -> None:
        """Remove the rows and return the connection to the pool; the engine cannot be used afterwards."""
        connection, self._connection = self._connection, None
        if connection is not None:
            _give_back(self._shape, connection)
