"""The champion of a SQLite registry, found without MLflow: what MLflow would have found."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from training.versions.registry import Registry
from training.versions.sqlite_champion import champion_files


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry with two versions, of which the first is champion; made once, for MLflow's tables take seconds."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "files").mkdir()
    for name in ("model.json", "booster.txt"):
        (folder / "files" / name).write_text("{}")
    registry = Registry(f"sqlite:///{folder}/mlflow.db")
    for _ in range(2):
        registry.log_run(model_folder=folder / "files")
    registry.promote("1")
    return folder / "mlflow.db"


@pytest.fixture
def file(fresh: Path, tmp_path: Path) -> Path:
    shutil.copy(fresh, tmp_path / "mlflow.db")
    return tmp_path / "mlflow.db"


def test_the_champion_is_the_one_that_mlflow_names_with_its_own_files(file: Path, tmp_path: Path) -> None:
    registry = Registry(f"sqlite:///{file}")

    for version in ("1", "2"):
        registry.promote(version)
        found = champion_files(file)

        assert found is not None
        assert found[0] == registry.champion().version == version
        downloaded = registry.download(version, tmp_path / version)
        assert sorted(each.name for each in found[1].iterdir()) == sorted(
            each.name for each in downloaded.iterdir()
        )


def test_mlflow_is_not_imported(file: Path) -> None:
    program = """
import json, sys
from pathlib import Path
from training.versions.sqlite_champion import champion_files
print(json.dumps([champion_files(Path(sys.argv[1]))[0], "mlflow" in sys.modules]))
"""
    said = subprocess.run([sys.executable, "-c", program, file], capture_output=True, text=True, check=True)

    assert json.loads(said.stdout) == ["1", False]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE alembic_version SET version_num = 'a later one'",
        "DROP TABLE alembic_version",
        "DELETE FROM registered_model_aliases",
        "UPDATE model_versions SET storage_location = 's3://bucket/model', source = 's3://bucket/model'",
        "UPDATE model_versions SET storage_location = 'file:///nowhere', source = 'file:///nowhere'",
    ],
)
def test_mlflow_is_asked_where_the_tables_or_the_files_are_others(file: Path, change: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(change)
        connection.commit()

    assert champion_files(file) is None


def test_a_file_that_is_no_registry_is_left_to_mlflow(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database, whatever its name says" * 100)

    assert champion_files(tmp_path / "mlflow.db") is None
    assert champion_files(tmp_path / "missing.db") is None
    assert not (tmp_path / "missing.db").exists()
