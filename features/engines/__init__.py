"""Engines: what runs the one SQL text of the features.

An engine is a few short methods: take an Arrow table under a name, keep the result of a query under a
name, answer a query as an Arrow table. The SQL itself is written once, in ordinary words that every
engine understands; where one lacks a function, the engine adds it (``unix_date`` on DuckDB). All that
an engine was given or keeps is its own: two engines never see each other's tables.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

import pyarrow as pa


class Engine(Protocol):
    """What the features ask of a database."""

    def register(self, name: str, table: pa.Table) -> None:
        """Make an Arrow table readable under a name, without copying it."""

    def create(self, name: str, sql: str) -> None:
        """Run a query once and keep its result under a name, replacing what had that name."""

    def query(self, sql: str) -> pa.Table:
        """Run a query and return its result."""

    def close(self) -> None:
        """Forget every table; the engine cannot be used afterwards."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...


class EngineError(RuntimeError):
    """A query failed; the message holds the engine's words and the numbered lines of the SQL.

    Not a StayworthError: it is no mistake of the caller.
    """

    def __init__(self, sql: str, cause: Exception) -> None:
        numbered = "\n".join(f"{number:4d} | {line}" for number, line in enumerate(sql.splitlines(), start=1))
        super().__init__(f"{cause}\n\nThe query was:\n{numbered}")
        self.sql = sql
