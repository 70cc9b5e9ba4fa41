"""Users of the workbench: passwords are kept as hashes, sessions end, and what is done to users is in the audit."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from features.errors import StoreError
from serving.store.store import Store
from serving.store.tables import user_sessions, users

PASSWORD = "correct horse battery"


def test_a_user_is_known_by_name_and_password_and_for_the_session(store: Store) -> None:
    store.users.add("sara", "campaign", PASSWORD)

    user = store.users.named("sara", PASSWORD)

    assert user is not None
    assert [user.may(role) for role in ("look", "campaign", "admin")] == [True, True, False]
    assert store.users.named("sara", PASSWORD + "!") is None
    assert store.users.named("nobody", PASSWORD) is None
    token = store.users.begin_session(user)
    assert store.users.of_session(token) == user
    assert store.users.of_session("another") is None
    store.users.end_session(user, token)
    assert store.users.of_session(token) is None


def test_neither_a_password_nor_a_token_is_in_the_store(store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    user = store.users.named("sara", PASSWORD)
    assert user is not None
    token = store.users.begin_session(user)

    with store._database.write() as connection:
        (kept,) = connection.execute(sa.select(users.c.password_hash)).scalars()
        (session,) = connection.execute(sa.select(user_sessions.c.digest)).scalars()

    assert kept.startswith("$argon2id$")
    assert PASSWORD not in kept
    assert session != token


def test_with_a_user_the_sessions_go_too_and_the_audit_tells(store: Store) -> None:
    store.users.add("sara", "admin", PASSWORD)
    user = store.users.named("sara", PASSWORD)
    assert user is not None
    token = store.users.begin_session(user)

    store.users.remove("sara")

    assert store.users.of_session(token) is None
    assert [(entry.user_name, entry.action, entry.about) for entry in store.audit.newest()] == [
        ("command line", "remove user", "sara"),
        ("sara", "sign in", ""),
        ("command line", "add user", "sara"),
    ]


def test_a_session_ends_by_itself(store: Store) -> None:
    store.users.add("sara", "look", PASSWORD)
    user = store.users.named("sara", PASSWORD)
    assert user is not None
    token = store.users.begin_session(user)

    with store._database.write() as connection:
        connection.execute(sa.update(user_sessions).values(expires_at=user.created_at))

    assert store.users.of_session(token) is None


@pytest.mark.parametrize(
    ("name", "role", "password", "complaint"),
    [
        ("", "look", PASSWORD, "A user's name is of letters"),
        ("sara", "boss", PASSWORD, "role is one of look, campaign, admin; not 'boss'"),
        ("sara", "look", "short", "12 to 256 characters"),
        ("omid", "look", PASSWORD, "There is a user omid already"),
    ],
)
def test_what_is_no_sound_user_is_refused(
    store: Store, name: str, role: str, password: str, complaint: str
) -> None:
    store.users.add("omid", "look", PASSWORD)

    with pytest.raises(StoreError, match=complaint):
        store.users.add(name, role, password)

    assert [user.name for user in store.users.all()] == ["omid"]
