"""Bulk load of rows into a table of the store, through the driver of the database, in the transaction that is open.

Rows come as Arrow tables in the order of the table's key, so that its index is only appended to, and in slices, so
that a million need little memory. After it PostgreSQL counts what the tables hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.csv
import sqlalchemy as sa

SLICE_ROWS = 20_000


def load(
    connection: sa.Connection,
    table: sa.Table,
    slices: Iterable[pa.Table],
    loaded: Callable[[int], None] = lambda done: None,
) -> None:
    """Insert rows.

    Parameters
    ----------
    connection : Connection
    table : Table of the store
    slices : iterable of pyarrow.Table, all of the same columns, which are named as those of the table
    loaded : callable
        Told the number of rows after each slice.
    """
    add = _copy if connection.dialect.name == "postgresql" else _insert
    add(connection.connection.driver_connection, table.name, slices, loaded)


def renew_statistics(connection: sa.Connection, *tables: sa.Table) -> None:
    """Have PostgreSQL look at what tables hold now, in the transaction that is open, for its plans.

    By itself it does so a minute later, and until then plans to look for a new set's customers among those of the old
    one. SQLite reads these tables by their keys and needs no statistics.
    """
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(sa.text(f"ANALYZE {table.name}"))


def sliced(table: pa.Table) -> Iterable[pa.Table]:
    """Yield a table in slices."""
    for start in range(0, table.num_rows, SLICE_ROWS):
        yield table.slice(start, SLICE_ROWS)


def _insert(driver: Any, table: str, slices: Iterable[pa.Table], loaded: Callable[[int], None]) -> None:
    """Insert rows into SQLite."""
    done = 0
    for rows in slices:
        columns = [
            (column.cast(pa.string()) if pa.types.is_date(column.type) else column).to_pylist()
            for column in rows.columns
        ]
        places = ", ".join("?" * len(columns))
        statement = f"INSERT INTO {table} ({', '.join(rows.column_names)}) VALUES ({places})"
        driver.executemany(statement, zip(*columns, strict=True))
        loaded(done := done + rows.num_rows)


def _copy(driver: Any, table: str, slices: Iterable[pa.Table], loaded: Callable[[int], None]) -> None:
    """Load rows into PostgreSQL by COPY, from CSV by Arrow, whose digits of floats read back exactly."""
    slices, done = iter(slices), 0
    first = next(slices, None)
    if first is None:
        return
    names = ", ".join(first.column_names)
    with driver.cursor().copy(f"COPY {table} ({names}) FROM STDIN (FORMAT csv)") as copy:
        rows: pa.Table | None = first
        while rows is not None:
            lines = pa.BufferOutputStream()
            pa.csv.write_csv(rows, lines, pa.csv.WriteOptions(include_header=False))
            copy.write(memoryview(lines.getvalue()))
            loaded(done := done + rows.num_rows)
            rows = next(slices, None)
