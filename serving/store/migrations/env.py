"""Alembic's environment: migrate through the connection, and in the transaction, that the caller opened."""

from __future__ import annotations

from alembic import context

from serving.store.tables import VERSION_TABLE, metadata


def migrate() -> None:
    """Run the migrations that Alembic was asked for."""
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table=VERSION_TABLE,
    )
    with context.begin_transaction():
        context.run_migrations()


# Alembic runs this file under this name; an import, by a test collector say, is idle.
if __name__ == "env_py":
    migrate()
