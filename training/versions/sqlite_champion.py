"""The champion of a SQLite registry, found in MLflow's tables without MLflow.

To import MLflow and to open a registry by it takes two seconds, a sixth of what scoring a million customers takes. What
a scorer needs to know are two cells. They are read from tables of the release that this module knows, of files on this
machine; for any other registry MLflow is asked, as it is where something is amiss, for it says what.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from training.versions.version import CHAMPION, MODEL_NAME
from training.versions.version_files import folder_at

REVISION = "dc11669786a5"
"""MLflow's name of the tables' form."""

_FORM = "SELECT version_num FROM alembic_version"
_CHAMPION = """SELECT version, coalesce(nullif(storage_location, ''), source)
FROM registered_model_aliases JOIN model_versions USING (workspace, name, version)
WHERE name = ? AND alias = ?"""


def champion_files(registry: Path) -> tuple[str, Path] | None:
    """Return the champion's version and the folder of its files; None where MLflow has to be asked.

    Parameters
    ----------
    registry : Path
        The file of a registry, which is not written to.
    """
    try:
        with closing(sqlite3.connect(f"{registry.as_uri()}?mode=ro", uri=True)) as connection:
            if connection.execute(_FORM).fetchall() != [(REVISION,)]:
                return None
            found = connection.execute(_CHAMPION, (MODEL_NAME, CHAMPION)).fetchall()
    except sqlite3.Error:
        return None
    if len(found) != 1 or (artifacts := folder_at(found[0][1])) is None:
        return None
    return next(
        ((str(found[0][0]), each.parent) for each in artifacts.rglob("artifacts/model/model.json")), None
    )
