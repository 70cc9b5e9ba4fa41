"""API keys are shown once, stored as digests, and revoked by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import sqlalchemy as sa

from features.errors import StoreError
from serving.store.keys import ApiKey
from serving.store.store import Store


def test_a_key_is_known_by_its_digest(store: Store) -> None:
    key = store.keys.add("crm-1", scopes=["lookup"], rate_limit="600/minute", max_body_bytes=1024)

    (found,) = store.keys.all()
    assert key.startswith("sw_") and len(key) == 46  # 32 bytes in base64
    assert found == ApiKey(
        name="crm-1",
        digest=sha256(key.encode()).hexdigest(),
        scopes=frozenset({"lookup"}),
        rate_limit="600/minute",
        max_body_bytes=1024,
        created_at=found.created_at,
        revoked_at=None,
    )
    assert abs(datetime.now(UTC) - found.created_at) < timedelta(minutes=1)


def test_the_store_does_not_hold_the_key(store: Store) -> None:
    key = store.keys.add("crm-1", scopes=["score", "lookup"])

    with sa.create_engine(store.address.url, poolclass=sa.NullPool).connect() as database:
        stored = str(database.execute(sa.text("SELECT * FROM api_keys")).all())
    assert "crm-1" in stored
    assert key.removeprefix("sw_") not in stored


def test_no_two_keys_are_alike(store: Store) -> None:
    names = ["crm-1", "crm-2", "آرش", "a.b_c-9"]

    keys = {store.keys.add(name, scopes=["score"]) for name in names}

    assert len(keys) == 4
    assert [key.name for key in store.keys.all()] == names


def test_a_revoked_key_stays_on_record_and_its_name_is_free(store: Store) -> None:
    store.keys.add("crm-1", scopes=["score"])
    with pytest.raises(StoreError, match="There is an active key named crm-1 already. Revoke it first"):
        store.keys.add("crm-1", scopes=["score"])

    store.keys.revoke("crm-1")
    store.keys.add("crm-1", scopes=["lookup"])

    old, new = store.keys.all()
    assert old.revoked_at is not None and old.created_at <= old.revoked_at <= datetime.now(UTC)
    assert (new.name, new.revoked_at) == ("crm-1", None)


def test_only_an_active_key_can_be_revoked(store: Store) -> None:
    with pytest.raises(StoreError, match="no active key named crm-1. There is none."):
        store.keys.revoke("crm-1")
    assert store.address.file is None or not store.address.file.exists()
    store.keys.add("crm-1", scopes=["score"])
    store.keys.add("crm-2", scopes=["score"])
    store.keys.revoke("crm-1")

    with pytest.raises(StoreError, match="no active key named crm-1. Active are crm-2."):
        store.keys.revoke("crm-1")


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": ""}, "name is of letters, digits"),
        ({"name": "crm 1"}, "name is of letters, digits"),
        ({"name": "a\nb"}, "name is of letters, digits"),
        ({"name": "x" * 65}, "name is of letters, digits"),
        ({"scopes": []}, r"scopes are of erase, lookup, score, one or more\."),
        ({"scopes": ["score", "admin"]}, "one or more; not admin"),
        ({"rate_limit": "600"}, "'600' is no rate limit. Write it as 600/minute"),
        ({"rate_limit": "600/fortnight"}, "is no rate limit"),
        ({"rate_limit": "0/minute"}, "is no rate limit"),
        ({"rate_limit": "1/second; 2/minute"}, "is no rate limit"),
        ({"max_body_bytes": 0}, "at least one byte"),
    ],
)
def test_a_key_that_makes_no_sense_is_refused(changes: dict[str, object], complaint: str) -> None:
    store = Store("sqlite:///no/such/folder/store.db")

    with pytest.raises(StoreError, match=complaint):
        store.keys.add(**{"name": "crm-1", "scopes": ["score"], **changes})  # type: ignore[arg-type]


def test_a_store_in_no_folder_is_refused_with_the_remedy() -> None:
    with pytest.raises(StoreError, match="The folder /no/such/folder does not exist"):
        Store("sqlite:////no/such/folder/store.db").keys.add("crm-1", scopes=["score"])
