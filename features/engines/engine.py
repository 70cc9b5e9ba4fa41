"""The interface of a database engine that runs the SQL of the features.

An engine registers an Arrow table under a name, stores the result of a query under a name, and returns the
result of a query as an Arrow table. The SQL is written once, in the dialect that all engines share; where one
lacks a function, its class adds it (``unix_date`` on DuckDB). Engines do not see each other's tables.
"""

from __future__ import annotations

from typing import Protocol, Self

import pyarrow as pa


class Engine(Protocol):
    """A database that runs the SQL of the features."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, without copying it."""

    def create(self, name: str, sql: str) -> None:
        """Run a query once and keep its result under a name, replacing what had that name."""

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""

    def close(self) -> None:
        """Drop every table; the engine cannot be used afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class EngineError(RuntimeError):
    """A query failed; the message quotes the engine's error and the SQL with numbered lines.

    Not a StayworthError: the caller cannot mend it.
    """

    def __init__(self, sql: str, cause: Exception) -> None:
        numbered = "\n".join(f"{number:4d} | {line}" for number, line in enumerate(sql.splitlines(), start=1))
        super().__init__(f"{cause}\n\nThe query was:\n{numbered}")
        self.sql = sql
