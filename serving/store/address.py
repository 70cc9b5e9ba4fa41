"""The address of a store, and the errors of its database as messages without the password."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from features.address import ESCAPES, DatabaseAddress, with_driver
from features.errors import NothingPublished, StoreBusy, StoreError
from features.language import translated

DRIVER_ERRORS = (SQLAlchemyError, sqlite3.Error, psycopg.Error)
"""What a database may raise, through SQLAlchemy or from its driver."""

_FORM = "sqlite:///stayworth.db or postgresql://user:password@host:5432/database"


@dataclass(frozen=True, repr=False)
class Address(DatabaseAddress):
    """The URI of a store.

    Parameters
    ----------
    text : str
        ``sqlite:///file.db`` (three slashes: relative to the working directory; four: absolute) or
        ``postgresql://user:password@host:5432/database``.

    Raises
    ------
    StoreError
        If it is none of these. The URI is not repeated: it may hold a password.

    Examples
    --------
    >>> str(Address("postgresql://crm:s3cret@db/scores"))
    'postgresql://crm:***@db/scores'
    """

    def __post_init__(self) -> None:
        if self.kind not in ("postgresql", "sqlite"):
            raise StoreError(
                translated("The store's URI names no database that is known here. Write {form}.", form=_FORM)
            )
        if self.parts is None or self.parts.database in (None, "", ":memory:"):
            raise StoreError(
                translated(
                    "The store's URI cannot be read. Write it as {form}; {escapes}.",
                    form=_FORM,
                    escapes=translated(ESCAPES),
                )
            )

    @cached_property
    def url(self) -> URL:
        """The URI for SQLAlchemy: with the driver, and SQLite's file as an absolute path."""
        if self.file:
            return URL.create("sqlite", database=str(self.file))
        return with_driver(make_url(self.text))

    @property
    def file(self) -> Path | None:
        """SQLite's file, absolute; None for PostgreSQL."""
        return self.sqlite_file

    def file_identity(self) -> tuple[int, int] | None:
        """Tell one SQLite file from another that took its place; None for PostgreSQL.

        Raises
        ------
        NothingPublished
            If the file is not there.
        """
        if self.file is None:
            return None
        try:
            found = os.stat(self.file)
        except FileNotFoundError:
            raise self.empty() from None
        except OSError as error:
            raise StoreError(
                translated("The store {store} cannot be read: {reason}.", store=self, reason=error.strerror)
            ) from None
        return found.st_dev, found.st_ino

    def empty(self) -> NothingPublished:
        """Return the error that says that there are no scores yet."""
        return NothingPublished(
            translated(
                "Nothing is published in {store} yet. Publish first: stayworth score --transactions … "
                "--publish",
                store=self,
            )
        )

    def fault(self, error: Exception) -> StoreError:
        """Return the error that tells the caller, in a sentence, what the database or its driver said."""
        cause = (error.orig or error) if isinstance(error, DBAPIError) else error
        match getattr(cause, "sqlite_errorname", None) or getattr(cause, "sqlstate", None):
            case "SQLITE_FULL" | "53100":
                return StoreError(
                    translated(
                        "The disk of the store {store} is full. What was published before is intact. Free some "
                        "space and try again.",
                        store=self,
                    )
                )
            case "SQLITE_BUSY" | "SQLITE_BUSY_SNAPSHOT" | "SQLITE_BUSY_RECOVERY" | "55P03":
                return StoreBusy(
                    translated(
                        "The store {store} is being written to by another process. Try again when it has ended.",
                        store=self,
                    )
                )
        if isinstance(cause, psycopg.OperationalError) and _is_away(cause):
            return StoreError(
                translated(
                    "The store {store} cannot be reached: {why} {remedy}",
                    store=self,
                    why=self._words(cause),
                    remedy=self._remedy(),
                )
            )
        return StoreError(
            translated(
                "The store {store} cannot be used: {why} {remedy}",
                store=self,
                why=self._words(cause),
                remedy=self._remedy(),
            )
        )

    def _words(self, cause: BaseException) -> str:
        """Return the driver's words without the password, and without the values that may follow in a DETAIL."""
        diagnosed = cause.diag.message_primary if isinstance(cause, psycopg.Error) else None
        # SQLAlchemy's own texts end in the statement and its parameters.
        text = diagnosed or str(cause).partition("\n[SQL")[0]
        text = re.sub(r"\s+Is the server running .*\?", "", text)  # the remedy asks that too
        return self.redact(" ".join(text.split())).rstrip(".") + "."

    def _remedy(self) -> str:
        if self.file is None:
            return translated(
                "Check that the server runs, and the host, port, user, password and database of the URI."
            )
        if not self.file.parent.is_dir():
            return translated(
                "The folder {parent} does not exist: create it, or name another file.",
                parent=self.file.parent,
            )
        return translated(
            "Check that {file} is a store, that its disk has room, and that you may write in its folder.",
            file=self.file,
        )


def _is_away(error: psycopg.OperationalError) -> bool:
    """Tell whether there is no connection to the server: it does not answer, is starting, or is being shut down."""
    return error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
