"""A scored list in a table of a database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.address import DatabaseAddress, open_engine
from features.errors import OutputError, StayworthError
from serving.lists.list_table import ListTable

ScoredList = Callable[..., pd.DataFrame]
IDS = ("0042", "آرش", "a;b\n'c\"", "17")


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of a database without the table ``scores``."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/lists.db"
    uri: str = request.getfixturevalue("postgres_uri" if request.param == "postgresql" else "mariadb_uri")
    asked(uri, "DROP TABLE IF EXISTS scores")
    return uri


def asked(uri: str, statement: str) -> list[tuple]:
    parts = DatabaseAddress(uri).parts
    assert parts
    engine = open_engine(parts)
    with engine.begin() as connection:
        found = connection.exec_driver_sql(statement)
        rows = [tuple(row) for row in found] if found.returns_rows else []
    engine.dispose()
    return rows


def test_a_list_is_written_to_the_last_digit_and_replaced_as_a_whole(
    database: str, scored_list: ScoredList
) -> None:
    table = ListTable(f"{database}?table=scores")
    first = scored_list(IDS, number=0.1 + 0.2, spend_per_purchase=[1.5, np.nan, 2.5, np.inf])

    table.write(first)
    rows = asked(database, "SELECT customer_id, churn_probability, spend_per_purchase, reasons FROM scores")
    table.write(scored_list(["new"], model_version="2"))
    after = asked(database, "SELECT customer_id, model_version FROM scores")

    assert sorted(rows, key=lambda row: IDS.index(row[0])) == [
        (name, 0.1 + 0.2, spend, "a reason") for name, spend in zip(IDS, (1.5, None, 2.5, None), strict=True)
    ]
    assert after == [("new", "2")]


def test_a_list_that_cannot_be_written_leaves_the_one_before(database: str, scored_list: ScoredList) -> None:
    table = ListTable(f"{database}?table=scores")
    table.write(scored_list(["old"]))
    wide = scored_list(["new"]).assign(town="Tabriz")

    with pytest.raises(OutputError, match=r"lacks 'town'|lacks \['town'\]|lacks town"):
        table.write(wide)

    assert asked(database, "SELECT customer_id FROM scores") == [("old",)]


def test_while_a_list_is_written_readers_see_the_one_before(
    database: str, scored_list: ScoredList, monkeypatch: pytest.MonkeyPatch
) -> None:
    if database.startswith("sqlite"):
        pytest.skip("readers of SQLite wait for the end of a transaction that writes")
    table = ListTable(f"{database}?table=scores")
    table.write(scored_list(["old"]))
    seen = []

    def look(step: str, done: int, total: int) -> None:
        seen.append(asked(database, "SELECT customer_id FROM scores"))

    table.write(scored_list(IDS), look)

    assert seen == [[("old",)]]
    assert len(asked(database, "SELECT customer_id FROM scores")) == len(IDS)


def test_a_server_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(
        OutputError, match=r"The table scores in postgresql://me:\*\*\*@127.0.0.1:1/shop"
    ) as caught:
        ListTable("postgresql://me:s3cret@127.0.0.1:1/shop?table=scores").require()

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "complaint"),
    [
        ("postgresql://me:s3cret@host/shop", "--to names no table"),
        ("scored.csv", "--to names no table"),
        ("oracle://me:s3cret@host/shop?table=scores", "driver of oracle:// addresses is not installed"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(uri: str, complaint: str) -> None:
    with pytest.raises(StayworthError, match=complaint) as caught:
        ListTable(uri)

    assert "s3cret" not in str(caught.value)


def test_the_columns_of_the_table_have_types_to_compute_with(
    mariadb_uri: str, scored_list: ScoredList
) -> None:
    ListTable(f"{mariadb_uri}?table=typed").write(scored_list(IDS))

    found = asked(mariadb_uri, "SELECT date_add(snapshot_date, INTERVAL horizon_days DAY) FROM typed LIMIT 1")

    assert str(found[0][0]) == "1998-09-29"
    asked(mariadb_uri, "DROP TABLE typed")
