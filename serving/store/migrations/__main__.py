"""Write the migration that brings the store's tables to what the code defines.

::

    python -m serving.store.migrations "Add the margin."

compares the tables of :mod:`serving.store.tables`, which have the columns of :mod:`training.model.score_schema`, with
those that the migrations so far make, and writes ``versions/0002_add_the_margin.py``. Read it before you commit it:
the comparison sees columns, types and indexes, not what should happen to the rows that are there.
"""

from __future__ import annotations

import re
import subprocess
import sys
from tempfile import TemporaryDirectory

import sqlalchemy as sa
from alembic.autogenerate import produce_migrations, render_python_code
from alembic.operations.ops import DowngradeOps, UpgradeOps
from alembic.runtime.migration import MigrationContext

from serving.store.address import Address
from serving.store.schema import upgrade
from serving.store.tables import MIGRATIONS, SCHEMA_VERSION, VERSION_TABLE, metadata

_MIGRATION = '''"""{message}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "{revision:04}"
down_revision = "{before}"


def upgrade() -> None:
    """Make the change."""
    {upgrade}


def downgrade() -> None:
    """Take the change back."""
    {downgrade}
'''


def migration(message: str, tables: sa.MetaData = metadata) -> str:
    """Return the source of the migration from the newest tables to the ones given.

    Parameters
    ----------
    message : str
        What it does; becomes its docstring.
    tables : MetaData
    """
    with TemporaryDirectory() as folder:
        address = Address(f"sqlite:///{folder}/store.db")
        engine = sa.create_engine(address.url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            upgrade(connection, address)
            context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
            script = produce_migrations(context, tables)
    if script.upgrade_ops is None or script.downgrade_ops is None or script.upgrade_ops.is_empty():
        raise SystemExit("The migrations make the tables that the code defines: there is nothing to add.")
    return _MIGRATION.format(
        message=message,
        revision=int(SCHEMA_VERSION) + 1,
        before=SCHEMA_VERSION,
        upgrade=_statements(script.upgrade_ops),
        downgrade=_statements(script.downgrade_ops),
    )


def _statements(operations: UpgradeOps | DowngradeOps) -> str:
    lines = render_python_code(operations).splitlines()
    return "\n".join(line for line in lines if "# ###" not in line).strip()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit('Say what the migration does: python -m serving.store.migrations "Add the margin."')
    slug = re.sub(r"\W+", "_", sys.argv[1].lower()).strip("_")
    path = MIGRATIONS / "versions" / f"{int(SCHEMA_VERSION) + 1:04}_{slug}.py"
    path.write_text(migration(sys.argv[1]), encoding="utf-8")
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(path)], check=True)
    sys.stdout.write(f"{path}\n")
