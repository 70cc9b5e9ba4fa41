"""A store of each kind, empty, and lists to publish in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from serving.store.store import Store


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
