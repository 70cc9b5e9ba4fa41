"""Users of the workbench: their roles, passwords and sessions.

A password is kept as an argon2id hash, a session as the SHA-256 digest of the token in the browser's cookie.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy.exc import IntegrityError

from features.errors import NothingPublished, StoreError
from features.language import translated
from serving.store.audit import record
from serving.store.database import WAIT_SECONDS, Database
from serving.store.keys import digest
from serving.store.tables import user_sessions, users

ROLES = ("look", "campaign", "admin")
"""What a user may do: look at customers; besides, take lists out and keep segments; besides, promote models."""

SESSION_HOURS = 12
SHORTEST_PASSWORD, LONGEST_PASSWORD = 12, 256
COMMAND_LINE = "command line"

_NAME = re.compile(r"\w[\w.@-]{0,63}")


@dataclass(frozen=True)
class User:
    """One user.

    Parameters
    ----------
    id : int
    name : str
    role : {"look", "campaign", "admin"}
    created_at : datetime, in UTC
    """

    id: int
    name: str
    role: str
    created_at: datetime

    def may(self, role: str) -> bool:
        """Tell whether the user has a role, or one that includes it."""
        return ROLES.index(self.role) >= ROLES.index(role)


class Users:
    """The users of a store, and their sessions.

    Parameters
    ----------
    database : Database
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, name: str, role: str, password: str) -> None:
        """Add a user, and make the store if need be.

        Raises
        ------
        StoreError
            If the name is taken, it, the role or the password is not sound, or the store cannot be written.
        """
        if not _NAME.fullmatch(name):
            raise StoreError(
                translated(
                    "A user's name is of letters, digits, '.', '_', '@' and '-', begins with a letter or "
                    "digit, and has up to 64 of them, such as sara."
                )
            )
        if role not in ROLES:
            raise StoreError(
                translated("A user's role is one of {names}; not {role!r}.", names=list(ROLES), role=role)
            )
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise StoreError(
                translated(
                    "A password has {shortest_password} to {longest_password} characters.",
                    shortest_password=SHORTEST_PASSWORD,
                    longest_password=LONGEST_PASSWORD,
                )
            )
        row = {"name": name, "role": role, "password_hash": _hasher().hash(password)}
        with self._database.write() as connection:
            try:
                connection.execute(sa.insert(users).values(row | {"created_at": datetime.now(UTC)}))
            except IntegrityError:
                raise StoreError(
                    translated(
                        "There is a user {name} already. Remove that one first (stayworth users remove {name}), "
                        "or choose another name.",
                        name=name,
                    )
                ) from None
            record(connection, COMMAND_LINE, "add user", name)

    def remove(self, name: str) -> None:
        """Remove a user and end their sessions.

        Raises
        ------
        StoreError
            If there is no such user, or the store cannot be written.
        """
        known = {user.name: user.id for user in self.all()}
        if name not in known:
            there = (
                translated("There are {names}.", names=list(known)) if known else translated("There is none.")
            )
            raise StoreError(translated("There is no user {name}. {there}", name=name, there=there))
        with self._database.write() as connection:
            connection.execute(sa.delete(user_sessions).where(user_sessions.c.user_id == known[name]))
            connection.execute(sa.delete(users).where(users.c.id == known[name]))
            record(connection, COMMAND_LINE, "remove user", name)

    def all(self) -> list[User]:
        """Return the users by name; none where there is no store.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        try:
            rows = self._database.select(sa.select(*_USER).order_by(users.c.name))
        except NothingPublished:
            return []
        return [_user(row) for row in rows]

    def named(self, name: str, password: str) -> User | None:
        """Return the user of a name and password; None if they do not go together.

        It takes as long whether or not there is such a user.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        try:
            rows = self._database.select(sa.select(*_USER, users.c.password_hash).where(users.c.name == name))
        except NothingPublished:
            rows = []
        try:
            _hasher().verify(rows[0].password_hash if rows else _nobodys_hash(), password[:LONGEST_PASSWORD])
        except VerificationError:
            return None
        return _user(rows[0]) if rows else None

    def begin_session(self, user: User, *, wait_seconds: float = WAIT_SECONDS) -> str:
        """Begin a session; return its token, which the store does not keep.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        token, now = secrets.token_urlsafe(32), datetime.now(UTC)
        row = {
            "digest": digest(token),
            "user_id": user.id,
            "expires_at": now + timedelta(hours=SESSION_HOURS),
        }
        with self._database.write(wait_seconds=wait_seconds) as connection:
            connection.execute(sa.delete(user_sessions).where(user_sessions.c.expires_at < now))
            connection.execute(sa.insert(user_sessions).values(row))
            record(connection, user.name, "sign in")
        return token

    def end_session(self, user: User, token: str, *, wait_seconds: float = WAIT_SECONDS) -> None:
        """End a session.

        Raises
        ------
        StoreError
            If the store cannot be written.
        """
        with self._database.write(wait_seconds=wait_seconds) as connection:
            connection.execute(sa.delete(user_sessions).where(user_sessions.c.digest == digest(token)))
            record(connection, user.name, "sign out")

    def of_session(self, token: str) -> User | None:
        """Return whose session a token is of; None if it is of none, or has ended.

        Raises
        ------
        StoreError
            If the store cannot be reached.
        """
        theirs = users.join(user_sessions, user_sessions.c.user_id == users.c.id)
        alive = (user_sessions.c.digest == digest(token)) & (user_sessions.c.expires_at > datetime.now(UTC))
        try:
            rows = self._database.select(sa.select(*_USER).select_from(theirs).where(alive))
        except NothingPublished:
            return None
        return _user(rows[0]) if rows else None


_USER = (users.c.id, users.c.name, users.c.role, users.c.created_at)


def _user(row: sa.Row[Any]) -> User:
    return User(row.id, row.name, row.role, row.created_at)


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash(secrets.token_urlsafe(32))
