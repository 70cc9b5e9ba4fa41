"""A store of each kind, empty, and lists to publish in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any
from uuid import uuid4

import pandas as pd
import psycopg
import pytest

from serving.store.store import Store
from training.model.score_schema import SCHEMA, SCORE_COLUMNS

#: Makes a list of these customers; every number of a customer is the one given.
ScoredList = Callable[..., pd.DataFrame]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of a SQLite file that is not there yet, then of an empty PostgreSQL database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    return request.getfixturevalue("empty_database")()


@pytest.fixture
def empty_database(postgres_uri: str) -> Callable[..., str]:
    """Makes a PostgreSQL database, with the options of CREATE DATABASE; returns its URI."""

    def create(options: str = "") -> str:
        name = f"store_{uuid4().hex}"
        with psycopg.connect(postgres_uri, autocommit=True) as server:
            server.execute(f"CREATE DATABASE {name} {options}")
        return postgres_uri.removesuffix("postgres") + name

    return create


@pytest.fixture
def store(store_uri: str) -> Iterator[Store]:
    with Store(store_uri) as store:
        yield store


@pytest.fixture
def scored_list() -> ScoredList:
    def build(
        customers: Sequence[str], *, number: Any = 0.5, model_version: str = "1", **columns: Any
    ) -> pd.DataFrame:
        rows = pd.DataFrame({"customer_id": list(customers)})
        for column in SCHEMA.values():
            if column.type is float:
                rows[column.name] = number
        rows["snapshot_date"] = date(1998, 7, 1)
        rows["value_tier"] = "vip"
        for name in ("next_purchase_date", "next_purchase_low", "next_purchase_high"):
            rows[name] = date(1998, 8, 1)
        rows["reasons"] = [["a reason"] for _ in customers]
        rows["model_version"] = model_version
        rows["last_purchase_date"] = date(1998, 6, 1)
        rows["horizon_days"], rows["margin"], rows["resumption"] = 90, 0.3, 0.5
        rows["dormant_after_days"] = 180
        return rows.assign(**columns)[list(SCORE_COLUMNS)]

    return build
