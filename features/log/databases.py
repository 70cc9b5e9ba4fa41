"""The rows of a database's table or query, by URI: PostgreSQL, SQLite, and what else SQLAlchemy has a driver for.

- ``postgresql://user:password@host:5432/database?table=orders``; also a view, or ``schema.table``;
- ``postgresql://…/database?query=SELECT …``: the query comes last; write its percent signs as ``%25``;
- ``sqlite:///orders.db?table=orders`` from here, ``sqlite:////data/orders.db`` from the root;
- ``mysql://…``, ``mariadb://…``, ``mssql+pyodbc://…``, ``snowflake://…``, ``bigquery://…`` likewise, once their
  drivers are installed.

Rows are fetched in chunks through a cursor on the server, in a transaction that cannot write (PostgreSQL, MySQL,
MariaDB) or is never committed; SQLite, whose statements can write other files, is held to what one SELECT may do.
A query runs in the database, which so sends the chosen columns and days alone. PostgreSQL's values arrive
as the text the server writes, so that a NUMERIC keeps all its digits and an infinite date reaches validation
as a row to quarantine; columns of dates then get their type. Times with a time zone come in UTC. Values of the others
become text as Python writes them: decimals with their digits, dates and times as ISO.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.sql.elements import quoted_name

from features.address import open_engine
from features.errors import LogError, StayworthError
from features.language import translated
from features.log.streams import Stream, require_distinct
from features.log.table_address import GUARDED, TableAddress, table_address
from features.suggestion import did_you_mean

_CONNECT_SECONDS = 10
_READING = (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE)
_SYSTEM_SCHEMAS = re.compile(r"(?i:information_schema|performance_schema|sys|mysql)|pg_.*")
_LISTED_TABLES = 10
# PostgreSQL's type numbers (pg_type.oid) of date, timestamp, timestamptz: they are fixed.
_DATE_TYPES: dict[object, pa.DataType] = {
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", tz="UTC"),
}


@contextmanager
def open_database(uri: str, chunk_rows: int) -> Iterator[Stream]:
    """Open a table or query for reading.

    Parameters
    ----------
    uri : str, of one of the forms above
    chunk_rows : int, rows of a batch

    Yields
    ------
    Stream
        All columns are text; ``dates`` says which are dates at the source.

    Raises
    ------
    LogError
        If the URI cannot be read, the database not be reached, the table is not there (the message lists
        those that are) or the query fails. Passwords are never shown.
    """
    address = table_address(uri)
    engine = _engine(address.url)
    try:
        with _connection(engine, address) as connection:
            result = _rows(connection, address, chunk_rows)
            with closing(result):
                names = list(result.keys())
                require_distinct(names, address.name)
                schema = pa.schema([(name, pa.string()) for name in names])
                known = _DATE_TYPES if engine.dialect.name == "postgresql" else {}
                codes = [column[1] for column in result.cursor.description]
                dates = {name: known[code] for name, code in zip(names, codes, strict=True) if code in known}
                batches = _batches(result, schema)
                yield Stream(address.name, names, schema, batches, dates=dates)
    except SQLAlchemyError as error:
        raise LogError(
            translated("Cannot read {name}: {value}", name=address.name, value=address.fault(error))
        ) from None
    finally:
        engine.dispose()


def _engine(url: URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        path = Path(url.database or "")
        if not path.is_file():
            there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            raise LogError(
                translated(
                    "There is no SQLite file {path}.{near}", path=path, near=did_you_mean(path.name, there)
                )
            )
        # SQLite makes a file that is not there, unless told to read only.
        read_only = f"{path.absolute().as_uri()}?mode=ro"
        return sa.create_engine(
            "sqlite://", creator=lambda: sqlite3.connect(read_only, uri=True), poolclass=sa.NullPool
        )
    takes = url.get_backend_name() in GUARDED and "connect_timeout" not in url.query
    try:
        return open_engine(url, connect_args={"connect_timeout": _CONNECT_SECONDS} if takes else {})
    except StayworthError as error:
        raise LogError(str(error)) from None


@contextmanager
def _connection(engine: sa.Engine, address: TableAddress) -> Iterator[sa.Connection]:
    try:
        connection = engine.connect()
    except SQLAlchemyError as error:
        raise LogError(
            translated(
                "Cannot connect to {database}: {value} Check that the server runs, and the host, port, "
                "user, password and database of the URI.",
                database=address.database,
                value=address.fault(error),
            )
        ) from None
    with connection:
        if engine.dialect.name == "postgresql":
            connection.execution_options(postgresql_readonly=True)
        elif engine.dialect.name in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.exec_driver_sql("SET SESSION time_zone = '+00:00'")
            connection.rollback()  # the next transaction is the first that cannot write
        yield connection


def _as_text(connection: sa.Connection) -> None:
    """Have PostgreSQL's values arrive as it writes them, dates in ISO form, times in UTC."""
    if connection.dialect.name != "postgresql":
        return
    from psycopg.types.string import TextLoader

    connection.exec_driver_sql("SET DateStyle TO ISO")
    connection.exec_driver_sql("SET TIME ZONE 'UTC'")
    adapters = connection.connection.driver_connection.adapters  # type: ignore[union-attr]
    for kind in adapters.types:
        adapters.register_loader(kind.oid, TextLoader)


def _only_read(connection: sa.Connection) -> None:
    """Hold SQLite to reading its file: no ATTACH, no VACUUM INTO, no extension, which write or read others."""
    if connection.dialect.name != "sqlite":
        return

    def judge(action: int, _: object, function: str | None, *__: object) -> int:
        harmless = action == sqlite3.SQLITE_FUNCTION and function != "load_extension"
        return sqlite3.SQLITE_OK if action in _READING or harmless else sqlite3.SQLITE_DENY

    connection.connection.driver_connection.set_authorizer(judge)  # type: ignore[union-attr]


def _rows(connection: sa.Connection, address: TableAddress, chunk_rows: int) -> sa.CursorResult[Any]:
    """Start to fetch."""
    streamed = {"yield_per": chunk_rows}  # through a cursor on the server
    if address.query is not None:
        _as_text(connection)
        _only_read(connection)
        # Without parameters the driver leaves percent signs alone.
        result = connection.exec_driver_sql(
            address.query, execution_options={**streamed, "no_parameters": True}
        )
        if not result.returns_rows:
            raise LogError(translated("Cannot read {name}: it is not a SELECT.", name=address.name))
        return result
    table = _table(sa.inspect(connection), address)
    names = list(connection.execute(sa.select(sa.text("*")).select_from(table).limit(0)).keys())
    _as_text(connection)
    require_distinct(names, address.name)
    columns: list[sa.ColumnElement[Any]] = [sa.column(quoted_name(name, quote=True)) for name in names]
    return connection.execute(sa.select(*columns).select_from(table), execution_options=streamed)


def _table(inspector: sa.Inspector, address: TableAddress) -> sa.TableClause:
    """Return the table, found by its name as it stands, or as schema.table."""
    name = address.table or ""
    schema, dot, inner = name.partition(".")
    if name and inspector.has_table(name):
        return sa.table(quoted_name(name, quote=True))
    if dot and inspector.has_table(inner, schema=schema):
        return sa.table(quoted_name(inner, quote=True), schema=quoted_name(schema, quote=True))
    there = _table_names(inspector)
    listed = ", ".join(there[:_LISTED_TABLES]) + (", …" if len(there) > _LISTED_TABLES else "")
    tables = f"Its tables: {listed}." if there else "It has no tables that this user can see."
    if not name:
        raise LogError(
            translated(
                "Say which table of {database} to read: add ?table=NAME. {tables}",
                database=address.database,
                tables=tables,
            )
        )
    raise LogError(
        translated(
            "There is no table {name} in {database}.{near} {tables}",
            name=name,
            database=address.database,
            near=did_you_mean(name, there),
            tables=tables,
        )
    )


def _table_names(inspector: sa.Inspector) -> list[str]:
    """Return the names of tables and views, those outside the default schema as schema.table."""
    names = []
    for schema in inspector.get_schema_names():
        if not _SYSTEM_SCHEMAS.fullmatch(schema):
            prefix = "" if schema in (inspector.default_schema_name, "main") else f"{schema}."
            found = inspector.get_table_names(schema) + inspector.get_view_names(schema)
            names += [prefix + name for name in found]
    return sorted(names)


def _batches(result: sa.CursorResult[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for rows in result.partitions():
        cells = list(zip(*rows, strict=True))
        yield pa.record_batch([_texts(column) for column in cells], schema=schema)


def _texts(cells: Sequence[object]) -> pa.Array:
    """Return cells as text; SQLite's may be of any type, each of its own."""
    try:
        return pa.array(cells, pa.string())
    except (pa.ArrowTypeError, pa.ArrowInvalid):
        return pa.array([None if cell is None else str(cell) for cell in cells], pa.string())
