"""Where a database's rows are, by URI: a table or a query, and what is said where it cannot be read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from features.address import ESCAPES, DatabaseAddress
from features.errors import LogError
from features.language import translated

_FORM = "postgresql://user:password@host:5432/database?table=orders or sqlite:///orders.db?table=orders"
_NO_DATABASES = ("http", "https", "s3", "gs", "abfs", "ftp", "hdfs", "file")
GUARDED = ("postgresql", "sqlite", "mysql", "mariadb")  # whose transactions cannot write
_SELECT = re.compile(r"\s*\(?\s*(select|with)\b", re.IGNORECASE)
_REFUSED = re.compile("not authorized|authorization denied|one statement at a time")


@dataclass(frozen=True)
class TableAddress:
    """Where the rows are: a database, and in it a table or a query."""

    given: DatabaseAddress
    url: URL
    table: str | None
    query: str | None

    @property
    def database(self) -> str:
        """The database's URI without password and parameters."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def name(self) -> str:
        """What a message calls it."""
        return f"table {self.table} of {self.database}" if self.table else f"the query to {self.database}"

    def fault(self, error: SQLAlchemyError) -> str:
        """Return the driver's words, in one line and without the password."""
        words = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
        if self.given.kind == "sqlite" and _REFUSED.search(words):
            return "it is not one SELECT that only reads its tables."
        return self.given.redact(words).rstrip(".") + "."


def table_address(uri: str) -> TableAddress:
    """Take a URI apart; what is wrong with it is said without repeating it."""
    asked = re.search(r"[?&]query=", uri)
    given = DatabaseAddress(uri[: asked.start()] if asked else uri)
    if given.kind in _NO_DATABASES:
        raise LogError(
            translated(
                "Logs are not read from {kind}:// addresses. Export the table as .parquet or .csv, or "
                "write {form}.",
                kind=given.kind,
                form=_FORM,
            )
        )
    url = given.parts
    try:
        query = unquote(uri[asked.end() :], errors="strict") if asked else None
    except ValueError:
        url = None
    if url is None or not url.database:
        raise LogError(
            translated(
                "The database URI cannot be read. Write it as {form}; {escapes}; in a query % as %25.",
                form=_FORM,
                escapes=translated(ESCAPES),
            )
        )
    table = url.query.get("table")
    if isinstance(table, tuple) or (table and query):
        raise LogError(translated("The database URI names more than one table or query. Give one."))
    if query and given.kind not in GUARDED and not _SELECT.match(query):
        raise LogError(translated("A query to {kind}:// begins with SELECT or WITH.", kind=given.kind))
    return TableAddress(given, url.difference_update_query(["table"]), table, query)
