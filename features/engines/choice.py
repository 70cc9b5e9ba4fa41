"""The choice of the engine that runs the features of a log, by its size and its purpose."""

from __future__ import annotations

from features.engines.duckdb import DuckDBEngine
from features.engines.engine import Engine
from features.engines.prepared import PreparedEngine

SMALL_LOG_ROWS = 10_000
"""Rows up to which planning a query takes longer than an optimised plan saves."""


def engine_for(rows: int, *, threads: int | None = None, live: bool = False) -> Engine:
    """Return the engine for a log of so many rows; all give the same results to the bit.

    Parameters
    ----------
    rows : int, rows of the log
    threads : int, optional
        Of a query; by default as many as the machine allows. A small log is read by one.
    live : bool
        Whether the log is that of a live request: several are answered at a time, by one thread each, and the
        queries are the same from request to request.

    Examples
    --------
    >>> type(engine_for(20, live=True)).__name__, type(engine_for(1_000_000)).__name__
    ('PreparedEngine', 'DuckDBEngine')
    """
    small = rows <= SMALL_LOG_ROWS
    if live:
        return PreparedEngine() if small else DuckDBEngine(threads=1)
    return DuckDBEngine(threads=threads, small=small)
