"""Migrations give the tables that the code expects, in a database of its own or a shared one."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import alembic.command
import pandas as pd
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import serving.store.schema
from features.errors import StoreError
from serving.store.migrations.__main__ import migration
from serving.store.schema import alembic_config
from serving.store.store import Store
from serving.store.tables import SCHEMA_VERSION, VERSION_TABLE, metadata, score_sets, scores
from training.model.score_schema import SCHEMA, SCORE_COLUMNS

ScoredList = Callable[..., pd.DataFrame]


def execute(store: Store, *statements: str) -> list[tuple[Any, ...]]:
    """Run statements and return what the last one found."""
    with sa.create_engine(store.address.url, poolclass=sa.NullPool).begin() as database:
        for statement in statements:
            found = database.execute(sa.text(statement))
        return [tuple(row) for row in found] if found.returns_rows else []


def test_the_tables_hold_the_columns_of_the_contract() -> None:
    stored = {column.name for column in scores.columns} | {column.name for column in score_sets.columns}

    assert set(SCORE_COLUMNS) <= stored
    in_order = [column.name for column in scores.columns if column.name in SCORE_COLUMNS]
    assert in_order == [name for name in SCORE_COLUMNS if name in in_order]


def test_the_newest_revision_is_the_one_the_code_expects() -> None:
    folder = Path(serving.store.schema.__file__).parent / "migrations"

    assert ScriptDirectory(str(folder)).get_heads() == [SCHEMA_VERSION]


def test_migrated_tables_are_those_of_the_code(store: Store) -> None:
    store.keys.add("crm-1", scopes=["lookup"])

    with sa.create_engine(store.address.url, poolclass=sa.NullPool).connect() as database:
        context = MigrationContext.configure(
            database, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, metadata) == []


def test_a_database_may_be_shared_and_is_migrated_once(store: Store, scored_list: ScoredList) -> None:
    execute(
        store,
        "CREATE TABLE alembic_version (version_num VARCHAR(32))",
        "INSERT INTO alembic_version VALUES ('another program''s')",
    )

    first = store.publish(scored_list(["1"]))
    second = store.publish(scored_list(["1"]))

    assert second.id > first.id
    assert execute(store, "SELECT * FROM alembic_version") == [("another program's",)]
    assert execute(store, f"SELECT * FROM {VERSION_TABLE}") == [(SCHEMA_VERSION,)]


@pytest.mark.parametrize(
    ("version", "complaint"),
    [
        ("9999", "of a newer release of stayworth .* Upgrade this installation"),
        ("0000", "of an older release .* 'stayworth keys add' upgrades it"),
    ],
)
def test_tables_of_another_release_are_told_from_ours(
    store: Store, scored_list: ScoredList, version: str, complaint: str
) -> None:
    store.publish(scored_list(["1"]))
    store.close()
    execute(store, f"UPDATE {VERSION_TABLE} SET version_num = '{version}'")

    for ask in (store.newest, store.keys.all, lambda: store.lookup(["1"])):
        with pytest.raises(StoreError, match=complaint):
            ask()


def test_tables_of_a_newer_release_are_not_written_to(store: Store, scored_list: ScoredList) -> None:
    store.publish(scored_list(["1"]))
    execute(store, f"UPDATE {VERSION_TABLE} SET version_num = '9999'")

    for write in (
        store.require_publishable,
        lambda: store.publish(scored_list(["1"])),
        lambda: store.keys.add("crm-1", scopes=["score"]),
    ):
        with pytest.raises(StoreError, match="of a newer release"):
            write()

    assert execute(store, "SELECT count(*) FROM score_sets") == [(1,)]


FIRST_SET = """
INSERT INTO score_sets (published_at, model_version, snapshot_date, customers)
VALUES ('1998-07-01 05:00:00', '7', '1998-07-01', 1)
"""
FIRST_SCORE = """
INSERT INTO scores VALUES (1, '0042', 0.25, 0.5, 1.5, 30.0, 45.0, NULL, NULL, 5.0, 20.0, 5.0, 'vip',
                           '1998-08-01', '1998-07-10', NULL, '["a reason"]')
"""


@pytest.fixture
def first_store(store: Store) -> Store:
    """A store as the first release left it: one set of one customer."""
    engine = sa.create_engine(store.address.url, poolclass=sa.NullPool)
    with engine.begin() as database:
        alembic.command.upgrade(alembic_config(database), "0001")
        database.execute(sa.text(FIRST_SET))
        database.execute(sa.text(FIRST_SCORE))
    return store


def test_a_store_of_the_first_release_migrates_when_it_is_next_written_to(
    first_store: Store, scored_list: ScoredList
) -> None:
    with pytest.raises(StoreError, match="of an older release .* upgrades it"):
        first_store.lookup(["0042"])

    first_store.keys.add("crm-1", scopes=["lookup"])

    (old,) = first_store.lookup(["0042"]).scores
    assert old["churn_probability"] == 0.25 and old["next_purchase_low"] == date(1998, 7, 10)
    assert [old["model_version"], old["snapshot_date"]] == ["7", date(1998, 7, 1)]
    later = (
        *("spend_per_purchase", "last_purchase_date", "horizon_days", "margin"),
        *("value_of_resumption", "resumption", "dormant_after_days"),
        *("expected_gross_value", "cost_per_order", "cost_per_day", "bad_debt_rate", "inactivity_days"),
        "stage",
    )
    assert [name for name, column in SCHEMA.items() if column.added_later] == list(later)
    assert {name: old[name] for name in later} == dict.fromkeys(later)  # type: ignore[literal-required]

    first_store.publish(scored_list(["0042"], number=30.0))

    (new,) = first_store.lookup(["0042"]).scores
    assert [new[name] for name in later] == [  # type: ignore[literal-required]
        *(30.0, date(1998, 6, 1), 90, 0.3),
        *(30.0, 0.5, 180),
        *(30.0, 2.5, 0.03, 0.02, 120),
        "loyal",
    ]


def test_nothing_is_left_to_migrate() -> None:
    with pytest.raises(SystemExit, match="there is nothing to add"):
        migration("Add nothing.")


def test_a_new_column_makes_a_migration() -> None:
    tables = sa.MetaData()
    for table in metadata.tables.values():
        table.to_metadata(tables)
    tables.tables["scores"].append_column(sa.Column("mood", sa.Text))

    source = migration("Add the mood.", tables)

    assert source.startswith('"""Add the mood."""')
    assert f'revision = "{int(SCHEMA_VERSION) + 1:04}"\ndown_revision = "{SCHEMA_VERSION}"' in source
    assert "op.add_column('scores', sa.Column('mood', sa.Text(), nullable=True))" in source
    assert "op.drop_column('scores', 'mood')" in source
    compile(source, "migration", "exec")


ADD_KEY = """
import sys
import alembic.command, alembic.config
from serving.store.store import Store

store = Store(sys.argv[1])
print("ready", flush=True)
input()
store.keys.add(sys.argv[2], scopes=["score"])
"""


def test_a_new_file_that_another_is_just_writing_to_is_waited_for(tmp_path: Path) -> None:
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE theirs (x)")
        ending = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        ending.start()

        with Store(f"sqlite:///{file}") as store:
            store.keys.add("crm", scopes=["score"])
        ending.join()

    with Store(f"sqlite:///{file}") as store:
        assert [key.name for key in store.keys.all()] == ["crm"]


def test_processes_that_migrate_at_once_do_not_hurt_each_other(store: Store) -> None:
    names = ["crm-1", "crm-2", "crm-3"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", ADD_KEY, store.address.text, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in names
    ]
    assert [process.stdout and process.stdout.readline() for process in processes] == ["ready\n"] * 3

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("now\n")
        process.stdin.flush()
    for process in processes:
        process.communicate(timeout=60)

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert sorted(key.name for key in store.keys.all()) == names
    assert execute(store, f"SELECT * FROM {VERSION_TABLE}") == [(SCHEMA_VERSION,)]
