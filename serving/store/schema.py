"""Version of the tables in a database, and their migration to the newest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from features.errors import OlderStore, StoreError
from features.language import translated
from serving.store.address import Address
from serving.store.tables import MIGRATIONS, SCHEMA_VERSION, VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config

_IS_THERE = {
    "sqlite": f"SELECT 1 FROM sqlite_master WHERE name = '{VERSION_TABLE}'",
    "postgresql": f"SELECT 1 WHERE to_regclass('{VERSION_TABLE}') IS NOT NULL",
}
_MIGRATION_LOCK = int.from_bytes(b"stayw", "big")  # a number that other programs are unlikely to use


def require_schema(connection: Any, dialect: str, address: Address) -> None:
    """Raise an error if a database's tables are missing or of another release.

    Parameters
    ----------
    connection : connection of the driver
    dialect : {"sqlite", "postgresql"}
    address : Address, for the message

    Raises
    ------
    NothingPublished
        If there are no tables.
    StoreError
        If they are of an older or newer release.
    """
    found = known_version(connection, dialect, address)
    if found is None:
        raise address.empty()
    if found != SCHEMA_VERSION:
        raise OlderStore(
            translated(
                "The store {address} has the tables of an older release of stayworth (schema {found}, "
                "wanted {schema_version}). The next 'stayworth score --publish' or 'stayworth keys add' "
                "upgrades it.",
                address=address,
                found=found,
                schema_version=SCHEMA_VERSION,
            )
        )


def known_version(connection: Any, dialect: str, address: Address) -> str | None:
    """Return the version of the tables, None where there are none.

    Raises
    ------
    StoreError
        If they are of a newer release.
    """
    cursor = connection.cursor()
    cursor.execute(_IS_THERE[dialect])
    if not cursor.fetchall():
        return None
    cursor.execute(f"SELECT version_num FROM {VERSION_TABLE}")
    rows = cursor.fetchall()
    found = str(rows[0][0]) if rows else None
    if found and found > SCHEMA_VERSION:
        raise StoreError(
            translated(
                "The store {address} has the tables of a newer release of stayworth (schema {found}, "
                "known here is {schema_version}). Upgrade this installation, or name another store.",
                address=address,
                found=found,
                schema_version=SCHEMA_VERSION,
            )
        )
    return found


def upgrade(connection: sa.Connection, address: Address) -> None:
    """Bring the tables to the newest version, in the transaction that is open.

    Of two processes at the same time, one migrates and the other waits: on SQLite for the lock that the transaction
    began with, on PostgreSQL for an advisory lock.

    Raises
    ------
    StoreError
        If the tables are of a newer release.
    """
    driver, dialect = connection.connection, connection.dialect.name
    if known_version(driver, dialect, address) == SCHEMA_VERSION:
        return
    if dialect == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    if known_version(driver, dialect, address) != SCHEMA_VERSION:
        _migrate(connection)


def _migrate(connection: sa.Connection) -> None:
    from alembic import command  # seldom needed, and a tenth of a second to import

    command.upgrade(alembic_config(connection), SCHEMA_VERSION)


def alembic_config(connection: sa.Connection) -> Config:
    """Return Alembic's settings for the migrations of the store, through a connection that is open."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
