"""A scored list in a table of a database: made, or its rows replaced, in one transaction.

Readers see the list before until the new one is whole. The table keeps its rights, views and indexes, as its rows are
replaced and not the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from features.address import ESCAPES, DatabaseAddress, open_engine
from features.arrow_tables import as_arrow, flat, is_text
from features.errors import OutputError
from features.language import translated

SLICE_ROWS = 20_000
_FORM = "postgresql://user:password@host:5432/database?table=scores"


class ListTable:
    """A table that a list is written to.

    Parameters
    ----------
    uri : str
        A database that SQLAlchemy has a driver for, and the table: ``postgresql://…/database?table=scores``, also
        ``schema.table``.

    Raises
    ------
    OutputError
        If the URI cannot be read or names no table.
    StayworthError
        If the driver is not installed.
    """

    def __init__(self, uri: str) -> None:
        self.address = DatabaseAddress(uri)
        parts = self.address.parts
        table = parts.query.get("table") if parts else None
        if parts is None or not parts.database or not isinstance(table, str) or not table:
            raise OutputError(
                translated(
                    "--to names no table. Write it as {form}; {escapes}.",
                    form=_FORM,
                    escapes=translated(ESCAPES),
                )
            )
        schema, _, self.name = table.rpartition(".")
        self._schema, self._url = schema or None, parts.difference_update_query(["table"])
        open_engine(self._url).dispose()

    def __str__(self) -> str:
        return f"{self.name} in {self._url.set(query={}).render_as_string(hide_password=True)}"

    def require(self) -> None:
        """Check that the database answers, before the work is done.

        Raises
        ------
        OutputError
            If it does not.
        """
        with self._connected() as engine, engine.connect():
            pass

    def write(
        self, rows: pa.Table | pd.DataFrame, progress: Callable[[str, int, int], None] | None = None
    ) -> int:
        """Replace the table's rows by a list, or make the table; return the number of rows.

        Parameters
        ----------
        rows : Arrow or pandas table
            Lists of texts are joined with ``"; "``, what is no number is empty.
        progress : callable, optional

        Raises
        ------
        OutputError
            If the database cannot be written, or the table has other columns; what it held is intact then.
        """
        report = progress or (lambda step, done, total: None)
        listed, done = as_arrow(rows), 0
        table = sa.Table(
            *(self.name, sa.MetaData()),
            *(sa.Column(field.name, _sql_type(field.type)) for field in flat(listed.slice(0, 0)).schema),
            schema=self._schema,
            mysql_charset="utf8mb4",
            mariadb_charset="utf8mb4",
        )
        with self._connected() as engine, engine.begin() as connection:
            table.create(connection, checkfirst=True)
            self._require_columns(connection, table)
            connection.execute(sa.delete(table))
            load = _copy if engine.dialect.name == "postgresql" else _insert
            for loaded in load(connection, table, listed):
                done += loaded
                report(translated("Writing"), done, listed.num_rows)
        return int(listed.num_rows)

    def _require_columns(self, connection: sa.Connection, table: sa.Table) -> None:
        there = {each["name"] for each in sa.inspect(connection).get_columns(self.name, schema=self._schema)}
        ours = set(table.columns.keys())
        if there != ours:
            raise OutputError(
                translated(
                    "The table {table} is another one: it lacks {missing}, and has {others} besides. Name a new "
                    "one, or drop it.",
                    table=str(self),
                    missing=sorted(ours - there),
                    others=sorted(there - ours),
                )
            )

    def _connected(self) -> _Engine:
        return _Engine(self)

    def fault(self, error: BaseException) -> OutputError:
        """Return the error that says what the database said, without the password."""
        words = str(error.orig if isinstance(error, DBAPIError) else error).partition("\n[SQL")[0]
        said = self.address.redact(" ".join(words.split())).rstrip(".")
        return OutputError(
            translated(
                "The table {table} cannot be written: {reason}. What it held is intact.",
                table=str(self),
                reason=said,
            )
        )


class _Engine:
    """The engine of a list's table for a while; its errors are worded for the caller."""

    def __init__(self, table: ListTable) -> None:
        self._table = table
        self._engine = open_engine(table._url)

    def __enter__(self) -> sa.Engine:
        return self._engine

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._engine.dispose()
        driver = self._engine.dialect.loaded_dbapi
        if isinstance(error, SQLAlchemyError) or (driver and isinstance(error, driver.Error)):
            raise self._table.fault(error) from None


def _sql_type(kind: pa.DataType) -> sa.types.TypeEngine[Any]:
    if pa.types.is_boolean(kind):
        return sa.Boolean()
    if pa.types.is_integer(kind):
        return sa.BigInteger()
    if pa.types.is_floating(kind):
        return sa.Double()
    if pa.types.is_date(kind):
        return sa.Date()
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    return sa.Text()


def _insert(connection: sa.Connection, table: sa.Table, listed: pa.Table) -> Iterator[int]:
    """Insert the rows in slices."""
    for start in range(0, listed.num_rows, SLICE_ROWS):
        rows = _plain(flat(listed.slice(start, SLICE_ROWS))).to_pylist()
        connection.execute(sa.insert(table), rows)
        yield len(rows)


def _copy(connection: sa.Connection, table: sa.Table, listed: pa.Table) -> Iterator[int]:
    """Load the rows into PostgreSQL by COPY, as CSV by Arrow, whose digits of floats read back exactly."""
    preparer = connection.dialect.identifier_preparer
    names = ", ".join(preparer.quote(column.name) for column in table.columns)
    driver: Any = connection.connection.driver_connection
    statement = f"COPY {preparer.format_table(table)} ({names}) FROM STDIN (FORMAT csv)"
    with driver.cursor().copy(statement) as copy:
        for start in range(0, listed.num_rows, SLICE_ROWS):
            part, lines = _plain(flat(listed.slice(start, SLICE_ROWS))), pa.BufferOutputStream()
            pa.csv.write_csv(part, lines, pa.csv.WriteOptions(include_header=False))
            copy.write(memoryview(lines.getvalue()))
            yield part.num_rows


def _plain(listed: pa.Table) -> pa.Table:
    """Return the rows with what is no number, or infinite, as null, and no zero byte in texts."""
    for place, field in enumerate(listed.schema):
        column = listed.column(place)
        if pa.types.is_floating(field.type):
            column = pc.if_else(pc.is_finite(column), column, None)
        elif is_text(field.type):
            column = pc.replace_substring(column, "\0", "")
        listed = listed.set_column(place, field.name, column)
    return listed
