"""The address of a database, taken apart and shown without its password."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.address import DatabaseAddress
from features.errors import ModelError
from serving.store.address import Address
from training.tracking_uri import TrackingURI


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("sqlite:///a.db", "sqlite"),
        ("SQLITE:////data/a.db", "sqlite"),
        ("postgres://db/scores", "postgresql"),
        ("postgresql+psycopg://db/scores", "postgresql"),
        ("https://mlflow", "https"),
    ],
)
def test_the_kind_is_the_scheme_without_a_driver(text: str, kind: str) -> None:
    assert DatabaseAddress(text).kind == kind


def test_the_file_of_sqlite_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    assert DatabaseAddress("sqlite:///a.db").sqlite_file == tmp_path / "a.db"
    assert DatabaseAddress("sqlite:////data/a.db").sqlite_file == Path("/data/a.db")


@pytest.mark.parametrize("text", ["sqlite://", "sqlite:///:memory:", "sqlite:a.db", "postgresql://db/a"])
def test_an_address_without_a_file_of_sqlite_has_none(text: str) -> None:
    assert DatabaseAddress(text).sqlite_file is None


@pytest.mark.parametrize("text", ["no address", "postgresql://u:p@ss@host/db", "postgresql://host:port/db"])
def test_an_address_that_cannot_be_read_has_no_parts(text: str) -> None:
    assert DatabaseAddress(text).parts is None


@pytest.mark.parametrize("kind", [DatabaseAddress, TrackingURI, Address])
def test_no_password_is_printed_in_whatever_form_it_is_written(kind: type[DatabaseAddress]) -> None:
    address = kind("postgresql://crm:s%2Fcret@db/scores?password=an%40other")

    assert str(address) == "postgresql://crm:***@db/scores?password=***"
    assert repr(address) == f"{kind.__name__}('postgresql://crm:***@db/scores?password=***')"
    assert address.redact("no entry for s/cret, s%2Fcret or an@other") == "no entry for ***, *** or ***"


def test_a_registry_of_sqlite_has_a_file() -> None:
    for text in ("sqlite://", "sqlite:mlflow.db"):
        with pytest.raises(ModelError, match="names no file. Write the registry as sqlite:///mlflow.db"):
            TrackingURI(text)
