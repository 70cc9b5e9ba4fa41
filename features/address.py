"""The address of a database: its kind, its parts, its SQLite file, and its text without the password."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.engine import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from features.errors import StayworthError
from features.language import translatable, translated

ESCAPES = translatable("in a user name or password write @ as %40, / as %2F, : as %3A, % as %25")
"""What to do about an address that cannot be read."""

_DRIVERS = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_PACKAGES = {
    "mysql": "pymysql",
    "mariadb": "pymysql",
    "mssql": "pyodbc",
    "snowflake": "snowflake-sqlalchemy",
    "bigquery": "sqlalchemy-bigquery",
}
"""What to install for a database, besides what is always there."""


@dataclass(frozen=True)
class DatabaseAddress:
    """The URI of a database, as SQLAlchemy reads it; printed without its password.

    Parameters
    ----------
    text : str
        ``sqlite:///file.db`` (three slashes: relative to the working directory; four: absolute),
        ``postgresql://user:password@host:5432/database``, or another database's or a server's URI.

    Examples
    --------
    >>> str(DatabaseAddress("postgresql://crm:s3cret@db/scores"))
    'postgresql://crm:***@db/scores'
    """

    text: str

    def __str__(self) -> str:
        return self.redact(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    @property
    def kind(self) -> str:
        """The database: ``sqlite``, ``postgresql``, or the URI's scheme without a driver."""
        scheme = self.text.partition(":")[0].partition("+")[0].lower()
        return "postgresql" if scheme == "postgres" else scheme

    @cached_property
    def parts(self) -> URL | None:
        """User, host, database and parameters; None where the URI cannot be read."""
        try:
            parts = make_url(self.text)
        except (ArgumentError, ValueError):
            return None
        return None if "@" in (parts.host or "") else parts  # an @ in the password was not written as %40

    @cached_property
    def sqlite_file(self) -> Path | None:
        """SQLite's file, absolute; None for another database, or where no file is named."""
        named = self.parts.database if self.kind == "sqlite" and self.parts else None
        return None if named in (None, "", ":memory:") else Path(str(named)).absolute()

    def redact(self, message: str) -> str:
        """Return the message with this URI's passwords masked, as written and as decoded."""
        for secret in sorted(self._passwords(), key=len, reverse=True):
            message = message.replace(secret, "***")
        return message

    def _passwords(self) -> set[str]:
        split = urlsplit(self.text)
        written = [split.password, *re.findall(r"password=([^&]+)", split.query)]
        if self.parts is not None:
            written.append(self.parts.password)
        return {form for text in written if text for form in (text, unquote(text))}


def with_driver(url: URL) -> URL:
    """Return a URL with the driver that is installed for its database.

    Examples
    --------
    >>> with_driver(make_url("postgres://db/scores")).drivername
    'postgresql+psycopg'
    """
    if "+" in url.drivername:
        return url
    return url.set(drivername=_DRIVERS.get(url.get_backend_name(), url.drivername))


def open_engine(url: URL, **options: Any) -> Engine:
    """Return SQLAlchemy's engine of a database, whatever has a dialect and a driver that are installed.

    Raises
    ------
    StayworthError
        If one of them is not installed; says what to install.
    """
    try:
        return create_engine(with_driver(url), poolclass=NullPool, **options)
    except (NoSuchModuleError, ModuleNotFoundError):
        kind = url.get_backend_name()
        package = _PACKAGES.get(kind)
        remedy = (
            f"pip install {package}"
            if package
            else translated("install SQLAlchemy's dialect of it, if there is one")
        )
        raise StayworthError(
            translated(
                "The driver of {kind}:// addresses is not installed: {remedy}.", kind=kind, remedy=remedy
            )
        ) from None
